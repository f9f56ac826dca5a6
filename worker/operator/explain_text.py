"""Explanations, for people and as JSON's kinds. Pure; no text makes it raise."""

from collections.abc import Iterable, Sequence

from worker.core.pipeline import Rules
from worker.operator.explain import EntryExplanation, Explanation, foreseen

VERDICTS = {"ack": "acknowledged", "retry": "tried again later", "reject": "rejected"}


def as_lines(explanations: Sequence[Explanation], rules: Rules) -> Iterable[str]:
    """Write the explanations as lines without line ends; odd characters are escaped."""
    for number, each in enumerate(explanations, 1):
        if len(explanations) > 1 or each.message_id:
            name = f" ({each.message_id})" if each.message_id else ""
            yield printable(f"message {number} of {len(explanations)}{name}")
        for entry in each.entries:
            yield from (printable(line) for line in _entry_lines(entry, rules))
        yield printable(f"  => {VERDICTS[each.verdict]}: {each.why}")


def _entry_lines(entry: EntryExplanation, rules: Rules) -> Iterable[str]:
    event, task = entry.event, entry.task
    subject = f" {event.name} {event.location}" if event else ""
    yield f"  {entry.effect}:{subject}"
    if task:
        yield f"      to {task.destination}"
    yield f"      {entry.why}"
    if entry.forecast:
        yield f"      now: {foreseen(entry.forecast, rules)}"


def printable(text: str) -> str:
    """Escape what a terminal would act on, and what UTF-8 cannot carry; keys may hold anything."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def as_json(explanations: Sequence[Explanation], rules: Rules) -> list[dict[str, object]]:
    """Return the explanations as JSON's kinds."""
    return [
        {
            "message_id": each.message_id or None,
            "verdict": each.verdict,
            "certain": each.certain,
            "why": each.why,
            "entries": [_entry_json(entry, rules) for entry in each.entries],
        }
        for each in explanations
    ]


def _entry_json(entry: EntryExplanation, rules: Rules) -> dict[str, object]:
    event, task, seen = entry.event, entry.task, entry.forecast
    return {
        "effect": entry.effect.value,
        "why": entry.why,
        "event": event and event.name,
        "source": event and str(event.location),
        "destination": task and str(task.destination),
        "etag": event and event.etag,
        "bytes": event and event.size,
        "version_id": event and event.version_id,
        "sequencer": event and event.sequencer,
        "now": seen
        and {
            "outcome": seen.outcome.result.value,
            "destination": seen.outcome.destination and str(seen.outcome.destination),
            "replaces": seen.replaces,
            "in_words": foreseen(seen, rules),
        },
    }
