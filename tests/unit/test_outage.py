"""The breaker at work: one probe at a time, news heard at once, all let go in the end."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs
from support import virtual_loop

from worker.loop.breaker import LONGEST_WAIT_SECONDS, PROBES_HELD, WIDEN_MOST, WIDEN_SECONDS
from worker.loop.outage import Outage


class World:
    """An outage that has just begun, and messages that wait for their turns."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.outage = Outage(self.loop.time, lambda: 0.5)
        self.probes: list[tuple[float, str]] = []
        self.ended: list[str] = []
        self.fails = True
        self.began = self.loop.time()

    def times(self) -> list[float]:
        """Tell when there was a probe, in seconds."""
        return [at for at, _ in self.probes]

    def open(self) -> None:
        """Let three messages fail."""
        for _ in range(3):
            self.outage.failed("denied")

    async def message(self, name: str, seconds: float = 0.0) -> None:
        """Probe whenever it is its turn, until that succeeds; then, or given up, end."""
        while await self.outage.turn():
            self.probes.append((self.loop.time() - self.began, name))
            await asyncio.sleep(seconds)
            if not self.fails:
                self.outage.succeeded()
                break
            self.outage.failed("denied")
        self.ended.append(name)


def play(scenario: Callable[[World], Awaitable[None]]) -> None:
    """Play a scenario in virtual time."""

    async def main() -> None:
        world = World()
        world.open()
        await scenario(world)

    virtual_loop.run(main)


def test_messages_probe_in_turn_and_further_and_further_apart() -> None:
    """One at a time; each failure's own wait is heard by who comes next."""

    async def scenario(world: World) -> None:
        tasks = [asyncio.create_task(world.message(name)) for name in "abc"]
        await asyncio.sleep(200)
        assert [name for _, name in world.probes[:6]] == list("abcabc")
        times = world.times()
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert times[0] == pytest.approx(0.75)
        assert gaps[:5] == pytest.approx([1.5, 3, 6, 12, 24])
        assert gaps[5:] == pytest.approx([45] * len(gaps[5:]))
        assert world.outage.held == 3
        for task in tasks:
            task.cancel()

    play(scenario)


def test_the_first_success_lets_all_go_at_once() -> None:
    """Nobody waits for a turn any more."""

    async def scenario(world: World) -> None:
        tasks = [asyncio.create_task(world.message(name)) for name in "abcdef"]
        await asyncio.sleep(30)
        world.fails = False
        seen = len(world.probes)
        await asyncio.gather(*tasks)
        healed_at = world.probes[seen][0]
        assert {at for at, _ in world.probes[seen:]} == {healed_at}
        assert sorted(world.ended) == list("abcdef")
        assert world.outage.held == 0
        assert (world.outage.is_open, world.outage.cause) == (False, "")

    play(scenario)


def test_somebody_elses_success_ends_the_waiting() -> None:
    """A message received meanwhile went through: those held need not wait for their probes."""

    async def scenario(world: World) -> None:
        world.fails = False
        task = asyncio.create_task(world.message("a"))
        world.loop.call_later(0.2, world.outage.succeeded)
        await task
        assert world.times() == pytest.approx([0.2])

    play(scenario)


def test_a_probe_that_never_answers_is_followed_by_another() -> None:
    """After a minute the next in line takes a turn."""

    async def scenario(world: World) -> None:
        tasks = [asyncio.create_task(world.message(name, 10_000.0)) for name in "ab"]
        await asyncio.sleep(100)
        assert world.times() == pytest.approx([0.75, 0.75 + LONGEST_WAIT_SECONDS])
        assert [name for _, name in world.probes] == ["a", "b"]
        for task in tasks:
            task.cancel()

    play(scenario)


def test_the_end_lets_go_of_all_that_is_held() -> None:
    """The worker stops: each is given up, at once, and later ones as well."""

    async def scenario(world: World) -> None:
        tasks = [asyncio.create_task(world.message(name)) for name in "abcdef"]
        await asyncio.sleep(0.1)
        world.outage.end()
        await asyncio.wait_for(asyncio.gather(*tasks), 0.01)
        assert world.probes == []
        assert not await world.outage.turn()

    play(scenario)


def test_who_is_cancelled_is_held_no_more_and_blocks_nobody() -> None:
    """The one at the head of the line goes; the next takes its place."""

    async def scenario(world: World) -> None:
        tasks = [asyncio.create_task(world.message(name)) for name in "ab"]
        await asyncio.sleep(0.1)
        tasks[0].cancel()
        await asyncio.sleep(1)
        assert world.outage.held == 1
        assert world.times() == pytest.approx([0.75])
        assert world.probes[0][1] == "b"
        tasks[1].cancel()

    play(scenario)


def test_few_probes_are_admitted_at_once_and_then_one_a_minute() -> None:
    """Also beside a full house, up to a bound."""

    async def scenario(world: World) -> None:
        outage = world.outage
        assert all(outage.admits(32 - active, active) for active in range(PROBES_HELD))
        assert not outage.admits(32 - PROBES_HELD, PROBES_HELD)
        await asyncio.sleep(WIDEN_SECONDS)
        assert outage.admits(0, 32)
        assert not outage.admits(-WIDEN_MOST, 32 + WIDEN_MOST)
        outage.admitted()
        assert not outage.admits(0, 32)
        await asyncio.sleep(WIDEN_SECONDS)
        assert outage.admits(-1, 33)

    play(scenario)


def test_the_log_names_the_cause_once_a_probe() -> None:
    """A hundred messages that fail together make one line, not a hundred."""

    async def scenario(world: World) -> None:
        for _ in range(100):
            world.outage.failed("denied")
        task = asyncio.create_task(world.message("a"))
        await asyncio.sleep(3)
        world.fails = False
        await task

    with capture_logs() as logs:
        play(scenario)
    assert [line["event"] for line in logs] == [
        "outage",
        "outage-goes-on",
        "outage-goes-on",
        "outage-over",
    ]
    assert logs[0]["cause"] == "denied"
