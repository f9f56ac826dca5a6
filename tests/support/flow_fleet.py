"""What makes a flow eventful: users who overwrite, kills, messages that are delivered twice."""

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from support.flow_files import File
from support.flow_pipeline import Pipeline
from support.flow_process import START_SECONDS, Start, Worker, wait_until

OVERWRITTEN_SHARE = 0.33
LONGEST_WAIT_SECONDS = 1.0
"""A move takes about that long here, from the upload to the delete of its source."""

THREADS = 16
REPEATED_SHARE = 0.2


@dataclass(slots=True)
class Users:
    """They upload, and overwrite what may just be moving; `last` holds each name's last upload."""

    pipeline: Pipeline
    dice: random.Random
    last: dict[str, File] = field(default_factory=dict)
    uploads: int = 0

    def upload(self, files: Sequence[File]) -> None:
        """Upload these from several threads, and a third of them again, once or more.

        The next upload of a name comes at any moment of its move: before the copy, during it,
        between the copy and the delete, and after.
        """
        with ThreadPoolExecutor(THREADS) as threads:
            for versions in threads.map(self._put, files, [self._waits() for _ in files]):
                self.last[versions[-1].name] = versions[-1]
                self.uploads += len(versions)

    def _waits(self) -> list[float]:
        """Draw after how many seconds each further upload of a name follows."""
        waits: list[float] = []
        while self.dice.random() < OVERWRITTEN_SHARE:
            waits.append(self.dice.uniform(0, LONGEST_WAIT_SECONDS))
        return waits

    def _put(self, file: File, waits: Sequence[float]) -> list[File]:
        versions = [file]
        self.pipeline.upload(file)
        for wait_seconds in waits:
            time.sleep(wait_seconds)
            versions.append(versions[-1].next_version())
            self.pipeline.upload(versions[-1])
        return versions


@dataclass(slots=True)
class Repeater:
    """SQS delivers at least once: some messages are sent again, soon or after the end."""

    pipeline: Pipeline
    dice: random.Random
    heard: list[str] = field(default_factory=list)

    def repeat_some(self) -> int:
        """Send some of the latest messages again; returns how many."""
        latest = self.pipeline.bodies(self.pipeline.tap)
        self.heard += latest
        return self._send(latest)

    def repeat_old(self) -> int:
        """Send some of all messages again; returns how many."""
        return self._send(self.heard)

    def _send(self, bodies: Sequence[str]) -> int:
        repeated = [body for body in bodies if self.dice.random() < REPEATED_SHARE]
        self.pipeline.send(*repeated)
        return len(repeated)


@dataclass(slots=True)
class Fleet:
    """Some workers on one queue; who is killed is replaced at once."""

    start: Start
    environment: Mapping[str, str]
    size: int
    workers: list[Worker] = field(default_factory=list)
    gone: list[Worker] = field(default_factory=list)

    def fill(self) -> None:
        """Start what is missing."""
        while len(self.workers) < self.size:
            self.workers.append(self.start(self.environment))

    def kill_one_at_work(self, after_seconds: float) -> None:
        """SIGKILL a worker that is seen to move objects, so many seconds later; replace it."""
        before = {worker.pid: len(worker.outcomes()) for worker in self.workers}

        def at_work() -> list[Worker]:
            return [each for each in self.workers if len(each.outcomes()) > before[each.pid]]

        wait_until(at_work, "a worker moves something", START_SECONDS, self.picture)
        victim = at_work()[0]
        time.sleep(after_seconds)
        victim.kill()
        self.workers.remove(victim)
        self.gone.append(victim)
        self.fill()

    def picture(self) -> str:
        """Show every worker's last lines."""
        return "\n".join(worker.picture() for worker in [*self.gone[-1:], *self.workers])

    def outcomes(self) -> Mapping[str, int]:
        """Count all outcomes that all workers have logged."""
        counts: dict[str, int] = {}
        for worker in [*self.gone, *self.workers]:
            for each in worker.outcomes():
                counts[each["outcome"]] = counts.get(each["outcome"], 0) + 1
        return counts
