"""`provision apply`: makes AWS what the stack file says."""

import sys
import time
from collections.abc import Sequence

import click

from provision.apply import Applied
from provision.apply import apply as carry_out
from provision.aws.waiting import telling
from provision.commands.checks import look_ahead, must_pass
from provision.commands.context import Context, with_stack
from provision.commands.output import console, print_json, progress_console, say
from provision.commands.plan import introduce, plan_for
from provision.commands.stops import begun, hint_for, told
from provision.commands.verify import verification
from provision.core.finding import Finding, failures
from provision.core.plan import Plan
from provision.core.resource import Key
from provision.errors import ExitCode, PartialError, ProvisionError, RefusedError
from provision.resources.catalogue import providers
from provision.screen.findings_view import findings_document
from provision.screen.plan_view import plan_document, plan_view
from provision.screen.steps import StepLines
from provision.spec.blueprint import Blueprint

EXAMPLES = """\b
Examples:
  provision apply                             show the plan, ask, carry it out, verify
  provision apply --yes                       do not ask, as in CI
  provision apply --adopt queue/files-uploads take over a queue that exists already
"""

CARRIED_OUT = "everything was carried out, and its verification stopped: "


@click.command(epilog=EXAMPLES)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--adopt",
    multiple=True,
    metavar="KIND/NAME",
    help="Take over a resource that belongs to no stack; may be given several times.",
)
@with_stack
def apply(context: Context, *, yes: bool, adopt: tuple[str, ...]) -> None:
    """Make AWS what the stack file says; safe to interrupt, and to run again.

    Exit status: 0 done and verified, 1 refused before anything was changed, 3 only part of it
    happened, or it does not work yet.
    """
    blueprint = context.blueprint()
    if not context.wants_json:
        introduce(context, blueprint)
    planned = plan_for(context, blueprint, frozenset(map(_key, adopt)))
    looked = look_ahead(context, blueprint, planned)
    _agree(context, planned, looked, yes=yes)
    _carry_out(context, blueprint, planned)
    found = _verified(context)
    if context.wants_json:
        print_json(
            {
                "plan": plan_document(planned),
                "preflight": findings_document(looked),
                "verify": findings_document(found),
            }
        )
    if failures(found):
        sys.exit(ExitCode.PARTIAL)


def _verified(context: Context) -> tuple[Finding, ...]:
    say("verifying ...")
    with begun("`provision verify` shows whether it works", CARRIED_OUT):
        return verification(context, context.blueprint())


def _agree(context: Context, planned: Plan, looked: Sequence[Finding], *, yes: bool) -> None:
    if not context.wants_json:
        console().print(plan_view(planned))
    if planned.refusals:
        names = ", ".join(str(refusal.key) for refusal in planned.refusals)
        raise RefusedError(f"nothing was changed: {names}", planned.refusals[0].hint)
    must_pass(looked)
    if planned.steps and not yes:
        click.confirm("Carry this out?", abort=True, err=True)


def _carry_out(context: Context, blueprint: Blueprint, planned: Plan) -> None:
    progress = StepLines(progress_console(), len(planned.steps))
    applied = carry_out(
        planned,
        providers(context.aws, blueprint, telling(progress.waits)),
        stack=context.stack.name,
        progress=progress,
        sleep=time.sleep,
    )
    if applied.error is not None:
        raise partial(applied, "provision apply") from applied.error


def partial(applied: Applied, command: str) -> PartialError:
    """Return the error that says how far `command` came, what stopped it, and how to go on."""
    remaining = ", ".join(str(step.key) for step in applied.remaining)
    error = applied.error or InterruptedError()
    hint = (error.hint if isinstance(error, ProvisionError) else "") or hint_for(error)
    again = f"run `{command}` again: it goes on from there"
    return PartialError(
        f"stopped after {len(applied.done)} steps: {told(error)}\n  remaining: {remaining}",
        f"{hint}; then {again}" if hint else again,
    )


def _key(text: str) -> Key:
    kind, slash, name = text.partition("/")
    if not slash or not kind or not name:
        raise click.BadParameter(f"{text!r} is not KIND/NAME, as the plan shows it")
    return Key(kind, name)
