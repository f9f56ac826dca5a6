"""The worker as a process of its own: started, watched through its log, and ended by its id."""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import worker

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")
"""All that the worker gets of our environment; the rest is given to it, or is not there."""

TAIL_LINES = 12


class WorkerProcess:
    """`worker run` with nothing but an environment; its log, both streams of it, goes to a file.

    A process group of its own: Ctrl-C at the terminal reaches us alone, and we end it in order.
    """

    def __init__(
        self, environment: Mapping[str, str], inherited: Mapping[str, str], log: Path
    ) -> None:
        self.log = log
        self._position = 0
        self._rest = b""
        kept = {name: inherited[name] for name in INHERITED if name in inherited}
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker", "run"],
                env={**kept, **environment, "PYTHONPATH": str(Path(worker.__file__).parents[1])},
                cwd=log.parent,  # a folder of the user's that is called worker must not be found
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.poll()

    def new_lines(self) -> list[str]:
        """Return the whole lines that were logged since the last call."""
        with self.log.open("rb") as stream:
            stream.seek(self._position)
            read = stream.read()
        self._position += len(read)
        *lines, self._rest = (self._rest + read).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def tail(self) -> list[str]:
        """Return the last lines of the log."""
        with self.log.open(encoding="utf-8", errors="replace") as stream:
            return [line.rstrip("\n") for line in deque(stream, TAIL_LINES)]

    def kill(self) -> None:
        """End it with SIGKILL, if it still runs, and wait until it is gone."""
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait()

    def ask_to_stop(self) -> None:
        """Send SIGTERM: finish what is in hand, then exit."""
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
