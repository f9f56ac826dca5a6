"""Batches: sent when full, when nothing more can come, or in time; answers by position."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import virtual_loop

from worker.loop.batch import LINGER_SECONDS, Batch
from worker.loop.workload import Workload


class World:
    """A batch that multiplies by ten, and the workload it listens to. Calls take a second."""

    def __init__(self, most: int = 3) -> None:
        self.loop = asyncio.get_running_loop()
        self.sent: list[tuple[float, list[int]]] = []
        self.workload = Workload(lambda: 100)
        self.batch: Batch[int, int] = Batch(self.send, most, self.workload)
        self.error: Exception | None = None
        self.began = self.loop.time()

    async def send(self, items: Sequence[int]) -> Sequence[int]:
        """Answer after a second, or raise."""
        self.sent.append((self.loop.time() - self.began, list(items)))
        await asyncio.sleep(1)
        if self.error:
            raise self.error
        return [item * 10 for item in items]

    async def work(self, item: int, seconds: float = 0.0) -> int:
        """Be at work for a while, then put an item into the batch."""
        self.workload.enter()
        try:
            await asyncio.sleep(seconds)
            return await self.batch.add(item)
        finally:
            self.workload.leave()


def play(scenario: Callable[[World], Awaitable[None]], most: int = 3) -> None:
    """Play a scenario in virtual time; at its end nothing is counted any more."""

    async def main() -> None:
        world = World(most)
        await scenario(world)
        assert (world.workload.active, world.workload.parked) == (0, 0)

    virtual_loop.run(main)


def test_a_full_batch_goes_at_once() -> None:
    """The third of three sends them, though others are still at work."""

    async def scenario(world: World) -> None:
        busy = asyncio.create_task(world.work(9, 50))
        answers = await asyncio.gather(*(world.work(item) for item in (1, 2, 3)))
        assert answers == [10, 20, 30]
        assert world.sent == [(0, [1, 2, 3])]
        assert await busy == 90

    play(scenario)


def test_a_batch_goes_when_nobody_is_at_work_any_more() -> None:
    """Alone on an idle worker: no waiting for company that cannot come."""

    async def scenario(world: World) -> None:
        assert await world.work(1) == 10
        assert world.sent == [(0, [1])]

    play(scenario)


def test_a_batch_lingers_while_others_are_at_work() -> None:
    """Company may come; after a while it goes without."""

    async def scenario(world: World) -> None:
        busy = asyncio.create_task(world.work(9, 50))
        assert await world.work(1) == 10
        assert world.sent == [(LINGER_SECONDS, [1])]
        await busy

    play(scenario)


def test_the_wait_begins_with_the_first_of_a_batch() -> None:
    """A second item does not prolong it; the next batch has a wait of its own."""

    async def scenario(world: World) -> None:
        busy = asyncio.create_task(world.work(9, 50))
        first = [
            asyncio.create_task(world.work(1)),
            asyncio.create_task(world.work(2, LINGER_SECONDS * 0.9)),
            asyncio.create_task(world.work(3, LINGER_SECONDS * 1.1)),
        ]
        await asyncio.gather(*first, busy)
        assert [items for _, items in world.sent] == [[1, 2], [3], [9]]
        assert world.sent[1][0] == pytest.approx(LINGER_SECONDS * 2.1)

    play(scenario)


def test_an_error_reaches_everybody_who_waits() -> None:
    """And leaves nobody counted as waiting."""

    async def scenario(world: World) -> None:
        world.error = ConnectionError("gone")
        works = [world.work(item) for item in (1, 2)]
        ended = await asyncio.gather(*works, return_exceptions=True)
        assert ended == [world.error, world.error]

    play(scenario)


def test_a_wrong_number_of_answers_leaves_nobody_waiting() -> None:
    """A sender's own slip is an error, too."""

    async def scenario(world: World) -> None:
        async def send(_: Sequence[int]) -> Sequence[int]:
            return [1]

        batch: Batch[int, int] = Batch(send, 2, world.workload)
        world.batch = batch
        works = [world.work(item) for item in (1, 2)]
        ended = await asyncio.wait_for(asyncio.gather(*works, return_exceptions=True), 5)
        assert [type(each) for each in ended] == [ValueError, ValueError]

    play(scenario)


def test_who_stops_waiting_is_no_longer_counted_and_the_others_get_their_answers() -> None:
    """One of three is cancelled while the call is under way, another before it."""

    async def scenario(world: World) -> None:
        busy = asyncio.create_task(world.work(9, 5))
        works = [asyncio.create_task(world.work(item)) for item in (1, 2)]
        await asyncio.sleep(LINGER_SECONDS / 2)
        works[0].cancel()
        await asyncio.sleep(LINGER_SECONDS)
        works[1].cancel()
        await asyncio.sleep(0)
        assert await world.work(3) == 30
        assert await busy == 90
        assert all(work.cancelled() for work in works)

    play(scenario)


@settings(deadline=None, max_examples=60)
@given(
    most=st.integers(1, 12),
    works=st.lists(st.floats(0, 5), min_size=1, max_size=60),
    cancelled=st.sets(st.integers(0, 59), max_size=5),
)
def test_everybody_gets_the_answer_to_their_own_item(
    most: int, works: list[float], cancelled: set[int]
) -> None:
    """In calls of at most `most`, each item once, none later than the linger after its turn."""

    async def scenario(world: World) -> None:
        tasks = [
            asyncio.create_task(world.work(item, seconds)) for item, seconds in enumerate(works)
        ]
        await asyncio.sleep(0.5)
        for number in cancelled & set(range(len(tasks))):
            tasks[number].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for item, (task, answer) in enumerate(zip(tasks, ended, strict=True)):
            assert task.cancelled() or answer == item * 10
        sent = [item for _, items in world.sent for item in items]
        assert len(sent) == len(set(sent))
        assert all(len(items) <= most for _, items in world.sent)
        for at, items in world.sent:
            assert all(at - works[item] <= LINGER_SECONDS + 1e-6 for item in items)

    play(scenario, most)
