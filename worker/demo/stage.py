"""All that runs while the demo does: the AWS, the worker and the uploads; watched in ticks."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from worker.demo.account import Account
from worker.demo.embedded.server import REGION, EmbeddedAws
from worker.demo.ending import Ending
from worker.demo.files import PARTS_ABOVE_BYTES
from worker.demo.pipeline import (
    DESTINATION_PREFIX,
    SOURCE_PREFIX,
    create_pipeline,
    depth_of,
)
from worker.demo.process import WorkerProcess
from worker.demo.report import Progress
from worker.demo.tally import Tally
from worker.demo.uploading import Uploader
from worker.demo.verify import Depth
from worker.errors import WorkerError

TICK_SECONDS = 0.1
"""Often enough for a bar to move smoothly and for Ctrl-C to feel prompt."""

LOOK_SECONDS = 0.5
"""How often both queues are counted: it costs the server two requests."""

READY_SECONDS = 30
"""A worker is ready within two; this is for a machine that is very busy."""

STOP_SECONDS = 20
"""Above the worker's DRAIN_SECONDS, after which it leaves in any case."""

STALLED_SECONDS = 20
"""Nothing at all became of any message for so long: the leases of a killed worker end sooner."""

SETTINGS = {
    "CONCURRENCY": "8",  # two cores are shared with the AWS: more would only wait
    "WAIT_TIME_SECONDS": "2",  # a drain awaits the open poll; nobody should wait 20 s for it here
    "VISIBILITY_TIMEOUT": "5",  # what a killed worker held comes back within this
    "DRAIN_SECONDS": "15",
    "SUMMARY_SECONDS": "5",
    "MULTIPART_THRESHOLD": str(PARTS_ABOVE_BYTES),
    "PART_SIZE": "5MiB",
}
"""The worker's settings, as far as a demo may choose them; `--set` goes before these."""


class DemoError(WorkerError):
    """Raised when the demo cannot go on; `tail` is the end of the worker's log."""

    def __init__(self, what: str, tail: list[str]) -> None:
        self.tail = tail
        super().__init__(what)


class Screen(Protocol):
    """Where the demo shows what it does."""

    def act(self, label: str, text: str) -> None:
        """Tell something that happened."""

    def progress(self, progress: Progress) -> None:
        """Show how far it is; called about ten times a second."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What whoever runs the demo may choose. Without a folder, this project's own files."""

    folder: Path | None
    most_files: int
    versioned: bool
    keep: bool
    settings: Mapping[str, str]


class Stage:
    """Holds everything that runs, for a `with` block; nothing of it outlives the block."""

    def __init__(
        self,
        choices: Choices,
        screen: Screen,
        ending: Ending,
        inherited: Mapping[str, str],
        logs: Path,
    ) -> None:
        self.screen, self.logs, self.tally = screen, logs, Tally()
        self.workers: list[WorkerProcess] = []
        self.depth = self.dead_letters = Depth()
        """Both queues, as they were when last looked at."""
        self.files = 0
        """How many there will be."""
        self.quiet_looks = 0
        """How often in a row the queue was found empty when all was uploaded."""
        self._choices, self.ending, self._inherited = choices, ending, inherited
        self._looked_at = 0.0
        self._is_ready = False
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        with ExitStack() as opening:
            self.aws = opening.enter_context(EmbeddedAws())
            self.account = Account(self.aws)
            opening.callback(self.account.close)
            self.pipeline = create_pipeline(self.account, "demo", versioned=self._choices.versioned)
            self.uploader = Uploader(self.account, self.pipeline.bucket)
            opening.callback(self.uploader.close)
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def worker_environment(self) -> dict[str, str]:
        """Return all that configures the worker."""
        return {
            **SETTINGS,
            **self._choices.settings,
            **self.aws.environment(),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "QUEUE_URL": self.pipeline.queue_url,
            "BUCKET": self.pipeline.bucket,
            "REGION": REGION,
            "SRC_PREFIX": SOURCE_PREFIX,
            "DST_PREFIX": DESTINATION_PREFIX,
            "LOG_FORMAT": "json",  # the demo reads it
            "LOG_LEVEL": "info",
        }

    def start_worker(self) -> WorkerProcess:
        """Start another worker and wait until it is ready; raises DemoError if it does not."""
        log = self.logs / f"worker-{len(self.workers) + 1}.log"
        worker = WorkerProcess(self.worker_environment(), self._inherited, log)
        self._stack.callback(worker.kill)
        self.workers.append(worker)
        self._is_ready = False
        if not self.wait(lambda: self._is_ready, READY_SECONDS):
            raise DemoError(f"the worker is not ready after {READY_SECONDS} s", worker.tail())
        return worker

    def kill_worker(self) -> WorkerProcess:
        """End the worker with SIGKILL, whatever it is at."""
        worker = self.workers[-1]
        worker.kill()
        self.tally.add(worker.new_lines())
        return worker

    def stop_worker(self) -> int | None:
        """Ask the worker to stop and wait; return its exit status, None if it did not end."""
        worker = self.workers[-1]
        worker.ask_to_stop()
        asked = time.monotonic()
        while worker.exit_code is None and time.monotonic() - asked < STOP_SECONDS:
            self.ending.check()
            time.sleep(TICK_SECONDS)
        self.tally.add(worker.new_lines())
        return worker.exit_code

    def tick(self) -> list[Mapping[str, object]]:
        """Wait a moment, see and show what happened; raises EndedError and DemoError.

        Returns what the worker has logged meanwhile.
        """
        self.ending.check()
        time.sleep(TICK_SECONDS)
        worker = self.workers[-1]
        ended = worker.exit_code
        told = self.tally.add(worker.new_lines())
        self._is_ready |= any(line.get("event") == "ready" for line in told)
        if ended is not None:
            raise DemoError(f"the worker has ended by itself, with status {ended}", worker.tail())
        self._look()
        self._show()
        return told

    def wait(self, until: Callable[[], bool], seconds: float | None = None) -> bool:
        """Tick until it is so; False if it is not after so many seconds.

        None: for as long as anything moves.
        """
        began = last_change = time.monotonic()
        before = self._signs_of_life()
        while not until():
            self.tick()
            now, signs = time.monotonic(), self._signs_of_life()
            if signs != before:
                before, last_change = signs, now
            passed = now - began > seconds if seconds else now - last_change > STALLED_SECONDS
            if passed:
                return until()
        return True

    def _signs_of_life(self) -> tuple[int, bool]:
        return self.tally.outcomes.total(), self.uploader.is_done

    def look_again(self) -> Depth:
        """Count both queues now; return the main one's."""
        self._looked_at = 0.0
        self._look()
        return self.depth

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            all_uploaded = self.uploader.is_done
            self.depth = depth_of(self.account, self.pipeline.queue_url)
            self.dead_letters = depth_of(self.account, self.pipeline.dead_letter_queue_url)
            is_quiet = all_uploaded and not self.depth.total
            self.quiet_looks = self.quiet_looks + 1 if is_quiet else 0

    def _show(self) -> None:
        if not self.files:
            return
        self.screen.progress(
            Progress(
                files=self.files,
                uploaded=len(self.uploader.expected),
                moved=len(self.tally.moved),
                superseded=self.tally.outcomes["superseded"],
                waiting=self.depth.waiting + self.depth.delayed,
                in_hand=self.depth.in_hand,
                rejected=self.dead_letters.total,
            )
        )
