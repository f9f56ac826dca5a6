"""How much is under way: room for more, and when a batch has nothing left to wait for."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

PARKED_MAX = 1_000
"""Messages that may wait in batches besides those being moved; a bound on memory, far off."""


class Workload:
    """Counts the messages being moved (`active`) and those that wait in a batch (`parked`).

    A message in a batch takes no room: its copy is done. When nothing is active any more, no batch
    will grow, so all of them are sent at once.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._flushes: list[Callable[[], None]] = []
        self._changed = asyncio.Event()
        self.active = 0
        self.parked = 0
        self.reserved = 0

    def when_quiet(self, flush: Callable[[], None]) -> None:
        """Call `flush` whenever nothing is active any more."""
        self._flushes.append(flush)

    def enter(self) -> None:
        """Take room for one message, before its task has had a turn: the receiver counts on it."""
        self.active += 1

    def leave(self) -> None:
        """Give a message's room back for good."""
        self.active -= 1
        self._changed.set()
        if self.active == 0:
            for flush in self._flushes:
                flush()

    def reserve(self, messages: int) -> None:
        """Keep room for what an open poll may bring; less than 0 gives it back."""
        self.reserved += messages
        if messages < 0:
            self._changed.set()

    def park(self) -> None:
        """Give a message's room back while it waits in a batch."""
        self.parked += 1
        self.leave()

    def unpark(self, messages: int) -> None:
        """Take messages up again, all of a batch at once: together they may fill the next one."""
        self.parked -= messages
        self.active += messages

    @property
    def room(self) -> int:
        """How many more messages may be received now."""
        return 0 if self.parked >= PARKED_MAX else self._limit() - self.active - self.reserved

    async def until_room(
        self, wanted: int, patience_seconds: float, *, half_will_do: bool = True
    ) -> int:
        """Wait until there is room for `wanted` messages or for half of all; return the room.

        After `patience_seconds` any room will do, even none: a few slow moves must not keep the
        free places empty, and the limit may have grown by time alone.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                half = (self._limit() + 1) // 2 if half_will_do else wanted
                while self.room < min(wanted, half):
                    self._changed.clear()
                    await self._changed.wait()
        return self.room
