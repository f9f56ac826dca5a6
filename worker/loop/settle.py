"""Carries verdicts out at the queue, in batches: acknowledge, or release for another try."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from worker.loop.batch import LINGER_SECONDS, Batch
from worker.loop.queue_port import OWN_FAULTS, Queue, QueueUnavailableError
from worker.loop.workload import Workload

log = structlog.get_logger()

BATCH_MOST = 10
"""SQS's limit on the entries of one call."""

MAX_TRIES = 4
"""Then the message comes back, and its move is found done."""

LONGEST_WAIT_SECONDS = 2.0

OWN_FAULT_WAIT_SECONDS = 0.2
"""Before an entry that SQS failed by itself is tried again; the wait grows by as much each time."""

Item = TypeVar("Item")


class Settle:
    """Acknowledges and releases messages; raises QueueUnavailableError when SQS does not answer.

    `visibility` is the leases' seconds: a verdict's own lease has ended, so it must not wait long.
    """

    def __init__(self, queue: Queue, workload: Workload, visibility: int) -> None:
        linger = min(LINGER_SECONDS, visibility / 4)
        self._queue = queue
        self._acks: Batch[str, str | None] = Batch(self._delete, BATCH_MOST, workload, linger)
        self._releases: Batch[tuple[str, int], str | None] = Batch(
            self.change_visibility, BATCH_MOST, workload, linger
        )

    async def acknowledge(self, receipt: str) -> None:
        """Delete a message."""
        self._note("acknowledge-refused", await self._acks.add(receipt))

    async def release(self, receipt: str, seconds: int) -> None:
        """Let a message be seen again after so many seconds."""
        self._note("release-refused", await self._releases.add((receipt, seconds)))

    async def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[str | None]:
        """Set (receipt, seconds) pairs, at most 10; also how leases are renewed."""
        return await self._with_retries(self._queue.change_visibility, changes)

    async def _delete(self, receipts: Sequence[str]) -> list[str | None]:
        return await self._with_retries(self._queue.delete, receipts)

    async def _with_retries(
        self,
        call: Callable[[Sequence[Item]], Awaitable[list[str | None]]],
        items: Sequence[Item],
    ) -> list[str | None]:
        """Call; entries that failed through SQS's own fault, and those alone, are tried again."""
        answers: list[str | None] = [None] * len(items)
        left = list(range(len(items)))
        tries = AsyncRetrying(
            retry=retry_if_exception_type(QueueUnavailableError),
            stop=stop_after_attempt(MAX_TRIES),
            wait=wait_random_exponential(0.1, LONGEST_WAIT_SECONDS),
            reraise=True,
        )
        for number in range(MAX_TRIES):
            if number:
                await asyncio.sleep(OWN_FAULT_WAIT_SECONDS * number)
            part = [items[position] for position in left]
            async for attempt in tries:
                with attempt:
                    codes = await call(part)
            for position, code in zip(left, codes, strict=True):
                answers[position] = code
            left = [position for position in left if answers[position] in OWN_FAULTS]
            if not left:
                break
        return answers

    def _note(self, event: str, refusal: str | None) -> None:
        # Nothing is lost by it: the message comes back, and its move is found done.
        if refusal:
            log.warning(event, code=refusal)
