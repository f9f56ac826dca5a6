"""Counters and latencies, in memory that does not grow. Pure."""

import math
from collections import Counter

BUCKET_RATIO = 1.2
"""Each bucket reaches 20 % further than the one before: percentiles are right to that."""

SMALLEST_SECONDS = 0.001
BUCKETS = 96
"""From 1 ms to half a day."""


class Latencies:
    """How long things took, as counts in buckets."""

    def __init__(self) -> None:
        self._counts = [0] * BUCKETS
        self._longest = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        steps = math.log(max(seconds, SMALLEST_SECONDS) / SMALLEST_SECONDS, BUCKET_RATIO)
        self._counts[min(BUCKETS - 1, math.ceil(steps))] += 1
        self._longest = max(self._longest, seconds)

    def percentile(self, share: float) -> float:
        """Return the seconds within which `share` (0 to 1) of all were done; 0.0 for none."""
        left = share * sum(self._counts)
        for index, count in enumerate(self._counts):
            left -= count
            if count and left <= 0:
                return min(self._longest, SMALLEST_SECONDS * BUCKET_RATIO**index)
        return self._longest

    def summary(self) -> dict[str, float]:
        """Return the median, the 95th percentile and the longest, in seconds."""
        return {
            "p50": round(self.percentile(0.5), 3),
            "p95": round(self.percentile(0.95), 3),
            "longest": round(self._longest, 3),
        }


class Metrics:
    """What the worker has done since it started, and since the last summary."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()
        self._since: Counter[str] = Counter()
        self._latencies = Latencies()

    def count(self, name: str, by: int = 1) -> None:
        """Count something that happened."""
        self.totals[name] += by
        self._since[name] += by

    def took(self, seconds: float) -> None:
        """Note how long a message took from its receipt to its verdict."""
        self._latencies.add(seconds)

    def summary(self) -> dict[str, object]:
        """Return what happened since the last summary, and begin anew."""
        since, self._since = dict(sorted(self._since.items())), Counter()
        latencies, self._latencies = self._latencies.summary(), Latencies()
        return {"counts": since, "seconds": latencies, "moved_in_all": self.totals["moved"]}
