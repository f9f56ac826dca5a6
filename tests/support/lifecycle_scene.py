"""An instance with its metadata, its group and the watcher on it; time passes only in sleep."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from structlog.testing import capture_logs

from support.autoscaling_twin import AutoScalingTwin
from support.imds_server import PATHS, FakeImds
from worker.aws.autoscaling import GroupMember
from worker.aws.imds import ImdsClient
from worker.host.lifecycle import (
    LifecycleWatcher,
)
from worker.host.stop import StopRequest

DRAIN_SECONDS = 90.0
WALL_START = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
INSTANCE_ID = "i-0123456789abcdef0"


@dataclass
class Time:
    """Time that passes only while somebody sleeps; `then` holds what happens at which second.

    A task that was told to stand still `at_rest` does so in its next sleep.
    """

    now: float = 0.0
    then: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    at_rest: asyncio.Task[None] | None = None

    def clock(self) -> float:
        """Return monotonic seconds."""
        return self.now

    def wall_clock(self) -> float:
        """Return Unix time."""
        return WALL_START + self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds
        due = [act for at, act in self.then if at <= self.now]
        self.then = [(at, act) for at, act in self.then if at > self.now]
        for act in due:
            act()
        await asyncio.sleep(0)
        if asyncio.current_task() is self.at_rest:
            await asyncio.Event().wait()


@dataclass
class Scene:
    """An instance with its metadata, its group, and the watcher on it."""

    imds: FakeImds
    time: Time
    group: AutoScalingTwin
    stop_request: StopRequest
    watcher: LifecycleWatcher

    def play(self, seconds: float, *, finish: bool = False) -> list[dict[str, Any]]:
        """Watch for so many seconds, finish if told to; returns what was logged."""

        async def story() -> None:
            over = asyncio.Event()
            watching = asyncio.create_task(self.watcher.run())

            def rest() -> None:
                self.time.at_rest = watching
                over.set()

            self.time.then.append((self.time.now + seconds, rest))
            waiting = asyncio.create_task(over.wait())
            await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if finish:
                await self.watcher.finish()
            waiting.cancel()
            watching.cancel()
            await asyncio.gather(watching, waiting, return_exceptions=True)

        with capture_logs() as logs:
            asyncio.run(story())
        return [dict(entry) for entry in logs]

    def finish(self) -> list[dict[str, Any]]:
        """Finish without watching any longer; returns what was logged."""
        with capture_logs() as logs:
            asyncio.run(self.watcher.finish())
        return [dict(entry) for entry in logs]

    def terminate(self, *hooks: str, timeout_seconds: float = 30) -> None:
        """Have the group terminate the instance, as the metadata then tells."""
        self.group.terminate(*hooks, timeout_seconds=timeout_seconds)
        self.imds.items[PATHS["target_state"]] = "Terminated"


def scene_of(imds: FakeImds, client: ImdsClient | None = None, **watcher: str) -> Scene:
    """Set a scene in front of a metadata server."""
    time = Time()
    group = AutoScalingTwin(time.clock, GroupMember(INSTANCE_ID, "workers", "InService"))
    stop_request = StopRequest(time.clock)
    return Scene(
        imds,
        time,
        group,
        stop_request,
        LifecycleWatcher(
            client or ImdsClient(imds.endpoint),
            group,
            stop_request,
            DRAIN_SECONDS,
            clock=time.clock,
            wall_clock=time.wall_clock,
            sleep=time.sleep,
            **watcher,
        ),
    )


def events(logs: list[dict[str, Any]], *but: str) -> list[str]:
    """Return the names of what was logged, but for some."""
    return [entry["event"] for entry in logs if entry["event"] not in but]


def spot(action: str, seconds: float) -> str:
    """Write a notice for so many seconds after the start."""
    at = datetime.fromtimestamp(WALL_START + seconds, UTC)
    return f'{{"action": "{action}", "time": "{at:%Y-%m-%dT%H:%M:%SZ}"}}'
