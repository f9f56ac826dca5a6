"""A receiver that begins with every message and never ends one, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

from support import virtual_loop
from support.queue_twin import QueueTwin, SlowQueue
from worker.loop.outage import Outage
from worker.loop.queue_port import QueueUnavailableError, Received
from worker.loop.receiver import (
    Receiver,
)
from worker.loop.workload import Workload

DENIED = QueueUnavailableError("ReceiveMessage", "AccessDenied", access=True)
GONE = QueueUnavailableError("ReceiveMessage", "timeout", access=False)


class World:
    """A queue, and a receiver that begins with every message and never ends one."""

    def __init__(self) -> None:
        self.most = 32
        self.loop = asyncio.get_running_loop()
        self.twin = QueueTwin(self.loop.time)
        self.queue = SlowQueue(self.twin, lambda _: 0.1)
        self.workload = Workload(lambda: self.most)
        self.outages = [Outage(self.loop.time, lambda: 0.5) for _ in range(2)]
        self.started: list[tuple[Received, float, int]] = []
        self.receiver = Receiver(
            queue=self.queue,
            start=self.start,
            workload=self.workload,
            outages=self.outages,
            clock=self.loop.time,
            jitter=lambda: 1.0,
            wait_seconds=20,
            visibility=120,
        )
        self.began = self.loop.time()
        self.running = asyncio.create_task(self.receiver.run())

    def start(self, message: Received, received_at: float, visibility: int) -> None:
        """Begin with a message."""
        self.workload.enter()
        self.started.append((message, received_at, visibility))

    def asked(self) -> list[float]:
        """Tell when there was a poll, in seconds since the beginning."""
        return [at - self.began for at, _ in self.queue.asked]


def play(scenario: Callable[[World], Awaitable[None]]) -> None:
    """Play a scenario in virtual time."""

    async def main() -> None:
        world = World()
        await scenario(world)
        world.running.cancel()

    virtual_loop.run(main)
