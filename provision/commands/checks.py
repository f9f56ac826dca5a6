"""The preflight, as `plan` and `apply` show it: what stands in the way, before anything is made."""

from collections.abc import Sequence

from provision.aws.preflight.run import preflight
from provision.commands.context import Context
from provision.commands.output import progress_console
from provision.core.finding import Finding, Level, failures
from provision.core.plan import Create, Plan, Update
from provision.errors import RefusedError
from provision.policies.operator import operator_grants
from provision.screen.findings_view import findings_table
from provision.spec.blueprint import Blueprint


def look_ahead(context: Context, blueprint: Blueprint, planned: Plan) -> tuple[Finding, ...]:
    """Run the preflight if anything is to be made or changed; show what is not well, on stderr."""
    if not any(isinstance(step, Create | Update) for step in planned.steps):
        return ()
    grants = [each for document in operator_grants(blueprint).values() for each in document]
    found = tuple(preflight(context.aws, blueprint, context.identity, grants))
    concerns = [each for each in found if each.level is not Level.OK]
    if concerns and not context.wants_json:
        progress_console().print(findings_table(concerns))
    return found


def must_pass(found: Sequence[Finding]) -> None:
    """Raise RefusedError if anything failed."""
    if wrong := failures(found):
        subjects = ", ".join(each.subject for each in wrong)
        raise RefusedError(f"nothing was changed: {subjects}", wrong[0].hint)
