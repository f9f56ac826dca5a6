"""The messages of one standard queue, so kept that every call costs the same at any depth."""

import copy
import heapq
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from worker.demo.embedded.patches import Moto

MAXIMUM_LEASE_SECONDS: Final = 12 * 3600
"""Rule 20: a lease ends 12 hours after the receipt, whatever it is extended by."""

_LONGEST_NAP_SECONDS: Final = 1.0
"""A poller looks up once a second, so that it sees a clock that was set forward."""


class UnknownHandleError(Exception):
    """No message of this queue ever had this receipt handle."""


class MessageGoneError(Exception):
    """The handle's message was deleted, expired or moved to the dead-letter queue."""


class NotInFlightError(Exception):
    """The handle's lease has ended; the message may be received by anyone."""


class LeaseTooLongError(Exception):
    """The extension would pass 12 hours from the receipt."""


class Shelf:
    """Ready messages in order; delayed and leased ones by the time at which they come back.

    `visited` counts the messages that were looked at, ever: the cost of a call, as a number.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._ready: OrderedDict[str, Moto] = OrderedDict()
        self._away: dict[str, tuple[float, Moto]] = {}
        self._delayed: set[str] = set()
        self._returns: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._handles: dict[str, str] = {}
        self._received_at: dict[str, float] = {}
        self._closed = False
        self.visited = 0

    # --- putting in ------------------------------------------------------------------------------

    def add(self, message: Moto) -> None:
        """Put a message in, ready at its `delayed_until` (milliseconds), and wake a poller."""
        with self._changed:
            if message.delayed_until / 1000 > self._clock():
                self._delayed.add(message.id)
                self._send_away(message, message.delayed_until / 1000)
            else:
                self._ready[message.id] = message
            self._changed.notify()

    # --- taking out ------------------------------------------------------------------------------

    def receive(
        self, count: int, lease_seconds: float, wait_seconds: float, is_dead: Callable[[Moto], str]
    ) -> tuple[list[Moto], list[Moto]]:
        """Lease up to `count` messages, waiting up to `wait_seconds` for the first.

        `is_dead` says "move", "drop" or "" of each: the first are returned beside the received
        ones and are no longer here, the second are forgotten. Returns as soon as there is either.
        """
        until = self._clock() + wait_seconds
        with self._changed:
            while True:
                received, moved = self._take(count, lease_seconds, is_dead)
                left = until - self._clock()
                if received or moved or left <= 0 or self._closed:
                    return received, moved
                self._changed.wait(self._nap(left))

    def take_ready(self) -> Moto:
        """Take the oldest ready message out for good, without a receive; None if there is none."""
        with self._changed:
            self._bring_back()
            if not self._ready:
                return None
            _, message = self._ready.popitem(last=False)
            self.visited += 1
            return message

    def delete(self, handle: str) -> None:
        """Delete by the newest handle; with an older one nothing happens, as AWS may do it.

        Raises UnknownHandleError. Deleting again is success.
        """
        with self._changed:
            message = self._find(handle)
            if message is not None and message.receipt_handle == handle:
                self._forget(message)

    def change_visibility(self, handle: str, lease_seconds: float) -> None:
        """Let the lease end `lease_seconds` from now. Raises one of this module's errors."""
        with self._changed:
            message = self._find(handle)
            if message is None:
                raise MessageGoneError
            self._bring_back()
            if message.id not in self._away or message.receipt_handle != handle:
                raise NotInFlightError
            end = self._clock() + lease_seconds
            if end > self._received_at[message.id] + MAXIMUM_LEASE_SECONDS:
                raise LeaseTooLongError
            self._send_away(message, end)
            self._changed.notify()

    def clear(self) -> None:
        """Forget every message: PurgeQueue."""
        with self._changed:
            self._ready.clear()
            self._away.clear()
            self._delayed.clear()
            self._returns.clear()

    def close(self) -> None:
        """Send every poller home: the queue is deleted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # --- looking ---------------------------------------------------------------------------------

    def look_up(self, handle: str) -> Moto:
        """Give the message of a receipt handle, or None. Raises UnknownHandleError."""
        with self._changed:
            return self._find(handle)

    def counts(self) -> tuple[int, int, int]:
        """Count the ready, the leased and the delayed messages."""
        with self._changed:
            self._bring_back()
            delayed = len(self._delayed)
            return len(self._ready), len(self._away) - delayed, delayed

    # --- inside the lock -------------------------------------------------------------------------

    def _take(
        self, count: int, lease_seconds: float, is_dead: Callable[[Moto], str]
    ) -> tuple[list[Moto], list[Moto]]:
        self._bring_back()
        received: list[Moto] = []
        moved: list[Moto] = []
        while self._ready and len(received) < count:
            _, message = self._ready.popitem(last=False)
            self.visited += 1
            fate = is_dead(message)
            if fate == "move":
                moved.append(message)
            elif not fate:
                received.append(self._lease(message, lease_seconds))
        return received, moved

    def _lease(self, message: Moto, lease_seconds: float) -> Moto:
        message.mark_received()
        self._handles[message.receipt_handle] = message.id
        self._received_at[message.id] = self._clock()
        self._send_away(message, self._clock() + lease_seconds)
        return copy.copy(message)

    def _send_away(self, message: Moto, until: float) -> None:
        message.visible_at = until * 1000
        self._away[message.id] = (until, message)
        heapq.heappush(self._returns, (until, next(self._order), message.id))

    def _bring_back(self) -> None:
        """Make ready what is due. An entry whose time was changed since is passed over."""
        now = self._clock()
        while self._returns and self._returns[0][0] <= now:
            until, _, number = heapq.heappop(self._returns)
            self.visited += 1
            if number in self._away and self._away[number][0] == until:
                _, message = self._away.pop(number)
                self._delayed.discard(number)
                self._ready[number] = message

    def _nap(self, left: float) -> float:
        due = self._returns[0][0] - self._clock() if self._returns else left
        return max(0.0, min(left, due, _LONGEST_NAP_SECONDS))

    def _find(self, handle: str) -> Moto:
        """Give the handle's message, or None if it is gone. Raises UnknownHandleError."""
        if handle not in self._handles:
            raise UnknownHandleError
        number = self._handles[handle]
        self.visited += 1
        if number in self._away:
            return self._away[number][1]
        return self._ready.get(number)

    def _forget(self, message: Moto) -> None:
        self._ready.pop(message.id, None)
        self._away.pop(message.id, None)
        self._received_at.pop(message.id, None)
