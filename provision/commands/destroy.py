"""`provision destroy`: takes away all that is the stack's, and nothing else."""

import time

import click

from provision.apply import apply as carry_out
from provision.apply import observe
from provision.aws.emptying import empty
from provision.aws.images import stack_images
from provision.aws.losses import losses
from provision.aws.waiting import telling
from provision.commands.ami import remove_unused
from provision.commands.apply import partial
from provision.commands.context import Context, with_stack
from provision.commands.output import print_json, progress_console, say
from provision.commands.plan import introduce
from provision.commands.stops import begun
from provision.core.image import StackImage
from provision.core.plan import Plan
from provision.core.removal import Removal, plan_removal
from provision.errors import RefusedError
from provision.resources import catalogue
from provision.screen.images_view import image_document, removal_line
from provision.screen.plan_view import plan_document
from provision.screen.steps import StepLines
from provision.spec.blueprint import Blueprint
from provision.spec.stack import Pipeline

EXAMPLES = """\b
Examples:
  provision destroy                   list everything, ask for the stack's name, take it away
  provision destroy --confirm files   do not ask, as in CI
  provision destroy --keep-images     all but the images that `provision ami` made
  provision destroy --with-files      the bucket as well, with every file and version in it
"""

BUCKET_KINDS = ("bucket",)

AGAIN = "run `provision destroy` again, with the same options: it goes on from there"


@click.command(epilog=EXAMPLES)
@click.option("--confirm", metavar="NAME", help="The stack's name; otherwise it is asked for.")
@click.option("--delete-bucket", is_flag=True, help="The bucket as well, if it is empty.")
@click.option("--with-files", is_flag=True, help="The bucket as well, and every file in it.")
@click.option("--keep-images", is_flag=True, help="Leave the stack's AMIs and their snapshots.")
@with_stack
def destroy(
    context: Context,
    *,
    confirm: str | None,
    delete_bucket: bool,
    with_files: bool,
    keep_images: bool,
) -> None:
    """Take away all that is the stack's. The bucket and its files stay, unless you ask.

    What is gone already is fine: a destroy that was cut off is simply run again.

    Exit status: 0 all gone, 1 refused before anything was changed, 3 only part of it happened.
    """
    blueprint = context.blueprint()
    keep = () if delete_bucket or with_files else BUCKET_KINDS
    removal = _removal(context, blueprint, keep)
    images = () if keep_images else tuple(stack_images(context.aws.ec2, context.stack.name))
    introduce(context, blueprint)
    _list(removal, images, context.stack.pipeline)
    for lost in losses(context.aws, blueprint) if removal.plan.steps else ():
        say(f"! {lost}")
    if removal.plan.steps or images:
        _agree(context, confirm)
        with begun(AGAIN):
            _take_away(context, blueprint, removal, with_files=with_files)
            remove_unused(context.aws, images, "provision destroy")
        say("All of it is gone.")
    if context.wants_json:
        listed = [image_document(each) for each in images]
        print_json({"plan": plan_document(removal.plan), "images": listed})


def _removal(context: Context, blueprint: Blueprint, keep: tuple[str, ...]) -> Removal:
    everything = catalogue.intentions(blueprint)
    return plan_removal(
        observe(everything, catalogue.providers(context.aws, blueprint)),
        stack=context.stack.name,
        order=catalogue.DESTROY_ORDER,
        keep=keep,
    )


def _list(removal: Removal, images: tuple[StackImage, ...], pipeline: Pipeline) -> None:
    for step in removal.plan.steps:
        say(f"- {step.key}")
    for image in images:
        say(removal_line(image))
    for key in removal.kept:
        say(f"  {key} stays, with all that is in it")
    for key in removal.foreign:
        say(f"  {key} is not this stack's, and stays")
    if pipeline.existing_bucket:
        say(f"  bucket/{pipeline.bucket} is the owner's, and stays with all that is in it")
    if not removal.plan.steps and not images:
        say("There is nothing to take away.")


def _agree(context: Context, confirm: str | None) -> None:
    name = context.stack.name
    told = confirm if confirm is not None else click.prompt(f"Type {name} to go on", err=True)
    if told != name:
        raise RefusedError(
            f"{told!r} is not the stack's name: nothing was changed", f"the name is {name}"
        )


def _take_away(
    context: Context, blueprint: Blueprint, removal: Removal, *, with_files: bool
) -> None:
    steps = removal.plan.steps
    buckets = tuple(step for step in steps if step.key.kind in BUCKET_KINDS)
    _carry_out(context, blueprint, Plan(tuple(step for step in steps if step not in buckets)))
    for step in buckets if with_files else ():  # only now: a worker may have written till here
        _empty(context, step.key.name)
    _carry_out(context, blueprint, Plan(buckets))


def _empty(context: Context, bucket: str) -> None:
    with begun(AGAIN, remaining=lambda: f"bucket/{bucket}, and files in it"):
        for gone in empty(context.aws.s3, bucket):
            say(f"  {gone} files and versions deleted from {bucket}")


def _carry_out(context: Context, blueprint: Blueprint, plan: Plan) -> None:
    progress = StepLines(progress_console(), len(plan.steps))
    applied = carry_out(
        plan,
        catalogue.providers(context.aws, blueprint, telling(progress.waits)),
        stack=context.stack.name,
        progress=progress,
        sleep=time.sleep,
    )
    if applied.error is not None:
        raise partial(applied, "provision destroy") from applied.error
