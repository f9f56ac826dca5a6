"""`provision rollout` and `provision rollback`: other instances, one after the other."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace

import click

from provision.aws.images import image_of
from provision.aws.preflight.run import look_at_instances
from provision.aws.waiting import telling
from provision.canary import PATIENCE_SECONDS, Canaries, CanaryError
from provision.commands.context import Context, with_stack
from provision.commands.output import print_json, progress_console, say
from provision.commands.plan import introduce
from provision.commands.stops import begun
from provision.core.finding import Finding, Level, failures
from provision.core.image import WITHDRAWN_TAG
from provision.errors import RefusedError
from provision.group_rollout import NO_GROUP_HINT, GroupRollout
from provision.ownership import INSTANCES, WAY, must_be_ours
from provision.resources.launch_template import LaunchTemplateProvider, worker_template
from provision.resources.template_data import template_properties, values_of
from provision.rollout import Canary, no_canary
from provision.screen.findings_view import findings_table
from provision.screen.steps import WaitLines
from provision.spec.blueprint import Blueprint, Image
from provision.verify import canary_route

AMI_ID = re.compile(r"ami-[0-9a-f]{8,17}")

ROLLOUT_EXAMPLES = """\b
Examples:
  provision rollout                   the newest AMI, and the stack file's settings
  provision rollout --ami ami-0abc…   this AMI
"""

ROLLBACK_EXAMPLES = """\b
Examples:
  provision rollback               turn back what is under way, else go to the version before
  provision rollback --version 3   go to this version of the launch template
"""


@click.command(epilog=ROLLOUT_EXAMPLES)
@click.option("--ami", metavar="AMI", help="This AMI instead of the stack file's.")
@with_stack
def rollout(context: Context, *, ami: str | None) -> None:
    """Replace every instance by one of the newest AMI and settings, watched.

    A new instance works before an old one drains and goes. An alarm that rings, or a canary that
    does not arrive, turns everything back. Cut off, the same command goes on.

    Exit status: 0 done, 1 refused before anything was changed, 3 it was turned back or cut off.
    """
    blueprint = _with_image(context, context.blueprint(), ami)
    introduce(context, blueprint)
    must_be_ours(context.aws, blueprint, (*INSTANCES, *WAY))
    rolling = _rolling(context, blueprint, _canary(context, blueprint))
    _must_be_fit((*look_at_instances(context.aws, blueprint), *rolling.findings()))
    facts = rolling.facts()
    before = facts.template_version
    image = _must_have_image(blueprint)
    rolling.must_be_free(_version_there(context, blueprint, image))
    typed = f"provision rollout{f' --ami {ami}' if ami else ''}"
    with begun(f"run `{typed}` again: it goes on; `provision rollback` turns it back"):
        version = _make_version(context, blueprint, image)
        say(f"template version {before} → {version}")
        rolling.to_version(version)
        _welcome(context, blueprint)
    if facts.instances:
        say("every instance is new, and a canary has arrived")
    else:
        say("no instance runs; the next one that starts is new")
    if context.wants_json:
        print_json({"before": before, "version": str(version)})


@click.command(epilog=ROLLBACK_EXAMPLES)
@click.option("--version", type=click.IntRange(min=1), help="This version of the template.")
@with_stack
def rollback(context: Context, *, version: int | None) -> None:
    """Go back to the version before: turn back what is under way, or roll forward to the old.

    The AMI that is left is withdrawn: `latest` passes it over from then on.

    Exit status: 0 done, 1 refused before anything was changed, 3 cut off half-way.
    """
    blueprint = context.blueprint()
    introduce(context, blueprint)
    must_be_ours(context.aws, blueprint, INSTANCES)
    with begun("run `provision rollback` again, once `provision status` shows how it stands"):
        now = _rolling(context, blueprint, no_canary).back(version)
    say(f"every instance is of template version {now}")
    if context.wants_json:
        print_json({"version": str(now)})


def _with_image(context: Context, blueprint: Blueprint, ami: str | None) -> Blueprint:
    if ami is None:
        return blueprint
    if not AMI_ID.fullmatch(ami):
        raise RefusedError(f"{ami!r} is no AMI's id", "`provision ami list` shows the stack's own")
    found = image_of(context.aws.ec2, ami)
    if found is None or found.state != "available":
        state = found.state if found else "not there"
        raise RefusedError(f"the AMI {ami} is {state}", "see `provision ami list`")
    if context.stack.instances.ami != ami:
        say(f'to keep it beyond the next apply, write ami = "{ami}" into the stack file')
    return replace(blueprint, image=found.image)


def _rolling(context: Context, blueprint: Blueprint, canary: Canary) -> GroupRollout:
    lines = WaitLines(progress_console())
    return GroupRollout(context.aws, blueprint, telling(lines.waits), canary)


def _must_be_fit(found: Sequence[Finding]) -> None:
    concerns = [each for each in found if each.level is not Level.OK]
    if concerns:
        progress_console().print(findings_table(concerns))
    if wrong := failures(found):
        raise RefusedError("nothing was changed", wrong[0].hint)


def _must_have_image(blueprint: Blueprint) -> Image:
    if blueprint.image is None:
        raise RefusedError("there is no AMI", "`provision ami bake` makes one")
    return blueprint.image


def _version_there(context: Context, blueprint: Blueprint, image: Image) -> int | None:
    """Return the template version that holds what is wanted, None if it is not there yet."""
    values = values_of(template_properties(blueprint, image))
    return _templates(context, blueprint).number_of(blueprint.names.launch_template, values)


def _make_version(context: Context, blueprint: Blueprint, image: Image) -> int:
    templates = _templates(context, blueprint)
    found = _version_there(context, blueprint, image)
    version = found or templates.create_version(worker_template(blueprint, image))
    templates.make_default(blueprint.names.launch_template, version)
    return version


def _templates(context: Context, blueprint: Blueprint) -> LaunchTemplateProvider:
    return LaunchTemplateProvider(context.aws.ec2, context.aws.autoscaling, blueprint)


def _canary(context: Context, blueprint: Blueprint) -> Canary:
    aws, route = context.aws, canary_route(context.aws, blueprint)
    if route is None:
        raise RefusedError("there is no queue to send a canary through", NO_GROUP_HINT)
    canaries = Canaries(aws.s3, aws.sqs, route, sleep=time.sleep, clock=time.monotonic)

    def fly() -> str | None:
        say("sending a canary ...")
        try:
            canaries.fly(PATIENCE_SECONDS)
        except CanaryError as error:
            return str(error)
        return None

    return fly


def _welcome(context: Context, blueprint: Blueprint) -> None:
    """Let `latest` take an AMI of ours again that was rolled out with success after all."""
    found = image_of(context.aws.ec2, blueprint.image.id) if blueprint.image else None
    if found is not None and found.withdrawn and found.is_of(context.stack.name):
        context.aws.ec2.delete_tags(Resources=[found.image.id], Tags=[{"Key": WITHDRAWN_TAG}])
