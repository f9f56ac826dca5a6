"""The workload: room, its limit in patience, and the call when nothing is at work any more."""

import asyncio

import pytest
from support import virtual_loop

from worker.loop.workload import PARKED_MAX, Workload


def test_room_is_taken_at_once_and_given_back() -> None:
    """Entering counts before any task has run; parking gives the room to others."""
    workload = Workload(lambda: 3)
    workload.enter()
    workload.enter()
    assert workload.room == 1
    workload.park()
    assert (workload.room, workload.active, workload.parked) == (2, 1, 1)
    workload.unpark(1)
    workload.leave()
    workload.leave()
    assert (workload.room, workload.active, workload.parked) == (3, 0, 0)


def test_quiet_is_told_to_every_batch_each_time() -> None:
    """When the last one leaves or parks, and not before."""
    workload, told = Workload(lambda: 3), []
    workload.when_quiet(lambda: told.append("a"))
    workload.when_quiet(lambda: told.append("b"))
    workload.enter()
    workload.enter()
    workload.leave()
    assert not told
    workload.park()
    assert told == ["a", "b"]
    workload.unpark(1)
    workload.leave()
    assert told == ["a", "b"] * 2


def test_too_many_parked_leave_no_room() -> None:
    """A bound on memory, should a batch never come home."""
    workload = Workload(lambda: 3)
    for _ in range(PARKED_MAX):
        workload.enter()
        workload.park()
    assert workload.room == 0


@pytest.mark.parametrize(
    ("limit", "active", "seconds", "room"),
    [
        (32, 0, 0, 32),  # idle
        (32, 22, 0, 10),  # a whole receive fits
        (32, 23, 1, 9),  # patience, then what there is
        (4, 2, 0, 2),  # half of a small house
        (4, 3, 1, 1),
        (1, 0, 0, 1),
        (4, 4, 1, 0),  # full: told after all, so that the caller looks around
    ],
)
def test_waiting_for_room_takes_patience_and_no_more(
    limit: int, active: int, seconds: float, room: int
) -> None:
    """For ten or half of all places; then any room will do."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        workload = Workload(lambda: limit)
        for _ in range(active):
            workload.enter()
        began = loop.time()
        assert await workload.until_room(10, 1.0) == room
        assert loop.time() - began == seconds

    virtual_loop.run(main)


def test_room_that_comes_while_waiting_is_seen_at_once() -> None:
    """The tenth place is free after 300 ms."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        workload = Workload(lambda: 32)
        for _ in range(25):
            workload.enter()
        for number in range(1, 4):
            loop.call_later(number / 10, workload.leave)
        began = loop.time()
        assert await workload.until_room(10, 1.0) == 10
        assert loop.time() - began == pytest.approx(0.3)

    virtual_loop.run(main)


def test_a_stop_is_not_lost_to_news_of_the_same_moment() -> None:
    """Cancelled in the very turn in which room was made: it ends, and does not go on."""

    async def main() -> None:
        workload = Workload(lambda: 2)
        workload.enter()
        workload.enter()
        waiting = asyncio.create_task(workload.until_room(2, 60.0))
        await asyncio.sleep(1)
        workload.leave()
        workload.leave()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    virtual_loop.run(main)
