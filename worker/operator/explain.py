"""The text of a message -> what this worker would do with each entry of it, and why. Pure.

The text may be the SQS body itself, what `aws sqs receive-message` prints, or the event that Lambda
hands to a function. No text makes it raise.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from worker.core.events import Entry, Malformed, ObjectEvent, parse
from worker.core.events import TestEvent as S3TestEvent
from worker.core.move import MoveRules, OnConflict, Outcome, Result
from worker.core.pipeline import Rules
from worker.core.plan import Move, Refuse, Route, Skip, SkipReason, plan
from worker.core.port import Steps
from worker.core.verdict import Ack, OnMalformed, OnMissing, Retry, VerdictRules, judge
from worker.operator.forecast import Forecast, forecast


class Effect(StrEnum):
    """What the worker would do with one entry."""

    MOVE = "move"
    SKIP = "skip"
    REFUSE = "refuse"
    MALFORMED = "malformed"
    TEST_EVENT = "test-event"


@dataclass(frozen=True, slots=True)
class EntryExplanation:
    """What would become of one entry, and why. `task` is the move, if it is one.

    `forecast` is there once S3 has been looked at.
    """

    effect: Effect
    why: str
    event: ObjectEvent | None = None
    task: Move | None = None
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of one message: `verdict` is `ack`, `retry` or `reject`.

    `certain` False: S3 has a say in it, and the verdict is the one if the moves succeed (or, once
    S3 has been looked at, if nothing changes meanwhile).
    """

    message_id: str
    entries: tuple[EntryExplanation, ...]
    verdict: str
    why: str
    certain: bool


SKIPPED_FOR = {
    SkipReason.NOT_CREATED: "the event is not about an object that was created",
    SkipReason.OTHER_BUCKET: "the object is in another bucket than BUCKET",
    SkipReason.OTHER_PREFIX: "the object is not under SRC_PREFIX",
    SkipReason.FOLDER_MARKER: "an empty object that stands for a folder",
}


def explain(text: str, rules: Rules) -> list[Explanation]:
    """Explain every message in `text`; there is at least one."""
    return [_explain(message_id, body, rules) for message_id, body in messages(text)]


def explain_live(explanations: Sequence[Explanation], rules: Rules) -> Steps[list[Explanation]]:
    """Add to each move what it would find in S3 now; yields only HeadObject requests."""
    looked = []
    for each in explanations:
        entries = []
        for entry in each.entries:
            seen = (yield from forecast(entry.task, rules.moves)) if entry.task else None
            entries.append(replace(entry, forecast=seen))
        looked.append(_conclude(each.message_id, tuple(entries), rules.verdicts))
    return looked


def messages(text: str) -> list[tuple[str, str]]:
    """Find the messages in a text: (message id or "", body). The text itself, if it holds none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return [("", text)]
    if isinstance(document, dict):
        for listed, body, name in (
            ("Messages", "Body", "MessageId"),  # `aws sqs receive-message`
            ("Records", "body", "messageId"),  # Lambda
        ):
            if found := _bodies(document.get(listed), body, name):
                return found
    return [("", text)]


def _bodies(listed: object, body: str, name: str) -> list[tuple[str, str]]:
    """Return the bodies if every one of the list has one: S3's own `Records` have none."""
    if not isinstance(listed, list):
        return []
    found = [
        (str(each.get(name, "")), each[body])
        for each in listed
        if isinstance(each, dict) and isinstance(each.get(body), str)
    ]
    return found if len(found) == len(listed) else []


def _explain(message_id: str, body: str, rules: Rules) -> Explanation:
    entries = tuple(_explain_entry(entry, rules) for entry in parse(body))
    return _conclude(message_id, entries, rules.verdicts)


def _explain_entry(entry: Entry, rules: Rules) -> EntryExplanation:
    match entry:
        case Malformed(reason):
            return EntryExplanation(Effect.MALFORMED, f"{reason}; {_of_malformed(rules.verdicts)}")
        case S3TestEvent(bucket):
            why = f"S3 sends one when a notification is set up (bucket {bucket or 'not named'})"
            return EntryExplanation(Effect.TEST_EVENT, why)
        case event:
            return _explain_event(event, rules.route, rules.moves)


