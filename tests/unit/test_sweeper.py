"""The sweeper: what is silent or idle for too long is closed, no later than its slack, and cheaply.

The connections are plain values; the time is the virtual loop's.
"""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from support import virtual_loop

from worker.aws.http.sweeper import IDLE, IDLE_SECONDS, SILENT, SLACK_SECONDS, Sweeper

RESTS = st.floats(0.0, 30.0)
SCRIPTS = st.lists(st.tuples(RESTS, RESTS), max_size=5)
"""What a connection does: rest for so long after it began, or heard, then wait for an answer."""


@dataclass(eq=False)
class Line:
    """A connection that nobody is at the other end of."""

    heard_at: float
    waits: bool = False
    usable: bool = True
    looks: int = 0
    closed: list[tuple[float, str]] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether a response is awaited; who asks that is counted."""
        self.looks += 1
        return self.waits and not self.closed

    def close(self, why: str = "closed", /) -> None:
        """Note when and why."""
        self.closed.append((asyncio.get_running_loop().time(), why))
        self.usable = False

    async def live(self, script: list[tuple[float, float]]) -> tuple[float, str]:
        """Rest and ask by the script, then rest for ever; return when it was due, and why."""
        loop = asyncio.get_running_loop()
        for rest, answer_after in script:
            await asyncio.sleep(rest)
            if self.closed:
                break
            self.waits, self.heard_at = True, loop.time()
            await asyncio.sleep(answer_after)
            if self.closed:
                break
            self.waits, self.heard_at = False, loop.time()
        await asyncio.sleep(2 * IDLE_SECONDS)
        return self.heard_at, SILENT if self.waits else IDLE


@given(
    lives=st.lists(st.tuples(RESTS, SCRIPTS), min_size=1, max_size=4),
    silence_seconds=st.floats(0.1, 60.0),
)
def test_each_is_closed_when_it_is_due_and_no_later_than_the_slack(
    lives: list[tuple[float, list[tuple[float, float]]]], silence_seconds: float
) -> None:
    """Whatever it and its neighbours do meanwhile; and none is closed early, or twice."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        sweeper = Sweeper(silence_seconds)

        async def one(begins_after: float, script: list[tuple[float, float]]) -> None:
            await asyncio.sleep(begins_after)
            line = Line(loop.time())
            sweeper.watch(line)
            heard_at, why = await line.live(script)
            if not line.closed:  # it waits for an answer still, and may for a while
                await asyncio.sleep(silence_seconds)
            ((at, told),) = line.closed
            limit = silence_seconds if why == SILENT else IDLE_SECONDS
            assert told == why
            assert limit <= at - heard_at + 1e-6
            assert at - heard_at <= limit + SLACK_SECONDS + 1e-6

        await asyncio.gather(*(one(*each) for each in lives))

    virtual_loop.run(main)


def test_an_answer_that_ends_with_its_stream_is_watched_to_its_end() -> None:
    """Such a connection serves nobody else any more; who waits for it must not wait for ever."""

    async def main() -> None:
        silence_seconds = 3 * IDLE_SECONDS
        line = Line(asyncio.get_running_loop().time(), waits=True, usable=False)
        Sweeper(silence_seconds).watch(line)
        await asyncio.sleep(silence_seconds + SLACK_SECONDS)
        assert [why for _, why in line.closed] == [SILENT]

    virtual_loop.run(main)


def test_an_idle_minute_has_a_handful_of_looks() -> None:
    """Three long polls in it: a look about every twenty seconds, not one a second."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        line = Line(loop.time(), waits=True)
        sweeper = Sweeper(30.0)
        sweeper.watch(line)
        for _ in range(3):
            await asyncio.sleep(20.0)
            line.heard_at = loop.time()
        sweeper.close_all()
        assert [why for _, why in line.closed] == ["closed"]
        return line.looks

    assert 1 <= virtual_loop.run(main) <= 4


def test_nothing_to_watch_is_nothing_to_wake_for() -> None:
    """Once all are closed or forgotten the timer rests; the next connection sets it again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        sweeper = Sweeper(30.0)
        first, second = Line(loop.time()), Line(loop.time())
        sweeper.watch(first)
        sweeper.watch(second)
        sweeper.forget(second)
        await asyncio.sleep(3 * IDLE_SECONDS)
        assert (len(first.closed), len(second.closed)) == (1, 0)
        third = Line(loop.time())
        sweeper.watch(third)
        await asyncio.sleep(3 * IDLE_SECONDS)
        assert len(third.closed) == 1

    virtual_loop.run(main)
