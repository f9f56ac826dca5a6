"""`provision verify`: shows that the stack is what it should be, and works."""

import sys
import time

import click

from provision.commands.context import Context, with_stack
from provision.commands.output import console, print_json, say
from provision.commands.plan import introduce
from provision.core.finding import Finding, failures
from provision.errors import ExitCode
from provision.screen.findings_view import findings_document, findings_table
from provision.spec.blueprint import Blueprint
from provision.verify import Verification

EXAMPLES = """\b
Examples:
  provision verify                                       everything, for people
  provision verify --json | jq '.[] | select(.level != "ok")'
"""


@click.command(epilog=EXAMPLES)
@with_stack
def verify(context: Context) -> None:
    """Compare everything with the stack file, look at each instance, and send a canary through.

    The canary is a small file of our own; it and the probe of S3's conditions are cleared away.

    Exit status: 0 all well, or warnings only; 1 any failure.
    """
    blueprint = context.blueprint()
    introduce(context, blueprint)
    found = verification(context, blueprint)
    if context.wants_json:
        print_json(findings_document(found))
    if failures(found):
        sys.exit(ExitCode.FAILED)


def verification(context: Context, blueprint: Blueprint) -> tuple[Finding, ...]:
    """Run every check and, for people, print each finding as it comes."""
    run = Verification(context.aws, blueprint, time.sleep, time.monotonic, say)
    found = []
    for each in run.run():
        found.append(each)
        if not context.wants_json:
            console().print(findings_table([each]))
    return tuple(found)
