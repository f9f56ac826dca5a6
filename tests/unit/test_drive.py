"""A generator is driven to its end, one request after the other."""

from concurrent.futures import Future

from worker.core.drive import drive
from worker.core.port import HeadObject, Location, NotFound, Reply, Request, Steps


class Answering:
    """An S3 port that answers each request at once, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def submit(self, request: Request) -> "Future[Reply]":
        """Find nothing."""
        self.asked.append(request)
        future: Future[Reply] = Future()
        future.set_result(NotFound())
        return future


def look(keys: list[str]) -> Steps[int]:
    """Count the objects that are missing."""
    missing = 0
    for key in keys:
        reply = yield HeadObject(Location("files", key))
        missing += isinstance(reply, NotFound)
    return missing


def test_every_request_is_carried_out_in_order_and_the_result_comes_back() -> None:
    """Replies reach the generator."""
    s3 = Answering()
    assert drive(look(["a", "b"]), s3) == 2
    assert s3.asked == [HeadObject(Location("files", "a")), HeadObject(Location("files", "b"))]


def test_a_generator_without_requests_is_driven_as_well() -> None:
    """Nothing is asked."""
    s3 = Answering()
    assert drive(look([]), s3) == 0
    assert s3.asked == []
