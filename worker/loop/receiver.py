"""Receives only what there is room for, and starts it. Open polls always come home."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from worker.errors import AccessLostError
from worker.loop.outage import Outage
from worker.loop.queue_port import Queue, QueueUnavailableError, Received
from worker.loop.workload import Workload

log = structlog.get_logger()

RECEIVE_MOST = 10
"""SQS's limit on one ReceiveMessage."""

RECHECK_SECONDS = 1.0
"""While there is no room, or everything fails, or short polls find nothing: how often to look."""

POLLS_MOST = 8
"""Polls under way at a time while they come back full: one brings ten in every round trip."""

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
"""Between polls that SQS refused; a flood of refusals helps nobody."""

ACCESS_LOST_AFTER_SECONDS = 300.0
"""Refused for so long, we end: a new process begins with fresh credentials (botocore#1840)."""


@dataclass(slots=True, eq=False)
class Receiver:
    """Polls the queue and hands each message on, until cancelled; then `close` it.

    `start` takes a message, the time its poll began, from when its lease counts, and the lease's
    seconds. `wait_seconds` and `visibility` may be replaced while it runs.
    """

    queue: Queue
    start: Callable[[Received, float, int], None]
    workload: Workload
    outages: Sequence[Outage]
    clock: Callable[[], float]
    jitter: Callable[[], float]
    wait_seconds: int
    visibility: int
    polls: int = 0
    _open: dict[asyncio.Task[list[Received]], float] = field(default_factory=dict)
    _helpers: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def polling_since(self) -> float | None:
        """When the oldest open poll began; None while there is none."""
        return min(self._open.values(), default=None)

    async def run(self) -> None:
        """Receive for ever. Raises AccessLostError after minutes of being refused."""
        failures, failing_since = 0, 0.0
        while True:
            most = await self._room()
            began, visibility = self.clock(), self.visibility
            try:
                messages = await self._receive(most, visibility)
            except QueueUnavailableError as error:
                failing_since = failing_since if failures else began
                failures += 1
                await self._back_off(error, failures, began - failing_since)
                continue
            failures = 0
            self._start_all(messages, began, visibility)
            if not messages and self.clock() - began < RECHECK_SECONDS:
                await asyncio.sleep(RECHECK_SECONDS)

    def stop_helping(self) -> None:
        """End all polling but that of `run`, which is cancelled by itself."""
        for helper in self._helpers:
            helper.cancel()

    async def close(self) -> list[Received]:
        """Let open polls come home; return what they brought. Nothing is received after that."""
        self.stop_helping()
        brought = await asyncio.gather(*self._open, return_exceptions=True)
        return [message for each in brought if isinstance(each, list) for message in each]

    async def _help(self) -> None:
        """Poll beside the others for as long as there is plenty."""
        while not any(each.is_open for each in self.outages):
            room = await self.workload.until_room(RECEIVE_MOST, RECHECK_SECONDS, half_will_do=False)
            if room < RECEIVE_MOST:
                continue  # fewer at a time would cost more requests
            began, visibility = self.clock(), self.visibility
            try:
                messages = await self._receive(RECEIVE_MOST, visibility)
            except QueueUnavailableError:
                return  # the first poll meets it, too, and waits
            self._start_all(messages, began, visibility)
            if len(messages) <= RECEIVE_MOST // 2:
                return

    def _start_all(self, messages: Sequence[Received], began: float, visibility: int) -> None:
        """Begin with messages; if there were as many as could be, one more poll is worth it."""
        for message in messages:
            self.start(message, began, visibility)
        if len(messages) == RECEIVE_MOST and len(self._helpers) < POLLS_MOST - 1:
            helper = asyncio.create_task(self._help())
            self._helpers.add(helper)
            helper.add_done_callback(self._helpers.discard)

    async def _room(self) -> int:
        """Wait until something may be received; return how much."""
        while True:
            room = await self.workload.until_room(RECEIVE_MOST, RECHECK_SECONDS)
            opened = [each for each in self.outages if each.is_open]
            if not opened and room > 0:
                return min(RECEIVE_MOST, room)
            if opened and all(each.admits(room, self.workload.active) for each in opened):
                for each in opened:
                    each.admitted()
                return 1
            if opened:
                await asyncio.sleep(RECHECK_SECONDS)

    async def _receive(self, most: int, visibility: int) -> list[Received]:
        poll = asyncio.create_task(self.queue.receive(most, self.wait_seconds, visibility))
        self.polls += 1
        self._open[poll] = self.clock()
        self.workload.reserve(most)
        try:
            messages = await asyncio.shield(poll)
        except QueueUnavailableError:
            del self._open[poll]
            raise
        finally:
            self.workload.reserve(-most)
        del self._open[poll]
        return messages

    async def _back_off(self, error: QueueUnavailableError, failures: int, failing: float) -> None:
        if error.access and failing >= ACCESS_LOST_AFTER_SECONDS:
            raise AccessLostError(
                f"SQS has refused us for {failing:.0f} s: {error};"
                " `worker check` names what is missing"
            ) from error
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * float(1 << min(failures - 1, 16)))
        wait = longest * (0.5 + self.jitter() / 2)
        log.error("receive-failed", error=str(error), failures=failures, next_try_seconds=wait)
        await asyncio.sleep(wait)
