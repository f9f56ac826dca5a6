"""Dead letters and why they are dead, for people and for machines. Pure."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, cast

from rich.table import Table
from rich.text import Text

from provision.core.dead_letter import Letter
from provision.core.resource import Json
from worker.core.pipeline import Rules
from worker.operator.explain import Explanation, foreseen
from worker.operator.explain_text import as_json, as_lines, printable

SHORT_ID: Final = 8
HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 24 * HOUR_SECONDS

Explained = tuple[Letter, Explanation]


def letters_table(explained: Sequence[Explained], rules: Rules, now: float) -> Table:
    """Return a row a letter: which, how old, about which object, and what would become of it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for letter, explanation in explained:
        age, left = duration(now - letter.sent), duration(letter.expires - now)
        told = Text(f"sent {age} ago, expires in {left}", style="dim")
        for each in _told(explanation, rules):
            told.append(f"\n{each}", style="not dim")
        table.add_row(letter.id[:SHORT_ID], told)
    return table


def letter_lines(letter: Letter, explanation: Explanation, rules: Rules) -> Iterator[str]:
    """Write one letter whole: what SQS knows of it, the worker's explanation, the body."""
    yield f"message {letter.id}"
    yield f"  sent {_time(letter.sent)}, expires {_time(letter.expires)}"
    yield f"  received {letter.receives} times, looks like this one included"
    yield f"  set aside from {letter.source or 'nowhere: it was sent here directly'}"
    yield from list(as_lines([explanation], rules))[1:]
    yield "  body:"
    yield from (f"    {printable(line)}" for line in _pretty(letter.body).splitlines())


def letters_document(explained: Sequence[Explained], rules: Rules) -> Json:
    """Return the letters as a JSON document."""
    return [
        {
            "message_id": letter.id,
            "sent": _time(letter.sent),
            "expires": _time(letter.expires),
            "receives": letter.receives,
            "source": letter.source,
            "body": letter.body,
            "explanation": _document(explanation, rules),
        }
        for letter, explanation in explained
    ]


def duration(seconds: float) -> str:
    """Return a time span as people say it, in its largest unit."""
    if seconds >= 2 * DAY_SECONDS:
        return f"{seconds / DAY_SECONDS:.0f} days"
    if seconds >= 2 * HOUR_SECONDS:
        return f"{seconds / HOUR_SECONDS:.0f} hours"
    return f"{max(seconds, 0) / 60:.0f} min"


def _told(explanation: Explanation, rules: Rules) -> Iterator[str]:
    """Yield a line for each object, and one below it for what would become of it now."""
    for each in explanation.entries:
        if each.event:
            yield printable(str(each.event.location))
        seen = foreseen(each.forecast, rules) if each.forecast else each.why
        yield printable(f"{each.effect}: {seen}")


def _document(explanation: Explanation, rules: Rules) -> Json:
    [document] = as_json([explanation], rules)
    return cast("Json", document)


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
