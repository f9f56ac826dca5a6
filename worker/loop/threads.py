"""Ports whose calls block, as the event loop uses them: carried out in threads."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from worker.core.port import Reply, Request, S3Port
from worker.loop.queue_port import BlockingQueue, Received

SETTLE_THREADS = 4
"""For acknowledgements, releases and renewals, beside those that poll."""


class QueueInThreads:
    """A blocking queue in threads of its own; `polls` may be under way at a time."""

    def __init__(self, queue: BlockingQueue, polls: int) -> None:
        self._queue = queue
        self._polling = ThreadPoolExecutor(polls, "poll")
        self._settling = ThreadPoolExecutor(SETTLE_THREADS, "queue")

    async def receive(self, most: int, wait_seconds: int, visibility: int) -> list[Received]:
        """Poll; as `Queue.receive`."""
        loop, receive = asyncio.get_running_loop(), self._queue.receive
        return await loop.run_in_executor(self._polling, receive, most, wait_seconds, visibility)

    async def delete(self, receipts: Sequence[str]) -> list[str | None]:
        """Delete; as `Queue.delete`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._settling, self._queue.delete, receipts)

    async def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[str | None]:
        """Change; as `Queue.change_visibility`."""
        loop, change = asyncio.get_running_loop(), self._queue.change_visibility
        return await loop.run_in_executor(self._settling, change, changes)


class S3InThreads:
    """An S3 port that has threads of its own."""

    def __init__(self, s3: S3Port) -> None:
        self._s3 = s3

    async def perform(self, request: Request) -> Reply:
        """Carry a request out."""
        return await asyncio.wrap_future(self._s3.submit(request))
