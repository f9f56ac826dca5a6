"""The copy of the log: whole lines, bounded, and never an end over a disk that takes no more."""

import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.host.log_copy import LINE_BYTES, LINES_AT_START, BoundedFile, follow, whole_lines

FULL = Path("/dev/full")
"""A disk without any room."""

needs_full = pytest.mark.skipif(not FULL.is_char_device(), reason="no /dev/full on this machine")


@pytest.fixture
def words() -> list[str]:
    """Remember what is told."""
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the copy lies."""
    return tmp_path / "worker.log"


@given(st.lists(st.binary(max_size=9).map(lambda chunk: chunk.replace(b"\x01", b"\n"))))
def test_a_stream_is_cut_between_lines_only(chunks: list[bytes]) -> None:
    """However it comes in; a last line that was cut off is given its end."""
    pieces = list(whole_lines(chunks))
    whole = b"".join(chunks)
    assert b"".join(pieces) == whole + (b"" if whole.endswith(b"\n") or not whole else b"\n")
    assert all(piece.endswith(b"\n") for piece in pieces)


def test_a_line_without_an_end_is_not_kept_in_memory() -> None:
    """It is cut where CloudWatch Logs would cut it."""
    pieces = whole_lines([b"x" * 65536] * 40)
    assert max(map(len, pieces)) <= LINE_BYTES + 65536 + 1


@given(sizes=st.lists(st.integers(1, 600), max_size=30))
def test_two_files_within_the_limit_hold_the_latest_lines(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    """Nothing is torn, and nothing grows above the limit but a line that is larger itself."""
    path = tmp_path_factory.mktemp("log") / "worker.log"
    lines = [b"%03d" % number + b"x" * size + b"\n" for number, size in enumerate(sizes)]
    with closing(BoundedFile(path, 500, pytest.fail)) as file:
        for line in lines:
            file.append(line)
    found = [each for each in (path.with_name("worker.log.1"), path) if each.exists()]
    assert set(path.parent.iterdir()) == set(found)
    written = [each.read_bytes() for each in found]
    assert all(0 < len(each) <= 500 or each.count(b"\n") == 1 for each in written)
    kept = b"".join(written).splitlines(keepends=True)
    assert kept == lines[len(lines) - len(kept) :]
    assert bool(kept) == bool(lines)


def test_a_restart_goes_on_where_the_file_ends(path: Path) -> None:
    """What the agent has not read yet is still there, and counts towards the limit."""
    for _ in range(2):
        with closing(BoundedFile(path, 10, pytest.fail)) as file:
            file.append(b"1234\n")
    assert path.read_bytes() == b"1234\n1234\n"
    with closing(BoundedFile(path, 10, pytest.fail)) as file:
        file.append(b"5\n")
    assert path.read_bytes() == b"5\n"


@needs_full
def test_a_full_disk_drops_lines_and_is_told_of_once(path: Path, words: list[str]) -> None:
    """When there is room again, what comes is written, and the loss is counted, once as well."""
    path.symlink_to(FULL)
    with closing(BoundedFile(path, 100, words.append)) as file:
        file.append(b"one\n")
        file.append(b"two\n")
        file.close()
        path.unlink()
        file.append(b"three\n")
        file.append(b"four\n")
    assert path.read_bytes() == b"three\nfour\n"
    assert words == [
        "lines are dropped, the journal keeps them: [Errno 28] No space left on device",
        "lines are copied again; 8 bytes were dropped",
    ]


def test_a_folder_that_is_missing_drops_lines_until_it_is_there(
    tmp_path: Path, words: list[str]
) -> None:
    """Whatever the disk says is no reason to end."""
    with closing(BoundedFile(tmp_path / "gone" / "worker.log", 100, words.append)) as file:
        file.append(b"one\n")
        (tmp_path / "gone").mkdir()
        file.append(b"two\n")
    assert (tmp_path / "gone" / "worker.log").read_bytes() == b"two\n"
    assert len(words) == 2


def test_a_line_that_the_disk_took_half_of_does_not_spoil_the_next(path: Path) -> None:
    """The kernel writes up to the limit of a file's size, then refuses, as a full disk does."""
    program = (
        "import resource, signal, sys; from pathlib import Path;"
        "from worker.host.log_copy import BoundedFile;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "file = BoundedFile(Path(sys.argv[1]), 100, print);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6, 100)); file.append(b'one\\ntwo\\n');"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); file.append(b'three\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert path.read_bytes() == b"one\ntw\nthree\n"
    assert "2 bytes were dropped" in done.stdout


def test_what_is_followed_are_the_units_latest_lines_and_no_more() -> None:
    """So many lines may come again after a restart, whichever boot they are of."""
    assert follow(["a.service", "b.service"]) == [
        "journalctl",
        "--follow",
        "--lines=1000",
        "--quiet",
        "--output=cat",
        "--merge",
        "--unit=a.service",
        "--unit=b.service",
    ]
    assert LINES_AT_START == 1000


# --- the whole program, with a journalctl of our own ----------------------------------------------


@pytest.fixture
def journalctl(tmp_path: Path) -> Path:
    """Return a program by that name, yet to be written, in a folder of its own."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "journalctl"
    program.touch()
    program.chmod(stat.S_IRWXU)
    return program


@pytest.fixture
def program(path: Path, journalctl: Path) -> list[str]:
    """Return the command line; it finds our journalctl first."""
    assert journalctl.exists()
    return [sys.executable, "-m", "worker.host.log_copy", str(path), "a.service"]


def start(program: list[str], journalctl: Path, script: str) -> "subprocess.Popen[str]":
    """Run the copy of what a script says."""
    journalctl.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path = f"{journalctl.parent}:{os.defpath}"
    return subprocess.Popen(program, env={"PATH": path}, stderr=subprocess.PIPE, text=True)


def test_sigterm_ends_it_cleanly_with_every_line_copied(
    program: list[str], journalctl: Path, path: Path
) -> None:
    """Also with those that journalctl says while it ends."""
    script = "trap 'echo last; trap - TERM; kill $$' TERM;echo \"$@\"; while :; do sleep 0.1; done"
    with start(program, journalctl, script) as copying:
        deadline = time.monotonic() + 30
        while not (path.exists() and path.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        copying.send_signal(signal.SIGTERM)
        assert copying.wait(timeout=30) == 0
    told = " ".join(follow(["a.service"])[1:])
    assert path.read_text(encoding="utf-8") == f"{told}\nlast\n"


def test_a_journalctl_that_ends_by_itself_is_a_failure(
    program: list[str], journalctl: Path, path: Path
) -> None:
    """For systemd to begin anew; what it said is copied first."""
    with start(program, journalctl, "printf 'one\\ntwo'; exit 3") as copying:
        assert copying.communicate(timeout=30)[1] == "journalctl ended by itself, with status 3\n"
    assert copying.returncode == 1
    assert path.read_text(encoding="utf-8") == "one\ntwo\n"
