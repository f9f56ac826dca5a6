"""What happened in a region, in order: the records that the time line is drawn from."""

import json
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Record:
    """What an instance, or a step of the tests, did so many seconds after the region's start."""

    seconds: float
    subject: str
    event: str
    facts: dict[str, str] = field(default_factory=dict)


class Journal:
    """A list of records, which any thread may add to."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._lock = threading.Lock()
        self.records: list[Record] = []

    def note(self, subject: str, event: str, **facts: str) -> None:
        """Add a record, timed now."""
        with self._lock:
            seconds = round(time.monotonic() - self._begin, 2)
            self.records.append(Record(seconds, subject, event, facts))

    def save(self, path: Path) -> None:
        """Write a line of JSON a record."""
        with self._lock:
            lines = [json.dumps(asdict(record)) for record in self.records]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def load(path: Path) -> list[Record]:
    """Read what `save` wrote."""
    return [Record(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
