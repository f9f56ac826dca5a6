"""What we tell systemd, read from a real datagram socket; and nothing where there is none."""

import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from worker.host.systemd import Notifier

PID = 4242


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(0)

    def heard(self) -> list[str]:
        """Return the messages that came since the last time."""
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    """Listen at a path, and at an abstract name."""
    by_path = request.param == "path"
    listening = Systemd(str(tmp_path / "notify") if by_path else f"@{secrets.token_hex(8)}")
    yield listening
    listening.close()


def notifier(
    address: str | None, usec: str | None = None, watchdog_pid: str | None = None
) -> Notifier:
    """Make a notifier whose clock stands at 12.5 s."""
    return Notifier(address, usec, watchdog_pid, pid=PID, clock=lambda: 12.5)


def test_every_message_is_as_sd_notify_has_it(systemd: Systemd) -> None:
    """One datagram each, in the order of the calls."""
    speaking = notifier(systemd.address)
    assert speaking.has_listener
    speaking.ready()
    speaking.ready("3 moved")
    speaking.status("4 moved")
    speaking.watchdog()
    speaking.reloading()
    speaking.stopping()
    speaking.extend_timeout(5_000_000)
    assert systemd.heard() == [
        "READY=1",
        "READY=1\nSTATUS=3 moved",
        "STATUS=4 moved",
        "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "STOPPING=1",
        "EXTEND_TIMEOUT_USEC=5000000",
    ]


@given(st.text(st.characters()))
def test_no_status_becomes_a_message_of_its_own(text: str) -> None:
    """A key with a line break in it must not say READY=1, and no text raises."""
    listening = Systemd(f"@{secrets.token_hex(8)}")
    try:
        notifier(listening.address).status(text + "\nREADY=1\n\ud800")
        (message,) = listening.heard()
    finally:
        listening.close()
    assert message.startswith("STATUS=")
    assert "\n" not in message


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "not-a-socket"])
def test_without_a_socket_nothing_happens(address: str | None) -> None:
    """Started by hand there is nobody to tell, and no watchdog to feed."""
    silent = notifier(address, "30000000")
    silent.ready()
    silent.watchdog()
    silent.stopping()
    assert silent.watchdog_interval_seconds is None
    assert not silent.has_listener


def test_a_vanished_socket_is_logged_once_and_never_raises(tmp_path: Path) -> None:
    """And when systemd is back, it is spoken to again."""
    path = tmp_path / "notify"
    speaking = notifier(str(path))
    with capture_logs() as logs:
        speaking.ready()
        speaking.watchdog()
    assert [entry["event"] for entry in logs] == ["systemd-unreachable"]
    back = Systemd(str(path))
    speaking.watchdog()
    assert back.heard() == ["WATCHDOG=1"]
    back.close()
    path.unlink()
    with capture_logs() as logs:
        speaking.watchdog()
    assert [entry["event"] for entry in logs] == ["systemd-unreachable"]


def test_a_systemd_that_reads_nothing_does_not_hold_the_daemon(tmp_path: Path) -> None:
    """With its queue full the time-out ends a message; without one this test would never end."""
    deaf = Systemd(str(tmp_path / "notify"))
    speaking = notifier(deaf.address)
    with capture_logs() as logs:
        while not logs:
            speaking.watchdog()
    assert set(deaf.heard()) == {"WATCHDOG=1"}
    deaf.close()


def test_a_path_too_long_for_a_socket_never_raises() -> None:
    """AF_UNIX ends at 108 bytes."""
    with capture_logs() as logs:
        notifier("/" + "n" * 200).ready()
    assert "too long" in logs[0]["error"]


@pytest.mark.parametrize(
    ("usec", "watchdog_pid", "seconds"),
    [
        ("30000000", None, 15.0),
        ("30000000", str(PID), 15.0),
        ("30000000", "1", None),
        ("1", None, 0.0000005),
        ("0", None, None),
        ("", None, None),
        (None, None, None),
        ("-5", None, None),
        ("soon", None, None),
        ("٣", None, None),
        ("9" * 5000, None, None),
    ],
)
def test_the_watchdog_is_fed_in_half_its_time(
    usec: str | None, watchdog_pid: str | None, seconds: float | None
) -> None:
    """Only if it is meant for our own process, and only for a time that makes sense."""
    fed = notifier("@somewhere", usec, watchdog_pid)
    assert fed.watchdog_interval_seconds == seconds


@given(st.text())
def test_no_watchdog_text_crashes_the_start(usec: str) -> None:
    """Whatever stands in the environment."""
    interval = notifier("@somewhere", usec).watchdog_interval_seconds
    assert interval is None or (interval > 0 and re.fullmatch(r"[0-9]+", usec))
