"""Gathers single items into calls of several, without making anything wait that need not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from worker.loop.workload import Workload

LINGER_SECONDS = 1.0
"""The longest an item waits for company; only while other work is under way that may bring it."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batch(Generic[Item, Answer]):
    """Sends items in calls of at most `most`: when full, when nothing else is active, or in time.

    `send` takes items and returns as many answers, in order.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        most: int,
        workload: Workload,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._send = send
        self._most = most
        self._workload = workload
        self._linger_seconds = linger_seconds
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        workload.when_quiet(self.flush)

    async def add(self, item: Item) -> Answer:
        """Put an item into the next call; returns its answer, raises what `send` raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, answer))
        if len(self._waiting) >= self._most:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._linger_seconds, self.flush)
        self._workload.park()
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.cancelled():  # else the delivery has taken it up again
                self._workload.unpark(1)
            raise

    def flush(self) -> None:
        """Send what waits, now."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._deliver(batch))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._send([item for item, _ in batch])
            by_waiter = {waiter: each for (_, waiter), each in zip(batch, answers, strict=True)}
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait for the answers
            for waiter in self._take_up(batch):
                waiter.set_exception(error)
            return
        for waiter in self._take_up(batch):
            waiter.set_result(by_waiter[waiter])

    def _take_up(
        self, batch: list[tuple[Item, asyncio.Future[Answer]]]
    ) -> list[asyncio.Future[Answer]]:
        """Return those who still wait, none of them parked any more."""
        waiters = [waiter for _, waiter in batch if not waiter.done()]
        self._workload.unpark(len(waiters))
        return waiters