def _of_malformed(rules: VerdictRules) -> str:
    if rules.on_malformed is OnMalformed.DROP:
        return "ON_MALFORMED=drop: logged, and acknowledged"
    return "ON_MALFORMED=reject: left for the dead-letter queue"


def _explain_event(event: ObjectEvent, route: Route, rules: MoveRules) -> EntryExplanation:
    match plan(event, route):
        case Skip(reason):
            return EntryExplanation(Effect.SKIP, SKIPPED_FOR[reason], event)
        case Refuse(reason=reason):
            return EntryExplanation(Effect.REFUSE, f"{reason}; the source stays", event)
        case task:
            return EntryExplanation(Effect.MOVE, "; ".join(_notes(task, rules)), event, task)


def _notes(task: Move, rules: MoveRules) -> Iterable[str]:
    yield (
        f"only while its ETag is {task.etag}"
        if task.etag
        else "the event tells no ETag: whatever is there then is moved"
    )
    if (task.size or 0) > rules.multipart_threshold:
        yield "copied in parts"
    yield {
        OnConflict.REPLACE: "an older file of that name is replaced",
        OnConflict.KEEP_BOTH: "beside an older file of that name",
        OnConflict.REJECT: "rejected if another file has that name",
    }[rules.on_conflict]


# --- the verdict ----------------------------------------------------------------------------------

OUTCOMES: Mapping[Effect, Result] = {
    Effect.MOVE: Result.MOVED,
    Effect.SKIP: Result.SKIPPED,
    Effect.REFUSE: Result.UNMOVABLE,
    Effect.MALFORMED: Result.MALFORMED,
    Effect.TEST_EVENT: Result.SKIPPED,
}


def _conclude(
    message_id: str, entries: tuple[EntryExplanation, ...], rules: VerdictRules
) -> Explanation:
    """Judge as the worker judges, with each move's outcome foreseen or taken to be a success."""
    outcomes = [
        entry.forecast.outcome if entry.forecast else Outcome(OUTCOMES[entry.effect], None, "")
        for entry in entries
    ]
    certain = not any(entry.task for entry in entries)
    match judge(outcomes, rules, receive_count=1, jitter=0.0):
        case Ack():
            why = "nothing in it waits for anything" if certain else "once its moves are done"
            return Explanation(message_id, entries, "ack", why, certain)
        case Retry(why=why):
            return Explanation(message_id, entries, "retry", why, certain)
        case reject:
            after = "" if certain else ", once its moves are done"
            why = f"{reject.why.removesuffix(': ')}{after}; left for the dead-letter queue"
            return Explanation(message_id, entries, "reject", why, certain)


def foreseen(seen: Forecast, rules: Rules) -> str:
    """Say in words what a forecast means."""
    outcome = seen.outcome
    match outcome.result:
        case Result.MOVED if seen.replaces:
            return (
                f"would be moved to {outcome.destination}, over the file with ETag {seen.replaces}"
            )
        case Result.MOVED if seen.copies:
            return f"would be moved to {outcome.destination}"
        case Result.MOVED:
            return f"is at {outcome.destination} already; only the source would be deleted"
        case Result.ALREADY_MOVED:
            return f"the source is gone, and {outcome.destination} is there: moved before"
        case Result.SUPERSEDED:
            return "the source has another ETag by now: its own event moves it"
        case Result.MISSING:
            what = "acknowledged" if rules.verdicts.on_missing is OnMissing.ACK else "rejected"
            return f"{outcome.detail}; ON_MISSING={rules.verdicts.on_missing}: {what}"
        case Result.CONFLICT:
            return f"{outcome.detail}; ON_CONFLICT=reject"
        case _:
            return f"{outcome.result}: {outcome.detail}"
