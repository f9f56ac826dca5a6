"""Tells an outage from a bad object, so that an outage never empties the queue into the DLQ. Pure.

While every move fails, nothing is received but a few messages that serve as probes: they are held
under their leases and tried again and again, at no cost in receipts, until one of them goes
through.
"""

from dataclasses import dataclass, replace

OPENS_AFTER = 3
"""Failures in a row, with no success between them: one bad object does not make an outage."""

PROBES_HELD = 3
"""Messages held as probes; several, so that one bad object among them cannot keep it open."""

WIDEN_SECONDS = 60.0
"""One more probe each minute: three bad objects must not keep everything else back, and a refusal
by SQS shows only if it is asked."""

WIDEN_MOST = 200
"""So many messages beside a full house: those that waited in batches as it opened, and an hour or
more of further probes. Then it is everything that fails, as far as anybody sees."""

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
"""Between probes: soon back after a hiccup, and a minute at most after a mended outage."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Counts failures in a row; open while there are too many. Times in seconds, monotonic.

    `rounds` counts the probes that failed, `under_way` tells that one has not answered yet.
    """

    failures: int = 0
    rounds: int = 0
    next_probe: float = 0.0
    under_way: bool = False
    cause: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether everything fails."""
        return self.failures >= OPENS_AFTER

    def succeeded(self) -> "Breaker":
        """Return the breaker after S3 did what it was asked."""
        return Breaker() if self.failures else self

    def failed(self, now: float, cause: str, jitter: float) -> "Breaker":
        """Return the breaker after a fault that may be everybody's; `jitter` in [0, 1)."""
        noted = replace(self, failures=self.failures + 1, cause=cause)
        if not noted.is_open or (self.is_open and not self.under_way):
            return noted  # what was asked before it opened tells nothing new, however much it was
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * float(1 << min(self.rounds, 16)))
        wait = longest * (0.5 + jitter / 2)
        return replace(noted, rounds=self.rounds + 1, next_probe=now + wait, under_way=False)

    def probing(self, now: float) -> "Breaker":
        """Return the breaker while one message probes: the others wait for what it finds."""
        return replace(self, next_probe=now + LONGEST_WAIT_SECONDS, under_way=True)
