"""Objects left in the source prefix -> what to do with them, and how a sweep went. Pure.

An object is left when no event of it arrived, or its message ended in the dead-letter queue.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from worker.core.events import ObjectEvent
from worker.core.move import Outcome, Result
from worker.core.plan import Move, Refuse, Route, Skip, plan
from worker.core.port import FaultKind, Location
from worker.operator.forecast import ARCHIVES

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(r"(?:\d{1,9}[smhd])+", re.ASCII)

HOPELESS_AFTER = 20
"""So many refusals for access in a row, and the next thousand would fare no better."""

SETTLED = frozenset({Result.MOVED, Result.ALREADY_MOVED, Result.SUPERSEDED})
"""What a sweep may end with and still be a success."""


def parse_duration(text: str) -> int:
    """Read `15m`, `36h` or `1h30m` as seconds; raises ValueError that says what would do."""
    if not DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; something like 90s, 15m, 36h or 2d would do")
    parts = re.findall(r"(\d+)([smhd])", text)
    return sum(int(count) * UNIT_SECONDS[unit] for count, unit in parts)


@dataclass(frozen=True, slots=True)
class Listed:
    """One object as a listing shows it: `size` in bytes, `last_modified` in Unix seconds."""

    location: Location
    size: int
    last_modified: float
    etag: str
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that was left, its age in seconds, and what its event would have led to."""

    listed: Listed
    age_seconds: int
    decision: Move | Refuse

    @property
    def is_archived(self) -> bool:
        """Whether it must be restored before it can be moved."""
        return self.listed.storage_class in ARCHIVES

    @property
    def what_happens(self) -> str:
        """What `--move` would do with it."""
        if isinstance(self.decision, Refuse):
            return f"cannot be moved: {self.decision.reason}"
        if self.is_archived:
            return f"restore it first ({self.listed.storage_class})"
        return f"move to {self.decision.destination}"


def candidates(
    listing: Iterable[Listed], route: Route, now: float, older_than: int
) -> Iterator[Candidate]:
    """Pick what is older than so many seconds and is a file of ours; `now` in Unix seconds.

    Whatever an event of it would be skipped for (a folder marker) is left out.
    """
    for listed in listing:
        age = max(0, int(now - listed.last_modified))
        if age < older_than:
            continue
        event = ObjectEvent("ObjectCreated:Sweep", listed.location, listed.etag, listed.size)
        decision = plan(event, route)
        if not isinstance(decision, Skip):
            yield Candidate(listed, age, decision)


@dataclass(slots=True)
class Tally:
    """Counts outcomes, and notices when nothing but refusals for access comes back."""

    counts: Counter[Result] = field(default_factory=Counter)
    denied_in_a_row: int = 0

    def note(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.counts[outcome.result] += 1
        denied = outcome.fault is not None and outcome.fault.kind is FaultKind.ACCESS
        self.denied_in_a_row = self.denied_in_a_row + 1 if denied else 0

    @property
    def is_hopeless(self) -> bool:
        """Whether to stop: every one of the latest was refused for access."""
        return self.denied_in_a_row >= HOPELESS_AFTER

    @property
    def is_complete(self) -> bool:
        """Whether all were moved or superseded; also if there was nothing to move."""
        return set(self.counts) <= SETTLED

    def __str__(self) -> str:
        """Name each outcome and how often it was met."""
        counted = [f"{count} {result}" for result, count in sorted(self.counts.items())]
        return ", ".join(counted) or "nothing to move"


def age_text(seconds: int) -> str:
    """Write an age in its largest unit or two: `45s`, `12m`, `3h5m`, `9d4h`."""
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes}m"
    return f"{minutes}m" if minutes else f"{seconds}s"
