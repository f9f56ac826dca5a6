"""The breaker at work: holds messages back while everything fails, and lets one probe at a time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from worker.loop.breaker import PROBES_HELD, WIDEN_MOST, WIDEN_SECONDS, Breaker

log = structlog.get_logger()


class Outage:
    """Shares one breaker among all messages. `clock` in seconds, `jitter` returns [0, 1)."""

    def __init__(self, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._clock = clock
        self._jitter = jitter
        self._breaker = Breaker()
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._widens_at = 0.0
        self.held = 0
        self.ending = False

    @property
    def is_open(self) -> bool:
        """Tell whether everything fails."""
        return self._breaker.is_open

    @property
    def cause(self) -> str:
        """Return the last fault, in AWS's words; empty while all is well."""
        return self._breaker.cause

    def admits(self, room: int, active: int) -> bool:
        """Tell whether another probe may be received, given so much room and so many at work."""
        if active < PROBES_HELD and room > 0:
            return True
        return room > -WIDEN_MOST and self._clock() >= self._widens_at

    def admitted(self) -> None:
        """Note that another probe is being received."""
        self._widens_at = self._clock() + WIDEN_SECONDS

    def succeeded(self) -> None:
        """Note that S3 did what it was asked."""
        if self.is_open:
            log.warning("outage-over", after_failures=self._breaker.failures)
        self._breaker = self._breaker.succeeded()
        self._changed.set()

    def failed(self, cause: str) -> None:
        """Note a fault that may be everybody's."""
        now, before = self._clock(), self._breaker
        self._breaker = before.failed(now, cause, self._jitter())
        self._changed.set()
        if self.is_open and not before.is_open:
            self._widens_at = now + WIDEN_SECONDS
        if self._breaker.rounds > before.rounds:
            log.error(
                "outage-goes-on" if before.is_open else "outage",
                cause=cause,
                failures_in_a_row=self._breaker.failures,
                next_probe_seconds=round(self._breaker.next_probe - now, 1),
                hint="little is received meanwhile; `worker check` names what is missing",
            )

    async def turn(self) -> bool:
        """Wait until all is well, or it is this message's turn to probe; False: give it up."""
        self.held += 1
        try:
            async with self._turn:
                while self.is_open and not self.ending:
                    wait = self._breaker.next_probe - self._clock()
                    if wait <= 0:
                        self._breaker = self._breaker.probing(self._clock())
                        return True
                    await self._wait(wait)
                return not self.ending
        finally:
            self.held -= 1

    def end(self) -> None:
        """Let go of all that is held: the worker stops."""
        self.ending = True
        self._changed.set()

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until there is news: a probe that failed names a nearer time."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
