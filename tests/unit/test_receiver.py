"""The receiver: asks for what there is room for, and backs off."""

import asyncio
import itertools

import pytest
from support.receiver_world import DENIED, GONE, World, play

from worker.errors import AccessLostError
from worker.loop.receiver import (
    ACCESS_LOST_AFTER_SECONDS,
    LONGEST_WAIT_SECONDS,
    POLLS_MOST,
)


def test_it_stops_receiving_when_the_house_is_full() -> None:
    """32 places: three tens, then two, and no more polls until there is room."""

    async def scenario(world: World) -> None:
        for _ in range(100):
            world.twin.send("body")
        await asyncio.sleep(30)
        assert len(world.started) == 32
        assert [most for _, most in world.queue.asked] == [10, 10, 10, 2]
        for _ in range(10):
            world.workload.leave()
        await asyncio.sleep(1)
        assert [most for _, most in world.queue.asked[4:]] == [10]

    play(scenario)


def test_plenty_is_received_by_several_polls_at_a_time() -> None:
    """A thousand messages, a tenth of a second a poll: eight at a time, not one by one."""

    async def scenario(world: World) -> None:
        world.most = 2_000
        for _ in range(1_000):
            world.twin.send("body")
        most_open = 0
        while len(world.started) < 1_000:
            await asyncio.sleep(0.01)
            most_open = max(most_open, len(world.receiver._open))  # noqa: SLF001 - those under way
        assert most_open == POLLS_MOST
        assert world.loop.time() - world.began < 1_000 / 10 * 0.1 / (POLLS_MOST / 2)
        assert len(world.queue.asked) <= 100 + POLLS_MOST

    play(scenario)


def test_after_a_backlog_one_poll_is_left() -> None:
    """The others come home empty and are not sent out again: three polls a minute."""

    async def scenario(world: World) -> None:
        world.most = 2_000
        for _ in range(500):
            world.twin.send("body")
        await asyncio.sleep(60)
        before = len(world.queue.asked)
        await asyncio.sleep(60)
        assert len(world.queue.asked) - before == 3

    play(scenario)


@pytest.mark.parametrize("most", [1, 9, 10, 16, 19, 55])
def test_open_polls_keep_their_room(most: int) -> None:
    """However many there are, they never bring more than there is room for, and none spins."""

    async def scenario(world: World) -> None:
        world.most = most
        for _ in range(500):
            world.twin.send("body")
        await asyncio.sleep(30)
        assert len(world.started) == most

    play(scenario)


def test_a_lease_counts_from_the_polls_beginning() -> None:
    """SQS hands out somewhere in between: earlier is the safe guess."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(5)
        world.twin.send("body")
        world.receiver.visibility = 30  # a reload: it is about the next poll
        await asyncio.sleep(1)
        world.twin.send("body")
        await asyncio.sleep(1)
        (_, first, old), (_, second, new) = world.started
        assert (first, old) == (world.began, 120)
        assert second - world.began == pytest.approx(5.05)
        assert new == 30

    play(scenario)


def test_refusals_are_answered_by_waiting_longer_each_time() -> None:
    """Half a second, one, two … and 30 s at most; one success begins anew."""

    async def scenario(world: World) -> None:
        world.twin.fault = lambda _: GONE
        await asyncio.sleep(200)
        times = world.asked()
        waits = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert waits[:6] == pytest.approx([0.55, 1.05, 2.05, 4.05, 8.05, 16.05])
        assert max(waits) == pytest.approx(LONGEST_WAIT_SECONDS + 0.05)
        world.twin.fault = lambda _: None
        await asyncio.sleep(60)
        world.twin.fault = lambda _: GONE
        seen = len(world.asked())
        await asyncio.sleep(21)
        assert len(world.asked()) > seen + 1

    play(scenario)


def test_access_that_is_refused_for_five_minutes_ends_it() -> None:
    """Not sooner, and not for a network that is away for hours."""

    async def scenario(world: World) -> None:
        world.twin.fault = lambda _: GONE
        await asyncio.sleep(3600)
        assert not world.running.done()
        world.twin.fault = lambda _: None
        await asyncio.sleep(60)
        refused_at = world.loop.time()
        world.twin.fault = lambda _: DENIED
        with pytest.raises(AccessLostError, match="AccessDenied"):
            await world.running
        assert world.loop.time() - refused_at >= ACCESS_LOST_AFTER_SECONDS

    play(scenario)


@pytest.mark.parametrize("opened", [(0,), (1,), (0, 1)])
def test_an_outage_of_either_kind_lets_few_in_and_then_one_a_minute(opened: tuple[int]) -> None:
    """One at a time: three at once, and another each minute as long as it lasts."""

    async def scenario(world: World) -> None:
        for number in opened:
            for _ in range(3):
                world.outages[number].failed("denied")
        for _ in range(100):
            world.twin.send("body")
        await asyncio.sleep(10)
        assert len(world.started) == 3
        await asyncio.sleep(600)
        assert 11 <= len(world.started) <= 14
        assert {most for _, most in world.queue.asked} == {1}
        for number in opened:
            world.outages[number].succeeded()
        await asyncio.sleep(10)
        assert len(world.started) == 32

    play(scenario)


def test_it_tells_since_when_a_poll_is_open() -> None:
    """For the watchdog; None while there is none."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(5)
        since = world.receiver.polling_since
        assert since == world.began
        world.twin.fault = lambda _: GONE
        await asyncio.sleep(16)
        assert world.receiver.polling_since is None
        assert world.receiver.polls >= 2

    play(scenario)
