"""The embedded AWS's own clock: the machine's, set forward at will."""

import time


class Clock:
    """Seconds since 1970; `advance` lets a test skip a lease, a minute or a retention period."""

    def __init__(self) -> None:
        self._ahead_seconds = 0.0

    def __call__(self) -> float:
        """Tell the time, in Unix seconds."""
        return time.time() + self._ahead_seconds

    def millis(self) -> float:
        """Tell the time in Unix milliseconds, as moto's SQS counts it."""
        return self() * 1000

    def advance(self, seconds: float) -> None:
        """Set the clock forward. Long polls see it within a second."""
        self._ahead_seconds += seconds
