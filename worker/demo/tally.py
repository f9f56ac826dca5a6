"""What the worker's log tells: which files were moved, and how often what happened. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

AT_REST = frozenset({"moved", "already-moved"})


class Tally:
    """Adds log lines up, of any number of workers one after the other."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        """How often an entry of a message came to which end."""
        self.moved: set[str] = set()
        """The sources of which a content was brought to its destination."""
        self.superseded: Counter[str] = Counter()
        """How many contents of a source were passed over for a newer one, by source."""

    def add(self, lines: Iterable[str]) -> list[Mapping[str, object]]:
        """Take lines in; returns what they told. What is no JSON object is passed over."""
        told = [line for line in map(_read, lines) if line]
        for line in told:
            if line.get("event") == "object":
                self._add_outcome(str(line.get("outcome", "")), str(line.get("source", "")))
        return told

    def _add_outcome(self, outcome: str, source: str) -> None:
        self.outcomes[outcome] += 1
        if outcome in AT_REST:
            self.moved.add(source)
        if outcome == "superseded":
            self.superseded[source] += 1


def _read(line: str) -> Mapping[str, object]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
