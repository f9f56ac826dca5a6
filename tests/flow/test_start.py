"""How `worker run` starts, refuses to start, speaks to systemd, and takes over new settings."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.flow_aws import Aws, moto
from support.flow_files import File
from support.flow_pipeline import make_pipeline
from support.flow_process import START_SECONDS, Start, Worker, wait_until
from support.flow_proxy import FaultProxy

GUARDS = (
    "CopyObject If-None-Match",
    "CopyObject x-amz-copy-source-if-match",
    "CopyObject If-Match",
    "DeleteObjects ETag",
)
"""The conditions that plain moto ignores (it keeps DeleteObject's)."""

CHANGED = 'on_conflict = "reject"\nconcurrency = 5\n'


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0)
        self._told: list[str] = []

    def told(self) -> list[str]:
        """Return all that has been told so far, line by line."""
        while True:
            try:
                self._told += self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self._told

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """Listen as systemd does."""
    end = Systemd(tmp_path / "notify")
    yield end
    end.close()


def test_a_store_that_ignores_the_guards_is_refused(tmp_path: Path, start: Start) -> None:
    """On plain moto the worker exits 3, and names each condition that is not kept."""
    with moto(tmp_path, honest=False) as plain:
        pipeline = make_pipeline(plain, max_receives=3, visibility_seconds=30)
        worker = start(pipeline.environment())
        assert worker.wait() == 3, worker.picture()
        told = "\n".join(worker.lines())
        assert [guard for guard in GUARDS if f"guard: {guard}: ignored" not in told] == []
        assert worker.events("ready") == []


def test_settings_that_cannot_work_are_named_all_at_once(start: Start) -> None:
    """Exit 2, before anything is asked of AWS."""
    worker = start({"BUCKET": "NO BUCKET", "CONCURRENCY": "many", "SRC_PREFIX": "up"})
    assert worker.wait() == 2, worker.picture()
    told = "\n".join(worker.lines())
    for name in ("QUEUE_URL", "BUCKET", "REGION", "CONCURRENCY", "SRC_PREFIX"):
        assert f"{name}: " in told


def test_a_profile_that_nobody_knows_is_no_fault_of_ours(start: Start) -> None:
    """Exit 2, with the profile's name and where to look; no traceback."""
    url = "https://sqs.us-east-2.amazonaws.com/123456789012/uploads"
    worker = start({"QUEUE_URL": url, "BUCKET": "files", "AWS_PROFILE": "typo"})
    assert worker.wait() == 2, worker.picture()
    told = "\n".join(worker.lines())
    assert "(typo)" in told
    assert "AWS_PROFILE" in told
    assert "Traceback" not in told


def test_systemd_hears_of_each_stage(
    honest: Aws, proxy: FaultProxy, start: Start, systemd: Systemd
) -> None:
    """READY comes after the preflight and not before; then STATUS, WATCHDOG and STOPPING."""
    pipeline = make_pipeline(honest, max_receives=3, visibility_seconds=30)
    with proxy.holding("CopyObject"):  # the guard probe copies
        worker = start(
            pipeline.environment(
                proxy.endpoint_url, NOTIFY_SOCKET=str(systemd.path), WATCHDOG_USEC="2000000"
            )
        )
        wait_until(lambda: proxy.held("CopyObject"), "the probe", START_SECONDS, worker.picture)
        assert systemd.told() == []
    wait_until(
        lambda: systemd.told().count("WATCHDOG=1") >= 3,
        "three signs of life",
        START_SECONDS,
        lambda: f"{systemd.told()}\n{worker.picture()}",
    )
    assert systemd.told()[0] == "READY=1"
    assert any(line.startswith("STATUS=0 moved, 0 rejected") for line in systemd.told())
    assert "STOPPING=1" not in systemd.told()
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0, worker.picture()
    assert systemd.told().count("STOPPING=1") == 1
    assert systemd.told().count("READY=1") == 1


def test_sighup_takes_over_what_may_change(
    honest: Aws, start: Start, systemd: Systemd, tmp_path: Path
) -> None:
    """ON_CONFLICT changes while the worker runs; systemd hears when the reload begins and ends."""
    pipeline = make_pipeline(honest, max_receives=2, visibility_seconds=30)
    file = tmp_path / "settings.toml"
    file.write_text('on_conflict = "replace"\nconcurrency = 4\n', encoding="utf-8")
    worker = start(
        pipeline.environment(
            SETTINGS_FILE=str(file), NOTIFY_SOCKET=str(systemd.path), LOG_FORMAT=""
        )
    ).ready()
    first = File("name", b"first", (("version", "1"),))
    second = first.next_version()
    third = second.next_version()
    for upload in (first, second):
        pipeline.upload(upload)
        pipeline.wait_until_empty(60, worker.picture())
    assert pipeline.differences([second]) == []

    file.write_text(CHANGED, encoding="utf-8")
    worker.send(signal.SIGHUP)
    worker.wait_for("setting-changed")
    wait_until(lambda: systemd.told().count("READY=1") == 2, "READY", 60, worker.picture)
    told = [line.partition("=")[0] for line in systemd.told()]
    assert told.index("RELOADING") < len(told) - 1 - told[::-1].index("READY")
    assert "MONOTONIC_USEC" in told
    assert [each["setting"] for each in worker.events("setting-needs-restart")] == ["CONCURRENCY"]
    pipeline.upload(third)
    pipeline.wait_until_empty(60, worker.picture())
    assert pipeline.moved(second) == []
    assert pipeline.keys("uploads/") == ["name"]
    assert len(pipeline.bodies(pipeline.dlq)) == 1

    takes_over_the_logs_form(worker, file)
    says_what_is_no_toml(worker, file)
    wait_until(lambda: systemd.told().count("READY=1") == 4, "READY", 60, worker.picture)


def takes_over_the_logs_form(worker: Worker, file: Path) -> None:
    """Reload once more: the line that says so has the new form already."""
    file.write_text(f'{CHANGED}log_format = "console"\n', encoding="utf-8")
    worker.send(signal.SIGHUP)
    wait_until(lambda: lines_with(worker, "LOG_FORMAT"), "word of it", 60, worker.picture)
    (line,) = lines_with(worker, "LOG_FORMAT")
    assert "setting-changed" in line
    assert not line.startswith("{")


def says_what_is_no_toml(worker: Worker, file: Path) -> None:
    """Reload a file that cannot be read: it changes nothing."""
    file.write_text(f"on_conflict = {'[' * 5_000}", encoding="utf-8")
    worker.send(signal.SIGHUP)
    wait_until(lambda: lines_with(worker, "not-reloaded"), "word of it", 60, worker.picture)
    assert "is not TOML" in lines_with(worker, "not-reloaded")[0]


def lines_with(worker: Worker, word: str) -> list[str]:
    """Return the lines of a worker's log, of whatever form, that have a word."""
    return [line for line in worker.lines() if word in line]
