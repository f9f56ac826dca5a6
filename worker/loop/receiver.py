"""Receives only what there is room for, and starts it. The open poll always comes home."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

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
    thread: Executor
    start: Callable[[Received, float, int], None]
    workload: Workload
    outages: Sequence[Outage]
    clock: Callable[[], float]
    jitter: Callable[[], float]
    wait_seconds: int
    visibility: int
    polls: int = 0
    polling_since: float | None = None
    _open: asyncio.Future[list[Received]] | None = None

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
            for message in messages:
                self.start(message, began, visibility)
            if not messages and self.clock() - began < RECHECK_SECONDS:
                await asyncio.sleep(RECHECK_SECONDS)

    async def close(self) -> list[Received]:
        """Let the open poll come home; return what it brought. Nothing is received after that."""
        if self._open is None:
            return []
        try:
            return await self._open
        except QueueUnavailableError:
            return []

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
        loop = asyncio.get_running_loop()
        self._open = loop.run_in_executor(
            self.thread, self.queue.receive, most, self.wait_seconds, visibility
        )
        self.polls += 1
        self.polling_since = self.clock()
        try:
            messages = await asyncio.shield(self._open)
        except QueueUnavailableError:
            self._open = self.polling_since = None
            raise
        self._open = self.polling_since = None
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
