"""`provision plan`: shows what `apply` would change, and why."""

import sys

import click

from provision.apply import observe
from provision.commands.checks import look_ahead
from provision.commands.context import Context, with_stack
from provision.commands.output import console, print_json, say
from provision.core.finding import failures
from provision.core.plan import Plan, make_plan
from provision.core.resource import Key
from provision.errors import ExitCode
from provision.resources.catalogue import intentions, providers
from provision.screen.findings_view import findings_document
from provision.screen.plan_view import plan_document, plan_view
from provision.spec.blueprint import Blueprint

EXAMPLES = """\b
Examples:
  provision plan                      every change, property by property
  provision plan --json | jq .steps   for machines
"""


@click.command(epilog=EXAMPLES)
@with_stack
def plan(context: Context) -> None:
    """Show what `provision apply` would change, and why. Changes nothing.

    Exit status: 0 nothing to change, 1 it cannot be done like this, 2 there are changes.
    """
    blueprint = context.blueprint()
    planned = plan_for(context, blueprint)
    looked = look_ahead(context, blueprint, planned)
    if context.wants_json:
        print_json({**plan_document(planned), "preflight": findings_document(looked)})
    else:
        introduce(context, blueprint)
        console().print(plan_view(planned))
    if planned.refusals or failures(looked):
        sys.exit(ExitCode.FAILED)
    if planned.steps:
        sys.exit(ExitCode.CHANGES)


def plan_for(context: Context, blueprint: Blueprint, adopt: frozenset[Key] = frozenset()) -> Plan:
    """Observe everything and compare it with what the stack file wants."""
    wanted = intentions(blueprint)
    found = observe(wanted, providers(context.aws, blueprint))
    return make_plan(wanted, found, stack=context.stack.name, adopt=adopt)


def introduce(context: Context, blueprint: Blueprint) -> None:
    """Say, on stderr, whose account and which stack this is about."""
    names = blueprint.names
    say(f"stack {names.stack} in {names.region}, account {names.account}")
    say(f"as {context.identity.arn}")
    say("")
