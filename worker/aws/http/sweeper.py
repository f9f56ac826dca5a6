"""Closes connections that have been silent, or idle, for too long; rests until one may be."""

import asyncio
from typing import Protocol

SLACK_SECONDS = 1.0
"""Those due so close together are closed together; none is timed on its own."""

IDLE_SECONDS = 20.0
"""An idle connection is closed before S3, a NAT or a firewall forgets it."""

SILENT = "silent for too long"
IDLE = "idle for too long"


class Watched(Protocol):
    """A connection as the sweeper sees it. `heard_at`: when it last asked or heard something."""

    heard_at: float
    usable: bool

    @property
    def busy(self) -> bool:
        """Whether a response is awaited."""

    def close(self, why: str = ..., /) -> None:
        """End the connection."""


class Sweeper:
    """Watches connections of one event loop, by its clock. Times in seconds.

    A busy connection is closed after `silence_seconds` without a byte, an idle one after
    IDLE_SECONDS; either at most SLACK_SECONDS late.
    """

    def __init__(self, silence_seconds: float) -> None:
        self._silence_seconds = silence_seconds
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, connection: Watched) -> None:
        """Look after a connection until it is forgotten or closed."""
        self._watched.add(connection)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._rest(loop, self._soonest(loop.time()))

    def forget(self, connection: Watched) -> None:
        """Look after it no more."""
        self._watched.discard(connection)

    def close_all(self) -> None:
        """Close all connections; who waits for a response is told."""
        if self._timer:
            self._timer.cancel()
        for connection in self._watched:
            connection.close()
        self._watched.clear()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        wake_at = self._soonest(now)
        for connection in tuple(self._watched):
            limit = self._silence_seconds if connection.busy else IDLE_SECONDS
            due = connection.heard_at + limit
            if due <= now:
                connection.close(SILENT if connection.busy else IDLE)
            if connection.usable or connection.busy:
                wake_at = min(wake_at, due)
            else:
                self.forget(connection)
        self._timer = None
        if self._watched:
            self._rest(loop, max(wake_at, now + SLACK_SECONDS))

    def _soonest(self, now: float) -> float:
        """Return when a connection that asks, or is answered, after `now` could be due."""
        return now + min(self._silence_seconds, IDLE_SECONDS)

    def _rest(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        self._timer = loop.call_at(until, self._sweep, loop)
