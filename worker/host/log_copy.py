"""Copies units' lines from the journal to a file that the CloudWatch agent reads.

The agent reads files only. The worker itself writes none: a full or slow disk must not hold a move.
`python -m worker.host.log_copy FILE UNIT...`
"""

import io
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

LINES_AT_START: Final = 1000
"""Of what was logged before: so many may be lost or repeated by a restart, and no more."""

FILE_BYTES: Final = 50 * 1024 * 1024
"""Half a minute at 3,500 lines a second: so far behind the agent may be, and still miss nothing."""

CHUNK_BYTES: Final = 64 * 1024
"""What a pipe holds."""

LINE_BYTES: Final = 1024 * 1024
"""A longer line is cut; CloudWatch Logs takes no event above it ("CloudWatch Logs quotas")."""


def follow(units: Sequence[str]) -> list[str]:
    """Return the command that tells some units' latest lines, and goes on with what comes.

    Without --merge it would begin with this boot: the last lines before a reboot would be missing.
    """
    named = (f"--unit={unit}" for unit in units)
    plain = ("--quiet", "--output=cat", "--merge")
    return ["journalctl", "--follow", f"--lines={LINES_AT_START}", *plain, *named]


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream between lines only: each piece is some lines, and ends with a newline.

    What stands at the end without a newline, or runs beyond LINE_BYTES, is given one.
    """
    rest = b""
    for chunk in chunks:
        lines, newline, rest = (rest + chunk).rpartition(b"\n")
        if newline:
            yield lines + newline
        if len(rest) > LINE_BYTES:
            yield rest + b"\n"
            rest = b""
    if rest:
        yield rest + b"\n"


class BoundedFile:
    """A file of at most `limit_bytes`; the one before it stays beside it as NAME.1, and no other.

    The agent reads a renamed file to its end before it begins the new one. `tell` is given words.
    """

    def __init__(self, path: Path, limit_bytes: int, tell: Callable[[str], object]) -> None:
        self._path, self._limit, self._tell = path, limit_bytes, tell
        self._file: io.FileIO | None = None
        self._dropped = 0
        self._torn = False

    def append(self, lines: bytes) -> None:
        """Append whole lines; what the disk refuses is dropped, counted and told of."""
        left = lines
        try:
            file = self._with_room_for(len(left))
            if self._torn:
                file.write(b"\n")
                self._torn = False
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            self._torn = self._torn or len(left) < len(lines)
            self._drop(len(left), error)
        else:
            self._tell_the_end_of_dropping()

    def close(self) -> None:
        """Close it; the next lines open it again."""
        if self._file:
            self._file.close()
        self._file = None

    def _with_room_for(self, size: int) -> io.FileIO:
        file = self._open()
        if file.tell() and file.tell() + size > self._limit:
            self.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            file = self._open()
        return file

    def _open(self) -> io.FileIO:
        if self._file is None:
            self._file = io.FileIO(self._path, "a")
        return self._file

    def _drop(self, size: int, error: OSError) -> None:
        if not self._dropped:
            self._tell(f"lines are dropped, the journal keeps them: {error}")
        self._dropped += size

    def _tell_the_end_of_dropping(self) -> None:
        if self._dropped:
            self._tell(f"lines are copied again; {self._dropped} bytes were dropped")
        self._dropped = 0


def copy(command: Sequence[str], target: BoundedFile) -> int:
    """Copy what a command says until it ends, which SIGTERM brings about; returns its status."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as child:  # noqa: S603 - our own
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        said = child.stdout
        for lines in whole_lines(iter(lambda: said.read(CHUNK_BYTES), b"")):
            target.append(lines)
    target.close()
    return child.returncode


def main(arguments: Sequence[str]) -> int:
    """Return 0 after SIGTERM, and 1 if journalctl ended by itself: systemd begins anew then."""
    path, *units = arguments
    status = copy(follow(units), BoundedFile(Path(path), FILE_BYTES, tell))
    if status == -signal.SIGTERM:
        return 0
    tell(f"journalctl ended by itself, with status {status}")
    return 1


def tell(words: str) -> None:
    """Say something in the journal, under this service's own name."""
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
