"""A daemon between the twins of S3 and SQS, in virtual time."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from support import virtual_loop
from support.queue_twin import QueueTwin, SlowQueue
from support.slow_s3 import LargeStore, SlowS3
from support.twin import S3Twin
from worker.core.pipeline import Rules
from worker.core.plan import Route
from worker.core.port import Fault, FaultKind, Location
from worker.core.verdict import VerdictRules
from worker.errors import ExitCode
from worker.host.stop import StopReason, StopRequest
from worker.loop.daemon import Daemon
from worker.settings import Settings

BUCKET = "files"
ROUTE = Route(Location(BUCKET, "uploads/"), Location(BUCKET, "processed/"))
DENIED = Fault(FaultKind.ACCESS, "CopyObject", "AccessDenied", "no")
GARBAGE = "not an event"


def settings(**changes: Any) -> Settings:  # noqa: ANN401 - any of the settings' kinds
    """Return settings that work, with changes."""
    verdicts = changes.pop("verdicts", VerdictRules())
    changes = {"concurrency": 32, **changes}
    return Settings("https://sqs/1/q", "us-east-2", Rules(ROUTE, verdicts=verdicts), **changes)


def source(name: str) -> Location:
    """Name a file's place before its move."""
    return Location(BUCKET, f"uploads/{name}")


def destination(name: str) -> Location:
    """Name a file's place after its move."""
    return Location(BUCKET, f"processed/{name}")


def record(name: str, etag: str, size: int = 1, prefix: str = "uploads/") -> dict[str, object]:
    """Write one record of S3's."""
    return {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": {"name": BUCKET},
            "object": {"key": quote_plus(prefix + name), "eTag": etag, "size": size},
        },
    }


def body(*records: dict[str, object]) -> str:
    """Write a message with these records."""
    return json.dumps({"Records": records})


def test_event() -> str:
    """Write the message that S3 sends when a notification is set up."""
    return json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET})


test_event.__test__ = False  # type: ignore[attr-defined]  # no test, whatever its name


@dataclass(slots=True, eq=False)
class World:
    """The daemon and what it works on. Times in virtual seconds."""

    loop: asyncio.AbstractEventLoop
    daemon: Daemon
    stop: StopRequest
    sqs: QueueTwin
    queue: SlowQueue
    s3: SlowS3
    running: asyncio.Task[ExitCode]

    @property
    def objects(self) -> S3Twin:
        """What S3 holds."""
        return self.s3.twin

    def upload(self, name: str, label: str | None = None) -> str:
        """Upload a file and send its event; returns the message's id."""
        stored = self.objects.put(source(name), label or name)
        return self.sqs.send(body(record(name, stored.etag)))

    def is_moved(self, name: str) -> bool:
        """Tell whether a file rests at its destination and nowhere else."""
        return destination(name) in self.objects and source(name) not in self.objects

    async def until(self, condition: Callable[[], bool], within_seconds: float = 3600.0) -> float:
        """Wait until it holds, to one per cent of the time; returns the seconds it took."""
        began = self.loop.time()
        while not condition():
            assert self.loop.time() - began < within_seconds, "it never came true"
            await asyncio.sleep(0.01 + (self.loop.time() - began) / 100)
        return self.loop.time() - began

    async def until_empty(self, within_seconds: float = 3600.0) -> float:
        """Wait until no message is left in the queue."""
        return await self.until(lambda: not self.sqs.messages, within_seconds)

    def ask_to_stop(self, within_seconds: float = 90.0) -> None:
        """Stop as a first SIGTERM does."""
        self.stop.request(StopReason.SIGTERM, within_seconds)


Scenario = Callable[[World], Awaitable[None]]


def play(
    scenario: Scenario,
    *,
    max_receive_count: int | None = 5,
    s3_seconds: float = 0.05,
    sqs_seconds: float = 0.01,
    **changes: Any,  # noqa: ANN401 - any of the settings' kinds
) -> ExitCode:
    """Run a daemon through a scenario, then stop it; returns how its drain ended."""

    async def main() -> ExitCode:
        loop = asyncio.get_running_loop()
        stop = StopRequest(loop.time)
        sqs = QueueTwin(loop.time, max_receive_count)
        queue = SlowQueue(sqs, lambda _: sqs_seconds)
        s3 = SlowS3(S3Twin(loop.time), lambda _: s3_seconds)
        s3.twin.store = LargeStore()
        daemon = Daemon(
            settings(**changes),
            queue,
            s3,
            stop,
            has_dlq=max_receive_count is not None,
            clock=loop.time,
            jitter=random.Random(7).random,  # noqa: S311 - the same spread in every run
        )
        s3.observe = daemon.note_reply
        running = asyncio.create_task(daemon.run())
        world = World(loop, daemon, stop, sqs, queue, s3, running)
        playing = asyncio.create_task(_played(scenario(world)))
        await asyncio.wait({running, playing}, return_when=asyncio.FIRST_COMPLETED)
        if running.done() and running.exception():
            playing.cancel()
            return await running
        await playing
        world.ask_to_stop()
        return await running

    return virtual_loop.run(main)


async def _played(scenario: Awaitable[None]) -> None:
    await scenario
