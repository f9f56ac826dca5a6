"""`worker sweep`: what was left in the source prefix; with --move, moved as an event would."""

import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import click

from worker import cli_settings
from worker.aws.checks import check_guards, describe_failures
from worker.aws.clients import Clients
from worker.aws.executor import BOTO3_CONCURRENCY
from worker.aws.listing import list_objects
from worker.aws.s3 import BotoS3
from worker.commands.output import complain, print_json, reports_errors, say
from worker.core.drive import drive
from worker.core.move import Outcome, Result, move
from worker.core.plan import Refuse
from worker.core.port import S3Port
from worker.errors import PreflightError
from worker.operator.explain_text import printable
from worker.operator.in_flight import in_flight
from worker.operator.preflight import Level, failures, is_unsupported
from worker.operator.sweep import Candidate, Tally, age_text, candidates, parse_duration
from worker.settings import Settings

INCOMPLETE = 6
"""Exit status: something was left where it was."""

EXAMPLES = """\b
Examples:
  worker sweep                              what is older than 15 minutes
  worker sweep --older-than 2d --json       one JSON object a line
  worker sweep --older-than 1h --move       move it, by the same protocol as the worker
"""


class Duration(click.ParamType[int]):
    """A command line's duration, in seconds."""

    name = "duration"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read the duration, or let click complain."""
        try:
            return value if isinstance(value, int) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(epilog=EXAMPLES)
@click.option(
    "--older-than",
    type=Duration(),
    default="15m",
    show_default=True,
    help="Leave younger objects alone: s, m, h, d.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many objects.")
@click.option("--move", "moves", is_flag=True, help="Move them; else they are only listed.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object a line.")
@reports_errors
def sweep(*, older_than: int, limit: int | None, moves: bool, wants_json: bool) -> None:
    """List the objects that no event moved, or move them.

    A listing writes nothing. --move is safe beside running workers: both follow the same protocol.
    It moves CONCURRENCY objects at a time.

    Exit status: 0 listed, or all were moved (or superseded by a newer upload); 2 settings that
    cannot work; 3 a permission is missing, or the store ignores the guards; 6 something stayed.
    """
    settings = cli_settings.load(needs_queue=False)
    clients = Clients(settings.region)
    with closing(clients.s3(1)) as lister:
        listing = list_objects(lister, settings.source)
        left = candidates(listing, settings.rules.route, time.time(), older_than)
        chosen = itertools.islice(left, limit)
        if moves:
            show = _print_json_outcome if wants_json else _print_outcome
            _move_all(chosen, settings, clients, show)
        else:
            _list_all(chosen, wants_json=wants_json)


# --- listing --------------------------------------------------------------------------------------


def _list_all(chosen: Iterable[Candidate], *, wants_json: bool) -> None:
    count = size = 0
    for each in chosen:
        if wants_json:
            print_json(_as_json(each), indent=None)
        else:
            if not count:
                say(f"{'BYTES':>15} {'AGE':>8} {'CLASS':<19} KEY -> WHAT WOULD HAPPEN")
            click.echo(_as_line(each))
        count, size = count + 1, size + each.listed.size
    say(f"{count} objects, {size} bytes" + ("; --move moves them" if count else ""))


def _as_line(each: Candidate) -> str:
    listed = each.listed
    facts = f"{listed.size:>15} {age_text(each.age_seconds):>8} {listed.storage_class:<19}"
    return printable(f"{facts} {listed.location.key} -> {each.what_happens}")


def _as_json(each: Candidate) -> dict[str, object]:
    listed, decision = each.listed, each.decision
    return {
        "key": listed.location.key,
        "bytes": listed.size,
        "age_seconds": each.age_seconds,
        "storage_class": listed.storage_class,
        "archived": each.is_archived,
        "etag": listed.etag,
        "destination": str(decision.destination),
        "what": each.what_happens,
    }


# --- moving ---------------------------------------------------------------------------------------


def _move_all(
    chosen: Iterable[Candidate],
    settings: Settings,
    clients: Clients,
    show: Callable[[Candidate, Outcome], None],
) -> None:
    conditions = _guards_hold(settings, clients)
    tally = Tally()
    with _s3(settings, clients, conditions=conditions) as s3:
        for each, outcome in _moved(chosen, settings, s3):
            show(each, outcome)
            tally.note(outcome)
            if tally.is_hopeless:
                complain("stopped: everything is refused for access; `worker check` says why")
                break
    say(str(tally))
    if not tally.is_complete:
        say("what stayed is safe where it was; run the sweep again, or see `worker check`")
        sys.exit(INCOMPLETE)


def _guards_hold(settings: Settings, clients: Clients) -> bool:
    """Probe the store; returns whether conditions can be sent. Raises PreflightError if it lies."""
    found = check_guards(settings, clients)
    if failures(found):
        raise PreflightError(describe_failures(found))
    for each in found:
        if each.level is Level.WARNING:
            say(f"warning: {each.subject}: {each.detail}")
    return not is_unsupported(found)


@contextmanager
def _s3(settings: Settings, clients: Clients, *, conditions: bool) -> Iterator[BotoS3]:
    most = settings.concurrency or BOTO3_CONCURRENCY
    with closing(clients.s3(most)) as client, ThreadPoolExecutor(most, "s3") as pool:
        yield BotoS3(client, pool, time.sleep, conditions=conditions)


def _moved(
    chosen: Iterable[Candidate], settings: Settings, s3: S3Port
) -> Iterator[tuple[Candidate, Outcome]]:
    def move_one(each: Candidate) -> tuple[Candidate, Outcome]:
        if isinstance(each.decision, Refuse):
            return each, Outcome(Result.UNMOVABLE, detail=each.decision.reason)
        return each, drive(move(each.decision, settings.rules.moves), s3)

    most = settings.concurrency or BOTO3_CONCURRENCY
    with ThreadPoolExecutor(most, "move") as pool:
        yield from in_flight(pool, move_one, chosen, most)


def _print_outcome(each: Candidate, outcome: Outcome) -> None:
    to = f" -> {outcome.destination}" if outcome.destination else ""
    why = f": {outcome.detail}" if outcome.detail else ""
    click.echo(printable(f"{outcome.result:<13} {each.listed.location.key}{to}{why}"))


def _print_json_outcome(each: Candidate, outcome: Outcome) -> None:
    document = {
        "key": each.listed.location.key,
        "bytes": each.listed.size,
        "etag": each.listed.etag,
        "outcome": outcome.result.value,
        "destination": outcome.destination and str(outcome.destination),
        "detail": outcome.detail or None,
    }
    print_json(document, indent=None)
