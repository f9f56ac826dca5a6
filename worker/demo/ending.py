"""Signals end the demo between two steps, never inside one: what was started is always ended."""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndedError(Exception):
    """Raised when a signal asked the demo to end."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


class Ending:
    """Remembers the first of the signals that ask us to end."""

    def __init__(self) -> None:
        self._number: int | None = None

    def install(self) -> None:
        """Take the signals over, for good: while we end, further ones change nothing."""
        for number in SIGNALS:
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raise EndedError if a signal came."""
        if self._number is not None:
            raise EndedError(self._number)

    def forget(self) -> None:
        """Let the next signal count as the first."""
        self._number = None

    def _note(self, number: int, _: FrameType | None) -> None:
        self._number = self._number or number
