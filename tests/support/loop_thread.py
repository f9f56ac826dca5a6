"""An event loop in a thread of its own, so that a test can ask it from outside."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from worker.core.port import Reply, Request, S3Port
from worker.loop.queue_port import BlockingQueue, Queue, Received
from worker.loop.s3_calls import S3

T = TypeVar("T")


class LoopThread:
    """Runs an event loop while the `with` block lasts."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wait(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop; returns or raises what it does."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def run(self, call: Callable[..., T], *arguments: object) -> T:
        """Call something within the loop."""

        async def within() -> T:
            result = call(*arguments)
            await asyncio.sleep(0)  # what it closed is closed
            return result

        return self.wait(within())

    def port(self, s3: S3) -> S3Port:
        """Return an S3 port that carries requests out in the loop."""
        return _Port(s3, self.loop)

    def queue(self, queue: Queue) -> BlockingQueue:
        """Return a queue whose calls wait for the loop to carry them out."""
        return _Queue(queue, self)


@dataclass(frozen=True, slots=True)
class _Queue:
    queue: Queue
    loop: LoopThread

    def receive(self, most: int, wait_seconds: int, visibility: int, /) -> list[Received]:
        """Receive."""
        return self.loop.wait(self.queue.receive(most, wait_seconds, visibility))

    def delete(self, receipts: Sequence[str], /) -> list[str | None]:
        """Delete."""
        return self.loop.wait(self.queue.delete(receipts))

    def change_visibility(self, changes: Sequence[tuple[str, int]], /) -> list[str | None]:
        """Change."""
        return self.loop.wait(self.queue.change_visibility(changes))


@dataclass(frozen=True, slots=True)
class _Port:
    s3: S3
    loop: asyncio.AbstractEventLoop

    def submit(self, request: Request, /) -> "Future[Reply]":
        """Start the request."""

        async def perform() -> Reply:
            return await self.s3.perform(request)

        return asyncio.run_coroutine_threadsafe(perform(), self.loop)
