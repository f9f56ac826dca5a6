"""`provision status`: how the stack is doing, once or all the time."""

import json
import sys
import time
from contextlib import suppress

import click
from rich.console import RenderableType
from rich.live import Live

from provision.aws.stack_facts import Observer
from provision.commands.context import Context, with_stack
from provision.commands.output import console, print_json
from provision.core.finding import failures
from provision.core.status import StackFacts, judge
from provision.errors import ExitCode
from provision.screen.status_view import status_document, status_view

EXAMPLES = """\b
Examples:
  provision status                            queue, instances, Lambda, alarms: who consumes
  provision status --watch                    the same, renewed until Ctrl-C
  provision status --json | jq .consumers     for machines
"""

LOOK_SECONDS = 5.0


@click.command(epilog=EXAMPLES)
@click.option("--watch", is_flag=True, help="Look again every few seconds, until Ctrl-C.")
@with_stack
def status(context: Context, *, watch: bool) -> None:
    """Show how the stack is doing: who consumes, what waits, what is wrong. Changes nothing.

    With --watch and --json, one document a line.

    Exit status: 0 all well, or warnings only; 1 something is wrong.
    """
    if watch:
        with suppress(KeyboardInterrupt):
            _watch(context, Observer(context.aws, context.blueprint()))
        return
    facts = Observer(context.aws, context.blueprint()).stack()
    if context.wants_json:
        print_json(status_document(context.stack.name, facts))
    else:
        console().print(status_view(context.stack.name, facts))
    if failures(judge(facts)):
        sys.exit(ExitCode.FAILED)


def _watch(context: Context, observer: Observer) -> None:
    if context.wants_json:
        while True:
            click.echo(json.dumps(status_document(context.stack.name, observer.stack())))
            time.sleep(LOOK_SECONDS)
    with Live(_screen(context, observer.stack()), console=console(), screen=False) as live:
        while True:
            time.sleep(LOOK_SECONDS)
            live.update(_screen(context, observer.stack()), refresh=True)


def _screen(context: Context, facts: StackFacts) -> RenderableType:
    return status_view(context.stack.name, facts)
