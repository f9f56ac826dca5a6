"""A generator's life as a tree of moments, so that an exploration can branch from any of them.

A generator cannot be copied. But it is a function of the replies it was sent: a moment is named
by its task and those replies, and is reached again by sending them to a fresh generator.
"""

from collections.abc import Callable
from dataclasses import dataclass

from worker.core.move import Outcome
from worker.core.port import Reply, Request, Steps


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a run of a generator stands: what it asks next, or how it ended."""

    start: int
    replies: tuple[Reply, ...]
    request: Request | None
    outcome: Outcome | None


class Replay:
    """Moments by number. Each is worked out once, however often an exploration passes by."""

    def __init__(self, starts: tuple[Callable[[], Steps[Outcome]], ...]) -> None:
        self._starts = starts
        self._after: dict[tuple[int, Reply], int] = {}
        self._ended: dict[tuple[int, Outcome], int] = {}
        self.moments: list[Moment] = []
        self.roots = tuple(self._add(number, ()) for number in range(len(starts)))

    def after(self, number: int, reply: Reply) -> int:
        """Return the moment that a reply leads to."""
        known = self._after.get((number, reply))
        if known is None:
            moment = self.moments[number]
            known = self._add(moment.start, (*moment.replies, reply))
            self._after[number, reply] = known
        return known

    def _add(self, start: int, replies: tuple[Reply, ...]) -> int:
        steps = self._starts[start]()
        request, outcome = None, None
        try:
            request = next(steps)
            for reply in replies:
                request = steps.send(reply)
        except StopIteration as stop:
            request, outcome = None, stop.value
        if outcome and (start, outcome) in self._ended:
            return self._ended[start, outcome]
        self.moments.append(Moment(start, replies, request, outcome))
        number = len(self.moments) - 1
        if outcome:
            self._ended[start, outcome] = number
        return number
