"""What makes a flow eventful: users who overwrite, kills, messages that are delivered twice."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from support.flow_files import File
from support.flow_pipeline import Pipeline
from support.flow_process import START_SECONDS, Start, Worker, wait_until

OVERWRITTEN_SHARE = 0.33
REPEATED_SHARE = 0.2


@dataclass(slots=True)
class Users:
    """They upload, and overwrite what may just be moving; `last` holds each name's last upload."""

    pipeline: Pipeline
    dice: random.Random
    last: dict[str, File] = field(default_factory=dict)
    uploads: int = 0

    def upload(self, files: Sequence[File]) -> None:
        """Upload these, and a third of them again, once or twice, with other bytes."""
        self._put(files)
        again = [file for file in files if self.dice.random() < OVERWRITTEN_SHARE]
        while again:
            again = [file.next_version() for file in again]
            self._put(again)
            again = [file for file in again if self.dice.random() < OVERWRITTEN_SHARE]

    def _put(self, files: Sequence[File]) -> None:
        self.pipeline.upload_all(files)
        self.last.update((file.name, file) for file in files)
        self.uploads += len(files)


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
