"""Settling at the queue: by position, and only SQS's own faults are tried again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs
from support import virtual_loop
from support.queue_twin import QueueTwin, SlowQueue

from worker.loop.queue_port import QueueUnavailableError
from worker.loop.settle import MAX_TRIES, Settle
from worker.loop.workload import Workload

GONE = QueueUnavailableError("DeleteMessageBatch", "timeout", access=False)


class World:
    """A queue with messages in hand, and what settles them."""

    def __init__(self, visibility: int = 120) -> None:
        self.loop = asyncio.get_running_loop()
        self.twin = QueueTwin(self.loop.time)
        self.workload = Workload(lambda: 100)
        queue = SlowQueue(self.twin, lambda _: 0.1)
        self.settle = Settle(queue, self.workload, visibility)

    def receive(self, count: int) -> list[str]:
        """Receive so many messages; return their receipts."""
        receipts: list[str] = []
        for _ in range(count):
            self.twin.send("body")
            self.workload.enter()
            receipts += [each.receipt for each in self.twin.take(1, 120)]
        return receipts


def play(scenario: Callable[[World], Awaitable[None]]) -> None:
    """Play a scenario in virtual time."""

    async def main() -> None:
        await scenario(World())

    virtual_loop.run(main)


def test_rule_20_acknowledgements_travel_by_tens_and_each_finds_its_answer() -> None:
    """25 messages, three of them refused: those stay, and each refusal is logged."""

    async def scenario(world: World) -> None:
        receipts = world.receive(25)
        refused = {receipts[3], receipts[11], receipts[24]}
        world.twin.refusal = lambda _, receipt: (
            "ReceiptHandleIsInvalid" if receipt in refused else None
        )
        await asyncio.gather(*map(world.settle.acknowledge, receipts))
        left = {message.receipt for message in world.twin.messages.values()}
        assert left == refused
        assert world.twin.counts["delete"] == 3

    with capture_logs() as logs:
        play(scenario)
    assert [line["event"] for line in logs] == ["acknowledge-refused"] * 3


def test_only_what_sqs_failed_by_itself_is_tried_again() -> None:
    """InternalError once for two of ten: a second call with those two, after a pause."""

    async def scenario(world: World) -> None:
        receipts = world.receive(10)
        failing = {receipts[2], receipts[7]}
        asked: list[tuple[float, str]] = []

        def refusal(_: str, receipt: str) -> str | None:
            asked.append((world.loop.time(), receipt))
            if receipt in failing:
                failing.remove(receipt)
                return "InternalError"
            return None

        world.twin.refusal = refusal
        await asyncio.gather(*map(world.settle.acknowledge, receipts))
        assert not world.twin.messages
        assert [receipt for _, receipt in asked[10:]] == [receipts[2], receipts[7]]
        assert asked[10][0] - asked[9][0] > 0.2

    play(scenario)


def test_an_entry_that_fails_for_ever_is_given_up() -> None:
    """After a few tries it comes back by itself; nobody waits for ever."""

    async def scenario(world: World) -> None:
        (receipt,) = world.receive(1)
        world.twin.refusal = lambda _, __: "InternalError"
        await asyncio.wait_for(world.settle.acknowledge(receipt), 30)
        assert world.twin.counts["delete"] == MAX_TRIES

    play(scenario)


def test_a_queue_out_of_reach_is_tried_again_and_then_raised_to_all() -> None:
    """Each who waits learns that the queue was not there."""

    async def scenario(world: World) -> None:
        receipts = world.receive(3)
        world.twin.fault = lambda _: GONE
        works = map(world.settle.acknowledge, receipts)
        ended = await asyncio.gather(*works, return_exceptions=True)
        assert ended == [GONE] * 3
        assert world.twin.counts["delete"] == MAX_TRIES

    play(scenario)


def test_a_queue_that_comes_back_is_no_failure() -> None:
    """The third try succeeds."""

    async def scenario(world: World) -> None:
        (receipt,) = world.receive(1)
        world.twin.fault = lambda _: GONE if world.twin.counts["delete"] < 3 else None
        await world.settle.acknowledge(receipt)
        assert not world.twin.messages

    play(scenario)


def test_a_release_sets_each_messages_own_seconds() -> None:
    """Two messages, two waits, one call."""

    async def scenario(world: World) -> None:
        first, second = world.receive(2)
        await asyncio.gather(world.settle.release(first, 0), world.settle.release(second, 60))
        assert [change[1:] for change in world.twin.visibility_changes] == [
            (first, 0),
            (second, 60),
        ]
        assert world.twin.counts["change_visibility"] == 1

    play(scenario)


@pytest.mark.parametrize(("visibility", "longest"), [(1, 0.25), (2, 0.5), (120, 1.0)])
def test_a_verdict_does_not_wait_out_a_short_lease(visibility: int, longest: float) -> None:
    """Its lease has ended: the batch lingers for a quarter of it at most."""

    async def main() -> None:
        world = World(visibility)
        (receipt,) = world.receive(1)
        world.workload.enter()  # somebody else is at work, so that there is a reason to linger
        began = world.loop.time()
        await world.settle.acknowledge(receipt)
        assert world.loop.time() - began == pytest.approx(longest + 0.1)

    virtual_loop.run(main)
