"""One message, from body to verdict: parse, plan, move, judge. Sans-I/O.

The daemon and the Lambda function drive this same generator; so does the demo, through the daemon.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from worker.core.events import Entry, Malformed, ObjectEvent, parse
from worker.core.events import TestEvent as S3TestEvent
from worker.core.move import MoveRules, Outcome, Result, move
from worker.core.plan import Refuse, Route, Skip, plan
from worker.core.port import Fault, Location, Steps
from worker.core.verdict import Verdict, VerdictRules, judge


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides what becomes of a message."""

    route: Route
    moves: MoveRules = field(default_factory=MoveRules)
    verdicts: VerdictRules = field(default_factory=VerdictRules)


@dataclass(frozen=True, slots=True)
class Audit:
    """What one entry of a message was about, and what became of it, in how many seconds."""

    outcome: Outcome
    seconds: float
    source: Location | None = None
    etag: str | None = None
    size: int | None = None
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """A message's verdict, and one Audit an entry, in the message's order."""

    verdict: Verdict
    audits: tuple[Audit, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that keep the message from being settled."""
        return tuple(
            audit.outcome.fault
            for audit in self.audits
            if audit.outcome.fault and audit.outcome.result is Result.FAILED
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as far as its handling goes; `receive_count` counts from 1."""

    body: str
    receive_count: int = 1


def handle(
    message: Envelope, rules: Rules, clock: Callable[[], float], jitter: float
) -> Steps[Handled]:
    """Handle one message: its records in turn, then the verdict.

    `clock` returns seconds (any origin); `jitter` in [0, 1) spreads retries.
    """
    audits: list[Audit] = []
    for entry in parse(message.body):
        audited = yield from _handle_entry(entry, rules, clock)
        audits.append(audited)
    outcomes = [audit.outcome for audit in audits]
    verdict = judge(outcomes, rules.verdicts, message.receive_count, jitter)
    return Handled(verdict, tuple(audits))


def _handle_entry(entry: Entry, rules: Rules, clock: Callable[[], float]) -> Steps[Audit]:
    if isinstance(entry, Malformed):
        return Audit(Outcome(Result.MALFORMED, detail=entry.reason), 0.0)
    if isinstance(entry, S3TestEvent):
        return Audit(Outcome(Result.SKIPPED, detail="test-event"), 0.0)
    started = clock()
    outcome = yield from _handle_event(entry, rules)
    seconds = clock() - started
    return Audit(outcome, seconds, entry.location, entry.etag, entry.size, entry.version_id)


def _handle_event(event: ObjectEvent, rules: Rules) -> Steps[Outcome]:
    planned = plan(event, rules.route)
    if isinstance(planned, Skip):
        return Outcome(Result.SKIPPED, detail=planned.reason.value)
    if isinstance(planned, Refuse):
        return Outcome(Result.UNMOVABLE, detail=planned.reason)
    return (yield from move(planned, rules.moves))
