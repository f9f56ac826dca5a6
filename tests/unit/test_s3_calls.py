"""S3's port as the loop uses it: deletes travel together, and nothing it does raises."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support import virtual_loop
from support.slow_s3 import SlowS3
from support.twin import S3Twin

from worker.core.port import (
    Deleted,
    DeleteObject,
    DeleteObjects,
    Fault,
    FaultKind,
    HeadObject,
    Location,
    NotFound,
    PreconditionFailed,
    Replies,
    Reply,
    Request,
)
from worker.loop.s3_calls import DELETES_MOST, S3Calls, fits_a_batch
from worker.loop.workload import Workload


class World:
    """S3 with files in a bucket, and the calls."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.twin = S3Twin(loop.time)
        self.s3 = SlowS3(self.twin, lambda _: 0.1)
        self.workload = Workload(lambda: 1000)
        self.calls = S3Calls(self.s3, self.workload)

    def delete_of(self, key: str, bucket: str = "b") -> DeleteObject:
        """Put a file; return the request that deletes it."""
        location = Location(bucket, key)
        return DeleteObject(location, self.twin.put(location, key).etag)

    async def ask(self, *requests: Request) -> list[Reply]:
        """Ask for all of them at once."""
        for _ in requests:
            self.workload.enter()
        return await asyncio.gather(*map(self.calls.ask, requests))

    @property
    def asked(self) -> list[str]:
        """Name the operations that went to S3."""
        return [type(request).__name__ for _, request in self.s3.asked]


def play(scenario: Callable[[World], Awaitable[None]]) -> None:
    """Play a scenario in virtual time."""

    async def main() -> None:
        await scenario(World())

    virtual_loop.run(main)


def test_deletes_travel_together_and_each_finds_its_reply() -> None:
    """One call: one is there, one is gone, one has changed."""

    async def scenario(world: World) -> None:
        there, changed = world.delete_of("there"), world.delete_of("changed")
        gone = DeleteObject(Location("b", "gone"), "e")
        world.twin.put(changed.location, "newer")
        replies = await world.ask(there, gone, changed)
        assert replies == [Deleted(), NotFound(), PreconditionFailed()]
        assert world.asked == ["DeleteObjects"]

    play(scenario)


def test_one_delete_is_a_delete() -> None:
    """No document for a single key."""

    async def scenario(world: World) -> None:
        assert await world.ask(world.delete_of("a")) == [Deleted()]
        assert world.asked == ["DeleteObject"]

    play(scenario)


def test_no_call_names_more_than_a_hundred() -> None:
    """250 deletes: three calls."""

    async def scenario(world: World) -> None:
        await world.ask(*(world.delete_of(f"{number}") for number in range(250)))
        sizes = [len(each.deletes) for _, each in world.s3.asked if isinstance(each, DeleteObjects)]
        assert sorted(sizes) == [50, DELETES_MOST, DELETES_MOST]

    play(scenario)


def test_a_key_with_two_etags_is_asked_for_twice() -> None:
    """A document names no key twice: the other ETag goes alone, and each has its own reply."""

    async def scenario(world: World) -> None:
        newest = world.delete_of("a")
        older = DeleteObject(newest.location, "older")
        others = [world.delete_of("x"), world.delete_of("y")]
        replies = await world.ask(older, *others, newest)
        assert replies == [PreconditionFailed(), Deleted(), Deleted(), Deleted()]
        assert sorted(world.asked) == ["DeleteObject", "DeleteObjects"]

    play(scenario)


def test_the_same_delete_twice_is_asked_for_once() -> None:
    """Two deliveries of one event: both get the one reply."""

    async def scenario(world: World) -> None:
        delete, other = world.delete_of("a"), world.delete_of("b")
        assert await world.ask(delete, other, delete) == [Deleted()] * 3
        ((_, request),) = world.s3.asked
        assert request == DeleteObjects((delete, other))

    play(scenario)


