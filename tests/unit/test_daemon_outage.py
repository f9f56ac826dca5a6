"""When S3 or SQS refuses everything: nobody's message is used up, and all goes on when it is over.

All in virtual time; a "receipt" is one of the deliveries that the redrive policy counts.
"""

import asyncio
from collections.abc import Callable

import pytest
from support.daemon_world import DENIED, World, play

from worker.core.port import CopyObject, DeleteObject, DeleteObjects, Fault, FaultKind, Request
from worker.errors import AccessLostError
from worker.loop.queue_port import QueueUnavailableError

HOUR = 3600.0
UNREACHABLE = Fault(FaultKind.UNAVAILABLE, "CopyObject", "ConnectTimeoutError")
SLOW_DOWN = Fault(FaultKind.THROTTLED, "CopyObject", "SlowDown")
NOT_SIGNED = Fault(FaultKind.ACCESS, "CopyObject", "ExpiredToken")


def receipts(world: World) -> int:
    """Return the most receipts that any message has used."""
    every = [*world.sqs.messages.values(), *world.sqs.dead.values()]
    return max((each.receive_count for each in every), default=0)


def poisoned(*names: str) -> Callable[[Request], Fault | None]:
    """Script: these files alone cannot be copied (their KMS key is denied)."""

    def fault(request: Request) -> Fault | None:
        is_bad = isinstance(request, CopyObject) and request.source.key[8:] in names
        return DENIED if is_bad else None

    return fault


@pytest.mark.parametrize(
    "fault", [DENIED, UNREACHABLE, SLOW_DOWN, NOT_SIGNED], ids=lambda fault: fault.code
)
def test_an_outage_of_hours_uses_up_no_message(fault: Fault) -> None:
    """200 messages, hours of failure: few receipts, no dead letters; then all are moved."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: fault
        for number in range(200):
            world.upload(f"{number}")
        await asyncio.sleep(2 * HOUR)
        assert not world.sqs.dead
        assert receipts(world) <= 3
        assert world.daemon.facts()["outage"] == str(fault)
        world.s3.fault = lambda _: None
        await world.until_empty(within_seconds=300)
        assert not world.sqs.dead
        assert all(world.is_moved(f"{number}") for number in range(200))
        assert world.daemon.facts()["outage"] is None

    play(scenario)


def test_an_outage_costs_few_requests_a_minute() -> None:
    """One probe at a time and one more message a minute; what is in hand changes nothing."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: DENIED
        for number in range(200):
            world.upload(f"{number}")
        await asyncio.sleep(HOUR)
        before = len(world.s3.asked)
        await asyncio.sleep(HOUR)
        assert 50 <= len(world.s3.asked) - before <= 180

    play(scenario)


def test_a_short_outage_is_over_within_seconds() -> None:
    """However many failed together, the first probes come after one, two, four seconds."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: UNREACHABLE
        for number in range(32):
            world.upload(f"{number}")
        await asyncio.sleep(3)
        world.s3.fault = lambda _: None
        await world.until(lambda: world.daemon.facts()["outage"] is None, within_seconds=5)

    play(scenario)


def test_one_poisoned_object_blocks_nobody_and_ends_in_the_dead_letter_queue() -> None:
    """A denied KMS key: its message alone is used up, all others are moved meanwhile."""

    async def scenario(world: World) -> None:
        world.s3.fault = poisoned("bad")
        bad = world.upload("bad")
        for number in range(600):
            world.upload(f"{number}")
            await asyncio.sleep(2)
        await asyncio.sleep(60)
        assert all(world.is_moved(f"{number}") for number in range(600))
        assert set(world.sqs.dead) == {bad}
        assert world.sqs.dead[bad].receive_count == 5

    play(scenario)


@pytest.mark.parametrize("bad", [3, 10, 40])
def test_many_poisoned_objects_do_not_keep_a_good_one_back(bad: int) -> None:
    """All that is held fails, and yet one more is tried each minute: a good one ends it."""
    names = [f"bad-{number}" for number in range(bad)]

    async def scenario(world: World) -> None:
        world.s3.fault = poisoned(*names)
        for name in names:
            world.upload(name)
        await asyncio.sleep(60)
        world.upload("good")
        await world.until(lambda: world.is_moved("good"), within_seconds=20 * 60)

    play(scenario)


def test_files_that_go_on_arriving_bring_all_the_poisoned_ones_to_an_end() -> None:
    """Ten bad ones and a file a minute: the good are moved, the bad are dead letters."""
    names = [f"bad-{number}" for number in range(10)]

    async def scenario(world: World) -> None:
        world.s3.fault = poisoned(*names)
        for name in names:
            world.upload(name)
        for number in range(300):
            world.upload(f"{number}")
            await asyncio.sleep(60)
        await asyncio.sleep(600)
        assert len(world.sqs.dead) == len(names)
        assert not world.sqs.messages

    play(scenario)


def test_a_held_message_outlives_the_longest_lease() -> None:
    """12 hours of outage end every lease; the message is taken up again, with its newer receipt."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: DENIED
        for name in "abc":
            world.upload(name)
        await asyncio.sleep(30 * HOUR)
        assert receipts(world) <= 5
        assert not world.sqs.dead
        world.s3.fault = lambda _: None
        await world.until_empty(within_seconds=900)
        assert all(world.is_moved(name) for name in "abc")

    play(scenario)


