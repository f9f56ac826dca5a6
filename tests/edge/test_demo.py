"""The demo, whole: as a process of its own, on a small folder, down to its exit status."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.readme import README

WHOLE_DEMO_SECONDS = 120
"""It takes about ten; this only keeps a hanging demo from holding the tests for ever."""

AWKWARD_AND_REWRITTEN = 18


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with two files."""
    (tmp_path / "sub folder").mkdir()
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "sub folder" / "ü+%.md").write_text("b")
    return tmp_path


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give our environment, but for the folder in which the demo puts its logs."""
    return {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("logs"))}


FIRST_COLUMN = re.compile(r"^ *[\d.]+ s  (.{8})  |^([a-zA-Z][a-zA-Z ]*?)  +[\d.]+ ")
"""Of a line of the story, or of a row of the table."""

RunDemo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_demo(folder: Path, environment: dict[str, str]) -> RunDemo:
    """Give a function that runs the demo, with some options, to its end."""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "worker", "demo", str(folder), *options],
            capture_output=True,
            text=True,
            env=environment,
            timeout=WHOLE_DEMO_SECONDS,
            check=False,
        )

    return run


def test_the_demo_verifies_that_nothing_was_lost(run_demo: RunDemo) -> None:
    """Every file is moved, the garbage rejected, one worker killed; the JSON says so."""
    done = run_demo("--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verified"] is True
    assert told["wrong"] == []
    assert told["files"] == told["moved"] == 2 + AWKWARD_AND_REWRITTEN
    assert told["rejected"] == 3
    assert told["superseded"] > 0
    assert [worker["ended"] for worker in told["workers"]] == ["killed", "drained"]
    assert told["requests"]["s3"]["UploadPartCopy"] >= 3
    assert "kill -9" in done.stderr
    assert "progress" in done.stderr


def test_the_demo_sees_what_is_wrong(run_demo: RunDemo) -> None:
    """A worker that drops garbage instead of rejecting it: the demo lists what is missing."""
    done = run_demo("--set", "ON_MALFORMED=drop", "--unversioned")
    assert done.returncode == 1, done.stdout
    assert "the message 'this is no S3 event' is missing" in done.stdout
    assert "NOT verified: 3 things are wrong" in done.stdout
    assert "The end of the worker's log" in done.stdout
    assert done.stdout.count("WRONG") == 1
    told = README.read_text(encoding="utf-8").partition("$ make demo")[2].partition("```")[0]
    assert len(_labels(told)) > 12
    assert _labels(told) <= _labels(done.stdout), "the README's transcript is an old one"


def _labels(transcript: str) -> set[str]:
    """Return the first column of the story and of the table, whatever the numbers are."""
    return {
        label.strip()
        for line in transcript.splitlines()
        for label in FIRST_COLUMN.findall(line)
        for label in label
        if label
    }


def test_a_worker_that_cannot_start_ends_the_demo(run_demo: RunDemo) -> None:
    """The demo says how the worker ended, and shows what it said."""
    done = run_demo("--set", "CONCURRENCY=many")
    assert done.returncode == 1
    assert "the worker has ended by itself, with status 2" in done.stdout
    assert "CONCURRENCY: 'many' is not a whole number" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_the_demo(
    folder: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    """Ended by a signal in the middle, it takes its worker along."""
    with subprocess.Popen(
        [sys.executable, "-m", "worker", "demo", str(folder)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as demo:
        assert demo.stdout
        started = next(found for line in demo.stdout if (found := re.search(r"pid (\d+)", line)))
        demo.send_signal(number)
        rest = demo.stdout.read()
    assert demo.returncode == 128 + number
    assert f"ended     by {number.name}" in rest
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.group(1)), 0)


def test_without_its_extra_the_demo_says_what_to_install() -> None:
    """Neither rich nor moto is there: one line names the remedy, and --help works all the same."""
    program = "import sys; sys.modules['rich'] = None; from worker.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "demo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install -e '.[demo]'" in done.stderr
    assert "Traceback" not in done.stderr
    program = program.replace("'rich'", "'moto'")
    subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, check=True)