def test_each_bucket_has_its_own_call() -> None:
    """A reload may change the bucket while deletes of the old one are waiting."""

    async def scenario(world: World) -> None:
        deletes = [world.delete_of(key, bucket) for key in "ab" for bucket in ("one", "two")]
        assert await world.ask(*deletes) == [Deleted()] * 4
        for _, request in world.s3.asked:
            assert isinstance(request, DeleteObjects)
            assert len({delete.location.bucket for delete in request.deletes}) == 1

    play(scenario)


def test_a_fault_of_the_whole_call_is_everybodys() -> None:
    """Each move hears of it; nobody asks again at once."""

    async def scenario(world: World) -> None:
        denied = Fault(FaultKind.ACCESS, "DeleteObjects", "AccessDenied")
        deletes = [world.delete_of(key) for key in "abc"]
        world.s3.fault = lambda _: denied
        assert await world.ask(*deletes) == [denied] * 3
        assert world.asked == ["DeleteObjects"]

    play(scenario)


def test_a_document_that_s3_refuses_is_taken_apart() -> None:
    """One entry may have spoilt it (rule 23a): each is deleted alone."""

    async def scenario(world: World) -> None:
        malformed = Fault(FaultKind.REFUSED, "DeleteObjects", "MalformedXML")
        deletes = [world.delete_of(key) for key in "abc"]
        world.s3.fault = lambda asked: malformed if isinstance(asked, DeleteObjects) else None
        assert await world.ask(*deletes) == [Deleted()] * 3
        assert world.asked == ["DeleteObjects"] + ["DeleteObject"] * 3

    play(scenario)


@pytest.mark.parametrize("request_kind", ["head", "delete", "deletes"])
def test_an_executor_that_breaks_down_is_a_fault_and_no_exception(request_kind: str) -> None:
    """The move goes its way (and aborts its upload); the log keeps the traceback."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: RuntimeError("no more threads")
        requests: dict[str, list[Request]] = {
            "head": [HeadObject(Location("b", "a"))],
            "delete": [world.delete_of("a")],
            "deletes": [world.delete_of("a"), world.delete_of("c")],
        }
        for reply in await world.ask(*requests[request_kind]):
            assert isinstance(reply, Fault)
            assert (reply.kind, reply.code) == (FaultKind.UNAVAILABLE, "RuntimeError")

    with capture_logs() as logs:
        play(scenario)
    assert all(line["event"] == "s3-call-failed" and line["exc_info"] for line in logs)
    assert logs


def test_replies_without_one_for_each_key_leave_nobody_waiting() -> None:
    """An executor that miscounts is a fault, too."""

    async def scenario(world: World) -> None:
        deletes = [world.delete_of(key) for key in "ab"]
        world.s3.fault = lambda _: Replies((Deleted(),))
        replies = await asyncio.wait_for(world.ask(*deletes), 5)
        assert [type(reply) for reply in replies] == [Fault, Fault]

    with capture_logs():
        play(scenario)


@given(st.text())
def test_what_fits_a_batch_survives_xml(key: str) -> None:
    """No control character, no lone surrogate, no space that a parser may trim."""
    if not fits_a_batch(key):
        return
    assert key == key.strip()
    for letter in key:
        code = ord(letter)
        assert code >= 0x20
        assert not 0x7F <= code <= 0x9F
        assert not 0xD800 <= code <= 0xDFFF
        assert code & 0xFFFE != 0xFFFE


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        ("uploads/a b+%.txt", True),
        ("uploads/ü/日本", True),
        ("uploads/<&>\"'", True),
        ("uploads/a\x07", False),
        ("uploads/a\nb", False),
        (" a", False),
        ("a ", False),
        ("a\ufffe", False),
    ],
)
def test_which_keys_travel_together(key: str, *, fits: bool) -> None:
    """Rule 23a, by example."""
    assert fits_a_batch(key) is fits
