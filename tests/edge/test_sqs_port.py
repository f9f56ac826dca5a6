"""Each queue port on the embedded AWS, and what boto3's makes of SQS's refusals."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.stub import Stubber
from support.aws_process import connect, embedded_aws
from support.loop_thread import LoopThread
from support.s3_worlds import make_credentials

from worker.aws.http.sender import Sender
from worker.aws.http.senders import Senders
from worker.aws.http.sqs import LoopQueue
from worker.aws.sqs import BotoQueue
from worker.loop.queue_port import BlockingQueue, QueueUnavailableError


@dataclass(frozen=True, slots=True)
class World:
    """A client, the port on a queue of the test's own, and its URL."""

    client: Any
    queue_of: Callable[[str], BlockingQueue]
    url: str

    @property
    def queue(self) -> BlockingQueue:
        """The port on the test's own queue."""
        return self.queue_of(self.url)

    def send(self, *bodies: str) -> None:
        """Put messages in."""
        for body in bodies:
            self.client.send_message(QueueUrl=self.url, MessageBody=body)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Start an AWS for this module."""
    with embedded_aws() as endpoint:
        made = connect("sqs", endpoint)
        yield made
        made.close()


@contextmanager
def queues_in_the_loop(client: Any) -> Iterator[Callable[[str], BlockingQueue]]:  # noqa: ANN401 - boto3's
    """Make the event loop's ports."""
    with LoopThread() as loop:
        senders = Senders(client, loop.run(make_credentials), None, 1)
        opened: list[Sender] = []

        def queue_of(url: str) -> BlockingQueue:
            sender = loop.run(senders.of_queue, client, url)
            opened.append(sender)
            return loop.queue(LoopQueue(sender, url, asyncio.sleep))

        yield queue_of
        for sender in opened:
            loop.run(sender.pool.close)


@pytest.fixture(scope="module", params=["boto3", "asyncio"])
def queue_of(
    client: Any,  # noqa: ANN401 - boto3's
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[str], BlockingQueue]]:
    """Give each port in turn: how it is made for a queue's URL."""
    if request.param == "boto3":
        yield lambda url: BotoQueue(client, url)
        return
    with queues_in_the_loop(client) as make:
        yield make


@pytest.fixture
def world(
    client: Any,  # noqa: ANN401 - boto3's
    queue_of: Callable[[str], BlockingQueue],
    request: pytest.FixtureRequest,
) -> World:
    """Make a queue."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    url = client.create_queue(QueueName=name[:80])["QueueUrl"]
    return World(client, queue_of, url)


def test_a_message_is_received_with_its_count(world: World) -> None:
    """Id, receipt, body, and the deliveries so far, this one included."""
    world.send("körper")
    (first,) = world.queue.receive(10, 0, 60)
    assert (first.body, first.receive_count) == ("körper", 1)
    assert world.queue.change_visibility([(first.receipt, 0)]) == [None]
    (second,) = world.queue.receive(10, 1, 60)
    assert (second.message_id, second.receive_count) == (first.message_id, 2)
    assert second.receipt != first.receipt


def test_an_empty_queue_is_an_empty_list(world: World) -> None:
    """No messages is no error."""
    assert world.queue.receive(10, 0, 60) == []


def test_a_receive_takes_as_many_as_it_says(world: World) -> None:
    """And the visibility that it names hides them."""
    world.send(*"abcde")
    assert len(world.queue.receive(3, 0, 60)) == 3
    assert len(world.queue.receive(10, 0, 60)) == 2
    assert world.queue.receive(10, 0, 60) == []


def test_answers_stand_by_position(world: World) -> None:
    """Good receipts before and after a bad one: the bad one alone has a code."""
    world.send("a", "b")
    first, second = (each.receipt for each in world.queue.receive(10, 0, 60))
    changes = [(first, 60), ("no-receipt", 60), (second, 60)]
    assert [code is None for code in world.queue.change_visibility(changes)] == [True, False, True]
    answers = world.queue.delete([first, "no-receipt", second])
    assert [code is None for code in answers] == [True, False, True]
    assert isinstance(answers[1], str)


def test_one_receipt_twice_is_two_entries(world: World) -> None:
    """Ids are positions, so that no batch fails for being the same (rule 20)."""
    world.send("a")
    (message,) = world.queue.receive(10, 0, 60)
    assert world.queue.delete([message.receipt, message.receipt])[0] is None


def test_a_queue_that_is_not_there_is_a_persons_business(world: World) -> None:
    """Each call says so, with AWS's own words."""
    gone = world.queue_of(world.url + "-not")
    for call in (lambda: gone.receive(10, 0, 60), lambda: gone.delete(["r"])):
        with pytest.raises(QueueUnavailableError) as refused:
            call()
        assert refused.value.access
        assert "exist" in str(refused.value)


@pytest.mark.parametrize(
    ("code", "status", "access"),
    [
        ("AccessDenied", 403, True),
        ("AccessDeniedException", 403, True),
        ("ExpiredToken", 403, True),
        ("InvalidClientTokenId", 403, True),
        ("KMS.AccessDeniedException", 400, True),
        ("KmsAccessDenied", 400, True),
        ("KmsThrottled", 400, False),
        ("OverLimit", 403, False),
        ("RequestThrottled", 403, False),
        ("InternalFailure", 500, False),
        ("ServiceUnavailable", 503, False),
    ],
)
def test_only_what_a_person_must_mend_is_a_matter_of_access(
    code: str, status: int, *, access: bool
) -> None:
    """Throttling and too many in flight pass, whatever their HTTP status."""
    client = connect("sqs", "http://127.0.0.1:1")
    with Stubber(client) as stub:
        stub.add_client_error("receive_message", code, "m", status)
        with pytest.raises(QueueUnavailableError, match=code) as refused:
            BotoQueue(client, "http://127.0.0.1:1/1/q").receive(10, 0, 60)
    assert refused.value.access is access
    client.close()


def test_a_change_of_visibility_that_is_denied_as_a_whole_is_raised() -> None:
    """No entry has a code of its own then."""
    client = connect("sqs", "http://127.0.0.1:1")
    with Stubber(client) as stub:
        stub.add_client_error("change_message_visibility_batch", "AccessDenied", "m", 403)
        with pytest.raises(QueueUnavailableError, match="ChangeMessageVisibilityBatch") as refused:
            BotoQueue(client, "http://127.0.0.1:1/1/q").change_visibility([("r", 0)])
    assert refused.value.access
    client.close()


def test_a_network_that_is_away_is_no_matter_of_access() -> None:
    """Nobody listens."""
    client = connect("sqs", "http://127.0.0.1:1", connect_timeout=1)
    with pytest.raises(QueueUnavailableError) as refused:
        BotoQueue(client, "http://127.0.0.1:1/1/q").receive(10, 0, 60)
    assert not refused.value.access
    client.close()
