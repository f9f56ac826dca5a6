"""What botocore cannot work with is told before any call, with what to look at."""

import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from botocore.parsers import ResponseParserError

from worker.aws.asking import MAX_TRIES, Asking
from worker.aws.checks import run_checks
from worker.aws.clients import Clients
from worker.core.port import Fault, FaultKind
from worker.errors import AwsSetupError, ExitCode, PreflightError
from worker.operator.preflight import Level
from worker.settings import read_settings

REGION = "us-east-2"

PROFILES = """\
[profile lost]
credential_process = /nonexistent/program
[profile failing]
credential_process = false
"""


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have credentials of one's own, and a file of profiles."""
    (tmp_path / "config").write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.mark.parametrize(
    ("region", "profile", "endpoint", "told"),
    [
        (REGION, "typo", None, "profile"),
        ("us_east_2!", None, None, "region_name"),
        (REGION, None, "no address", "Invalid endpoint: no address"),
    ],
)
def test_what_botocore_cannot_work_with_is_a_fault_of_the_settings(
    region: str, profile: str | None, endpoint: str | None, told: str
) -> None:
    """Status 2: a restart, or another instance, would meet it again."""
    with pytest.raises(AwsSetupError, match=told) as raised:
        Clients(region, profile, endpoint).s3(1)
    assert raised.value.exit_code is ExitCode.SETTINGS
    assert "`worker check`" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "raised"),
    [
        (b"", json.JSONDecodeError),
        (b"no gzip", gzip.BadGzipFile),
        (gzip.compress(b"{}", mtime=0)[:-9], EOFError),
    ],
    ids=["empty", "other", "cut off"],
)
def test_damaged_files_of_botocores_are_no_fault_of_the_settings(
    content: bytes, raised: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No WorkerError, so status 1: systemd gives up after some starts, and the group replaces."""
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    (tmp_path / "sqs" / "2012-11-05").mkdir(parents=True)
    (tmp_path / "sqs" / "2012-11-05" / "service-2.json.gz").write_bytes(content)
    with pytest.raises(raised):
        Clients(REGION).sqs()


@pytest.mark.parametrize("profile", ["lost", "failing"])
def test_credentials_that_are_not_to_be_had_may_be_later(profile: str) -> None:
    """Status 3: the program that brings them is not there, or fails."""
    with pytest.raises(PreflightError, match="no usable credentials"):
        Clients(REGION, profile).s3(1)


@pytest.fixture
def hanging_up() -> Iterator[tuple[str, list[str]]]:
    """Listen, note each request's method, and hang up; gives the URL and the notes."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            asked.append(self.rfile.readline().decode())
            self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_place_that_cannot_be_reached_is_tried_three_times_and_no_more(
    hanging_up: tuple[str, list[str]],
) -> None:
    """STS, the queue, both prefixes: the text is out before systemd ends the start."""
    url, asked = hanging_up
    settings = read_settings({"QUEUE_URL": f"{url}/1/q", "BUCKET": "files", "REGION": REGION})
    found = run_checks(settings, Clients(REGION, endpoint=url), lambda _: None)
    assert [each.level for each in found] == [Level.WARNING, *[Level.FAILURE] * 3]
    assert len(asked) == 4 * MAX_TRIES


def test_an_answer_that_is_cut_off_is_asked_for_again_and_is_no_traceback() -> None:
    """A check ends with what went wrong, whatever stands between us and AWS."""
    asked: list[str] = []

    def cut_off() -> None:
        asked.append("once more")
        raise ResponseParserError("no closing tag")

    answer = Asking(lambda _: None)("ListObjectsV2", cut_off)
    assert isinstance(answer, Fault)
    assert (answer.kind, len(asked)) == (FaultKind.UNAVAILABLE, MAX_TRIES)