def test_messages_that_cannot_be_acknowledged_are_held_as_well() -> None:
    """`sqs:DeleteMessage` is denied: files are moved, no message dies of it, no watchdog bites."""

    async def scenario(world: World) -> None:
        denied = QueueUnavailableError("DeleteMessageBatch", "AccessDenied", access=True)
        world.sqs.fault = lambda operation: denied if operation == "delete" else None
        for number in range(200):
            world.upload(f"{number}")
        await asyncio.sleep(2 * HOUR)
        assert not world.sqs.dead
        assert receipts(world) <= 3
        assert "DeleteMessageBatch" in str(world.daemon.facts()["outage"])
        assert world.daemon.is_stalled() is None
        world.sqs.fault = lambda _: None
        await world.until_empty(within_seconds=600)
        assert all(world.is_moved(f"{number}") for number in range(200))

    play(scenario)


def test_deletes_of_sources_that_are_refused_use_up_no_message() -> None:
    """`s3:DeleteObject` is denied: copies succeed, sources stay, and messages wait."""

    async def scenario(world: World) -> None:
        def fault(request: Request) -> Fault | None:
            return DENIED if isinstance(request, DeleteObject | DeleteObjects) else None

        world.s3.fault = fault
        for number in range(50):
            world.upload(f"{number}")
        await asyncio.sleep(2 * HOUR)
        assert not world.sqs.dead
        assert receipts(world) <= 3
        world.s3.fault = lambda _: None
        await world.until_empty(within_seconds=600)
        assert all(world.is_moved(f"{number}") for number in range(50))

    play(scenario)


def test_lost_credentials_end_a_worker_whose_hands_are_full() -> None:
    """All places hold failing messages: SQS is asked all the same, and its refusals count."""

    async def scenario(world: World) -> None:
        for number in range(100):
            world.upload(f"{number}")
        await asyncio.sleep(0.1)
        expired = QueueUnavailableError("any", "ExpiredToken", access=True)
        world.s3.fault = lambda _: NOT_SIGNED
        world.sqs.fault = lambda _: expired
        await asyncio.sleep(HOUR)

    with pytest.raises(AccessLostError, match="ExpiredToken"):
        play(scenario)


def test_a_worker_that_waits_for_an_outage_is_not_stalled() -> None:
    """The watchdog leaves it alone; a move without any answer for 15 minutes is another matter."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: DENIED
        for number in range(40):
            world.upload(f"{number}")
        for _ in range(12):
            await asyncio.sleep(600)
            assert world.daemon.is_stalled() is None
        world.s3.fault = lambda _: None
        await world.until_empty(600)
        world.s3.latency = lambda _: 10_000.0
        world.upload("hung")
        await asyncio.sleep(800)
        assert world.daemon.is_stalled() is None
        await asyncio.sleep(200)
        assert world.daemon.is_stalled() == "the work"
        world.stop.request_abort()

    play(scenario)


def test_a_poll_that_never_comes_home_is_a_stall() -> None:
    """Two minutes are more than a poll and its read time-out take together."""

    async def scenario(world: World) -> None:
        world.queue.latency = lambda _: 100_000.0
        await asyncio.sleep(100)
        assert world.daemon.is_stalled() is None
        await asyncio.sleep(60)
        assert world.daemon.is_stalled() == "the poll"
        world.stop.request_abort()

    play(scenario)
