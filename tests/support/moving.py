"""What tests of the move share: places, rules, and S3s that say something else for once."""

from collections.abc import Callable
from itertools import count

from support.conditions import Behaviour
from support.twin import S3Twin, drive
from worker.core.move import MoveRules, OnConflict, Outcome, Result, move
from worker.core.multipart import MEBIBYTE
from worker.core.plan import Move
from worker.core.port import (
    Fault,
    FaultKind,
    Location,
    Reply,
    Request,
)

SOURCE, DESTINATION = Location("in", "uploads/f.txt"), Location("out", "processed/f.txt")
BESIDE = Location("out", "processed/f.0A.txt")
TIMED_OUT = Fault(FaultKind.UNAVAILABLE, "S3", "RequestTimeout", "too slow")
REPLACE = MoveRules()
KEEP_BOTH = MoveRules(on_conflict=OnConflict.KEEP_BOTH)
REJECT = MoveRules(on_conflict=OnConflict.REJECT)
IN_PARTS = MoveRules(multipart_threshold=MEBIBYTE)
MOVED = Outcome(Result.MOVED, DESTINATION)
Perform = Callable[[Request], Reply]


def fresh_twin(behaviour: Behaviour | None = None) -> S3Twin:
    """Return an S3 whose clock goes on with every glance."""
    ticks = count(1)
    return S3Twin(lambda: float(next(ticks)), behaviour or Behaviour())


def uploaded(twin: S3Twin, label: str = "a", size: int = 1, metadata: str = "") -> Move:
    """Upload the file; return what its event asks for."""
    stored = twin.put(SOURCE, label, size, metadata=(("version", metadata),))
    return Move(SOURCE, DESTINATION, stored.etag, size, None, "0A")


def run(task: Move, twin: S3Twin, rules: MoveRules = REPLACE) -> Outcome:
    """Move, with nobody else around."""
    return drive(move(task, rules), twin.perform)


def names(twin: S3Twin) -> list[str]:
    """Return the operations that were asked for, in order."""
    return [type(request).__name__ for request in twin.requests]


def instead(twin: S3Twin, *told: tuple[type[Request], Reply]) -> Perform:
    """Return a way to perform in which the next requests of some kinds hear something else."""
    left = list(told)

    def perform(request: Request) -> Reply:
        for position, (kind, reply) in enumerate(left):
            if isinstance(request, kind):
                del left[position]
                return reply
        return twin.perform(request)

    return perform


def before(twin: S3Twin, kind: type[Request], happens: Callable[[], object]) -> Perform:
    """Return a way to perform in which something happens just before the first such request."""
    waiting = [happens]

    def perform(request: Request) -> Reply:
        if isinstance(request, kind) and waiting:
            waiting.pop()()
        return twin.perform(request)

    return perform
