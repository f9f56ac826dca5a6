"""`provision dlq`: looks at what was set aside and why, moves it back, or throws it away."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import click

from provision.aws.dead_letters import DeadLetters
from provision.commands.context import Context, with_stack
from provision.commands.output import console, print_json, say
from provision.commands.stops import asked, begun
from provision.core.dead_letter import Letter, MoveTask
from provision.errors import ProvisionError, RefusedError
from provision.redrive import begin, watch
from provision.screen.dlq_view import Explained, letter_lines, letters_document, letters_table
from provision.spec.worker_environment import worker_environment
from worker.aws.s3 import BotoS3
from worker.core.drive import drive
from worker.core.pipeline import Rules
from worker.operator.explain import explain, explain_live
from worker.settings import read_settings

EXAMPLES = """\b
Examples:
  provision dlq list --live           what is there, and what would become of it now
  provision dlq show 3f9c             one message whole, by the beginning of its id
  provision dlq redrive               once the cause is mended: all of it goes back to the queue
  provision dlq purge                 throw all of it away; the files stay where they are
"""

PATIENCE_SECONDS = 900
"""At SQS's 500 messages a second, for 450,000 of them (rule 16)."""


@click.group(epilog=EXAMPLES)
def dlq() -> None:
    """Look at what was set aside and why; move it back, or throw it away."""


@dlq.command("list")
@click.option("--live", is_flag=True, help="Look at S3 (HeadObject only) for what is there now.")
@click.option("--limit", default=100, show_default=True, help="Messages to look at, at most.")
@with_stack
def list_(context: Context, *, live: bool, limit: int) -> None:
    """List dead letters, the oldest first, each with what the worker would do with it now.

    Nothing is taken away; each look counts as one more receive, which means nothing here.
    """
    explained, rules = _explained(context, live=live, limit=limit)
    if context.wants_json:
        print_json(letters_document(explained, rules))
        return
    if not explained:
        say("no dead letters")
        return
    console().print(letters_table(explained, rules, time.time()))
    if not live:
        say("--live looks at what is in S3 now; `provision dlq show ID` shows one whole")


@dlq.command()
@click.argument("message_id")
@click.option("--live", is_flag=True, help="Look at S3 (HeadObject only) for what is there now.")
@click.option("--limit", default=1000, show_default=True, help="Messages to search, at most.")
@with_stack
def show(context: Context, *, message_id: str, live: bool, limit: int) -> None:
    """Show a dead letter whole: its times, the worker's explanation, its body.

    MESSAGE_ID may be the beginning of an id, as `provision dlq list` shows it.
    """
    explained, rules = _explained(context, live=live, limit=limit)
    found = [each for each in explained if each[0].id.startswith(message_id)]
    if not found:
        raise ProvisionError(
            f"no dead letter among {len(explained)} has an id that begins with {message_id!r}",
            "`provision dlq list` shows the ids",
        )
    if context.wants_json:
        print_json(letters_document(found, rules))
        return
    for letter, explanation in found:
        for line in letter_lines(letter, explanation, rules):
            click.echo(line)


@dlq.command()
@click.option("--rate", type=click.IntRange(1, 500), help="Messages a second; else SQS chooses.")
@click.option("--wait", default=PATIENCE_SECONDS, show_default=True, help="Seconds to watch it.")
@with_stack
def redrive(context: Context, *, rate: int | None, wait: int) -> None:
    """Move all dead letters back to the queue, and watch until it is done.

    Messages that cannot be moved come back here after their tries. A move that runs already is
    watched, and Ctrl-C ends only the watching.

    Exit status: 0 done, 1 the move failed, 3 it goes on by itself.
    """
    letters = _letters(context)
    before = letters.latest_move()
    with asked("`provision dlq redrive` watches it, or begins it", "the move may have begun; "):
        begin(letters, before, rate)
    with begun("`provision dlq redrive` watches it on", "the move goes on by itself; "):
        done = watch(letters, before, patience_seconds=wait, sleep=time.sleep, told=_tell)
    if context.wants_json:
        print_json({"status": done.status, "moved": done.moved})
        return
    say(f"back in the queue: {done.moved}; `provision status` shows how they fare")


@dlq.command()
@click.option("--confirm", metavar="NAME", help="The stack's name; otherwise it is asked for.")
@with_stack
def purge(context: Context, *, confirm: str | None) -> None:
    """Throw all dead letters away, for good. Their files stay where they are.

    `worker sweep` finds files that were left behind, with or without a message.
    """
    letters, name = _letters(context), context.stack.name
    say(f"in {context.blueprint().names.dead_letter_queue}: about {letters.count()}")
    told = confirm if confirm is not None else click.prompt(f"Type {name} to go on", err=True)
    if told != name:
        raise RefusedError(
            f"{told!r} is not the stack's name: nothing was changed", f"the name is {name}"
        )
    with asked("`provision dlq list` shows what is left", "they may be thrown away already; "):
        letters.purge()
    say("they are gone, within a minute; `worker sweep` finds files that were left behind")


def _letters(context: Context) -> DeadLetters:
    return DeadLetters(context.aws.sqs, context.blueprint().names)


def _tell(task: MoveTask) -> None:
    say(f"{task.status.lower()}: moved {task.moved} of about {task.to_move}")


def _explained(context: Context, *, live: bool, limit: int) -> tuple[list[Explained], Rules]:
    letters = _letters(context).look(limit)
    rules = read_settings(worker_environment(context.blueprint()), {}).rules
    explanations = explain(_as_received(letters), rules) if letters else []
    if live:
        with ThreadPoolExecutor(1) as pool:
            s3 = BotoS3(context.aws.s3, pool, time.sleep)
            explanations = drive(explain_live(explanations, rules), s3)
    return list(zip(letters, explanations, strict=True)), rules


def _as_received(letters: Sequence[Letter]) -> str:
    return json.dumps({"Messages": [{"MessageId": e.id, "Body": e.body} for e in letters]})
