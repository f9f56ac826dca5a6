"""Child processes of the flow tests: started, watched through what they print, surely ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
"""Where the packages are; children run there."""

POLL_SECONDS = 0.05
START_SECONDS = 60.0
"""Two shared cores may take their time; reaching a deadline is a failure, so it is a far one."""

SHOWN_LINES = 25

Json = dict[str, Any]


class DeadlineError(AssertionError):
    """Raised when what a test waits for does not come; its text is the full picture."""


def wait_until(
    reached: Callable[[], object], what: str, seconds: float, picture: Callable[[], str]
) -> None:
    """Look again and again until `reached()`; DeadlineError with the picture after `seconds`."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise DeadlineError(f"not within {seconds:.0f} s: {what}\n{picture()}")
        time.sleep(POLL_SECONDS)


class Child:
    """One process, its output in a file; it does not outlive the `with` block."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "tests"), **environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it with SIGKILL, wherever it is."""
        if self.code is None:
            self._process.kill()
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self, seconds: float = START_SECONDS) -> int:
        """Wait for its end; returns the exit code."""
        wait_until(lambda: self.code is not None, "the process's end", seconds, self.picture)
        return self._process.wait()

    def lines(self) -> list[str]:
        """Return what it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def picture(self) -> str:
        """Show its last lines."""
        shown = "\n  ".join(self.lines()[-SHOWN_LINES:])
        return f"process {self.pid}, exit code {self.code}, last lines:\n  {shown}"

    def rss_kib(self) -> int:
        """Return its resident memory in KiB."""
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.pid)],  # noqa: S607 - wherever the system has it
            capture_output=True,
            check=True,
            text=True,
        )
        return int(told.stdout)


class Server(Child):
    """A server that prints its URL in its first line."""

    def __init__(
        self, module: str, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__([sys.executable, "-m", module, *arguments], environment or {}, log)
        wait_until(self._url, f"{module}'s URL", START_SECONDS, self.picture)
        self.url = self._url()

    def _url(self) -> str:
        return next((line for line in self.lines() if line.startswith("http://")), "")


class Worker(Child):
    """`worker run`, configured by the environment alone."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        command = [sys.executable, "-m", "worker", "run"]
        super().__init__(command, {"LOG_FORMAT": "json", **environment}, log)

    def events(self, name: str = "") -> list[Json]:
        """Return its log's lines as they came, those of one event or all."""
        whole = [json.loads(line) for line in self.lines() if line.startswith("{") and _ends(line)]
        return [each for each in whole if name in {"", each["event"]}]

    def wait_for(self, name: str, count: int = 1, seconds: float = START_SECONDS) -> None:
        """Wait until it has logged an event so many times; fails at once if it ends before."""

        def reached() -> bool:
            if len(self.events(name)) >= count:
                return True
            if self.code is not None:
                raise DeadlineError(f"ended before {name!r} came\n{self.picture()}")
            return False

        wait_until(reached, f"{count} times {name!r} in its log", seconds, self.picture)

    def ready(self) -> Self:
        """Wait until its preflight is over and it begins to receive."""
        self.wait_for("ready")
        return self

    def outcomes(self) -> list[Json]:
        """Return its audit lines: one an object and attempt."""
        return self.events("object")


Start = Callable[[Mapping[str, str]], Worker]
"""Starts a worker with this environment, which the test's end ends at the latest."""


def _ends(line: str) -> bool:
    return line.endswith("}")
