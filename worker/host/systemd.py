"""Tells systemd how we are (sd_notify): a datagram to the socket it gave us, and nothing without.

The protocol is that of sd_notify(3); no message is worth an exception in the daemon.
"""

import re
import socket
from collections.abc import Callable

import structlog

log = structlog.get_logger()

SEND_TIMEOUT_SECONDS = 0.5
"""A busy systemd reads within this; a dead one must not hold the event loop, and the watchdog."""

MICROSECONDS = 1_000_000


class Notifier:
    """Speaks to systemd, if `notify_socket` (NOTIFY_SOCKET) names its socket.

    `watchdog_usec` and `watchdog_pid` are WATCHDOG_USEC and WATCHDOG_PID as they stand, `pid` our
    own number; `clock` returns seconds of CLOCK_MONOTONIC. No method raises.
    """

    def __init__(
        self,
        notify_socket: str | None,
        watchdog_usec: str | None = None,
        watchdog_pid: str | None = None,
        *,
        pid: int,
        clock: Callable[[], float],
    ) -> None:
        self._address = _socket_address(notify_socket or "")
        self._clock = clock
        self._lost = False
        self.watchdog_interval_seconds = (
            _watchdog_interval(watchdog_usec, watchdog_pid, pid) if self._address else None
        )

    @property
    def has_listener(self) -> bool:
        """Whether systemd gave us a socket; without one nothing is sent."""
        return self._address is not None

    def ready(self, status: str | None = None) -> None:
        """Tell that the start, or a reload, is over; with the status in the same breath."""
        self._send("READY=1" if status is None else f"READY=1\n{_status(status)}")

    def status(self, text: str) -> None:
        """Show one line of text in `systemctl status`."""
        self._send(_status(text))

    def watchdog(self) -> None:
        """Tell that work goes on; due every `watchdog_interval_seconds`, if that is not None."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Tell that the drain has begun; from now on TimeoutStopSec counts."""
        self._send("STOPPING=1")

    def reloading(self) -> None:
        """Tell that a reload has begun; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(self._clock() * MICROSECONDS)}")

    def extend_timeout(self, usec: int) -> None:
        """Ask for so many microseconds from now for the start or stop that is under way."""
        self._send(f"EXTEND_TIMEOUT_USEC={max(0, usec)}")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_TIMEOUT_SECONDS)
                sender.sendto(message.encode("utf-8", "replace"), self._address)
        except OSError as error:
            if not self._lost:
                log.warning("systemd-unreachable", error=str(error))
            self._lost = True
        else:
            self._lost = False


def _socket_address(notify_socket: str) -> str | None:
    """Return the address as the socket module wants it: a path, or an abstract name behind NUL."""
    if notify_socket.startswith("@"):
        return "\0" + notify_socket[1:]
    if notify_socket.startswith("/"):
        return notify_socket
    if notify_socket:
        log.warning("systemd-unreachable", error=f"{notify_socket!r} is no socket that we know")
    return None


def _watchdog_interval(usec: str | None, watchdog_pid: str | None, pid: int) -> float | None:
    """Return half the watchdog's time in seconds, as sd_watchdog_enabled(3) advises."""
    if watchdog_pid and watchdog_pid != str(pid):
        return None
    if not re.fullmatch(r"0*[1-9]\d{0,18}", usec or "", re.ASCII):
        return None
    return int(usec or 0) / MICROSECONDS / 2


def _status(text: str) -> str:
    """Keep the text on its line: a line of its own would be a message of its own."""
    return "STATUS=" + " ".join(text.split())
