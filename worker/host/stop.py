"""Why we stop, and until when: signals, the Auto Scaling group and spot notices share one request.

Everything here belongs to the event loop's thread, blocks nobody, and may be asked for twice.
"""

import asyncio
import math
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import structlog

log = structlog.get_logger()


class StopReason(StrEnum):
    """Who wants us to stop."""

    SIGTERM = "SIGTERM"
    SIGINT = "SIGINT"
    ASG_TERMINATION = "asg-termination"
    SPOT_INTERRUPTION = "spot-interruption"
    ACCESS_LOST = "access-lost"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why we stop, and the second on the loop's monotonic clock at which the drain is over."""

    reason: StopReason
    deadline: float


class StopRequest:
    """Holds the first reason to stop and the earliest deadline that anyone has set.

    `clock` returns monotonic seconds. Call it on the event loop's thread only.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stop: Stop | None = None
        self._signalled = False
        self._aborted_by: signal.Signals | None = None
        self._requested = asyncio.Event()
        self._aborted = asyncio.Event()
        self._changed = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether anyone wants us to stop."""
        return self._stop is not None

    @property
    def stop(self) -> Stop | None:
        """The reason and the deadline as they stand; None while nobody wants us to stop."""
        return self._stop

    @property
    def aborted(self) -> bool:
        """Whether we are to end at once, drained or not."""
        return self._aborted_by is not None

    @property
    def aborted_by(self) -> signal.Signals | None:
        """The signal that ended the drain; the process then ends with 128 + its number."""
        return self._aborted_by

    def request(self, reason: StopReason | str, within_seconds: float) -> None:
        """Ask for a stop that is over `within_seconds` from now; less than 0 counts as 0.

        The first reason stays. A later request may tighten the deadline, and never loosens it.
        Raises ValueError for a reason that is no StopReason.
        """
        reason, seconds = StopReason(reason), max(0.0, within_seconds)
        deadline = self._clock() + seconds
        if self._stop is None:
            self._stop = Stop(reason, deadline)
            log.info("stop-requested", reason=reason.value, seconds=round(seconds, 1))
        elif deadline < self._stop.deadline:
            self._stop = Stop(self._stop.reason, deadline)
            log.info("stop-tightened", by=reason.value, seconds=round(seconds, 1))
        self._requested.set()
        self._changed.set()

    def request_abort(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask for an end at once, which is also a stop; the first such signal stays on record.

        Raises ValueError for a signal that is neither SIGTERM nor SIGINT.
        """
        self.request(by.name, 0.0)
        if self._aborted_by is None:
            self._aborted_by = by
            log.warning("drain-aborted", signal=by.name)
        self._aborted.set()

    def signal_came(self, number: signal.Signals, drain_seconds: float) -> None:
        """Drain on the first signal and end at once on the second, whichever the two are.

        A stop that the group or a spot notice began is no signal: one then only tightens.
        """
        if self._signalled:
            self.request_abort(number)
        else:
            self._signalled = True
            self.request(number.name, drain_seconds)

    def seconds_left(self) -> float:
        """Return the seconds until the deadline: never below 0, infinite while nothing stops."""
        if self._stop is None:
            return math.inf
        return max(0.0, self._stop.deadline - self._clock())

    async def wait(self) -> Stop:
        """Wait until anyone wants us to stop."""
        while self._stop is None:
            await self._requested.wait()
        return self._stop

    async def wait_aborted(self) -> None:
        """Wait until we are to end at once."""
        await self._aborted.wait()

    async def wait_deadline(self) -> None:
        """Wait until the drain must be over, however often the deadline is tightened meanwhile."""
        await self.wait()
        while (left := self.seconds_left()) > 0:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()


def install_signals(
    loop: asyncio.AbstractEventLoop, stop_request: StopRequest, drain_seconds: float
) -> None:
    """Let the first SIGTERM or SIGINT drain for `drain_seconds`, and the second end us at once.

    Call it again after a reload to change the seconds; signals that came are not forgotten.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_request.signal_came, number, drain_seconds)
