"""How many moves at a time: fewer when S3 asks to slow down, more again as time passes. Pure."""

from dataclasses import dataclass, replace

CUT = 0.7
"""What is left of the limit after a SlowDown: a firm step, and still most of the work."""

CUT_EVERY_SECONDS = 1.0
"""Requests sent together are throttled together; that counts once."""

DOUBLING_SECONDS = 2.5
"""How long it climbs to twice as much, if S3 stays content: a second after a cut it is at S3's
ceiling again, and is cut at once. Slower, and a SlowDown in twenty requests that no rate explains
would hold it at four requests a second; with a cut each second it still falls."""

MOST_DOUBLINGS = 10.0
"""From one to 1,024, the highest limit there is."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The limit as it was at `since` (seconds of a monotonic clock); it climbs from there."""

    most: int
    level: float
    since: float

    @classmethod
    def full(cls, most: int) -> "Pace":
        """Begin with all there is."""
        return cls(most, float(most), 0.0)

    def limit(self, now: float) -> int:
        """Return how many moves may be under way now: at least one."""
        doublings = min(MOST_DOUBLINGS, max(0.0, now - self.since) / DOUBLING_SECONDS)
        return max(1, min(self.most, int(self.level * 2.0**doublings)))

    def throttled(self, now: float) -> "Pace":
        """Return the pace after a SlowDown."""
        if now - self.since < CUT_EVERY_SECONDS and self.level < self.most:
            return self
        return replace(self, level=max(1.0, self.limit(now) * CUT), since=now)
