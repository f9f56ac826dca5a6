"""`provision ami`: the images that instances start from."""

import click

from provision.aws.image_users import image_users
from provision.aws.images import remove_image, stack_images
from provision.aws.session import Aws
from provision.commands.ami_bake import bake
from provision.commands.ami_from_instance import from_instance
from provision.commands.context import Context, with_stack
from provision.commands.output import console, print_json, say
from provision.commands.stops import begun
from provision.core.image import StackImage, plan_pruning
from provision.errors import PartialError
from provision.screen.images_view import (
    images_document,
    images_table,
    pruning_lines,
    removal_line,
)

EXAMPLES = """\b
Examples:
  provision ami bake                                 one by Packer, of this version of the worker
  provision ami from-instance i-0123456789abcdef0    an image of an instance that you prepared
  provision ami list                                 which there are, and who uses them
  provision ami prune --keep 5                       which of them could go
  provision ami prune --keep 5 --yes                 take those away, with their snapshots
"""


@click.group(epilog=EXAMPLES)
def ami() -> None:
    """Make, list and clear away the images that instances start from.

    Only images with the stack's tag are the stack's; `ami = "latest"` means the newest of them.
    """


ami.add_command(bake)
ami.add_command(from_instance)


@ami.command("list")
@with_stack
def list_(context: Context) -> None:
    """List the stack's images, the newest first, each with all that uses it. Changes nothing."""
    images = stack_images(context.aws.ec2, context.stack.name)
    users = image_users(context.aws, {each.id for each in images})
    if context.wants_json:
        print_json(images_document(images, users))
    elif images:
        console().print(images_table(images, users))
    else:
        say("the stack has no image; `provision ami --help` says how to make one")


@ami.command()
@click.option("--keep", default=3, show_default=True, type=click.IntRange(min=1), help="How many.")
@click.option("--yes", is_flag=True, help="Take them away; otherwise they are only listed.")
@with_stack
def prune(context: Context, *, keep: int, yes: bool) -> None:
    """List the images that nobody uses, or take them away with their snapshots.

    The newest stay (--keep), and whatever a launch template's version, a group or an instance
    names, whoever's it is. Other accounts' use is not seen.

    Exit status: 0 done, or listed; 3 AWS left something.
    """
    images = stack_images(context.aws.ec2, context.stack.name)
    pruning = plan_pruning(images, image_users(context.aws, {each.id for each in images}), keep)
    for line in pruning_lines(pruning):
        say(line)
    if context.wants_json:
        print_json({"removed" if yes else "would_remove": [each.id for each in pruning.doomed]})
    if not pruning.doomed:
        say("there is nothing to take away")
    elif yes:
        remove_all(context.aws, pruning.doomed, f"provision ami prune --keep {keep} --yes")
        say(f"{len(pruning.doomed)} gone")
    else:
        say("nothing was changed; --yes takes them away")


def remove_all(aws: Aws, images: tuple[StackImage, ...], command: str) -> None:
    """Take images away with their snapshots, for `command`; raises PartialError for what stays."""
    left, remaining = list[str](), list(images)
    with begun(
        f"run `{command}` again: it goes on from there",
        remaining=lambda: ", ".join(each.id for each in remaining),
    ):
        while remaining:
            left += remove_image(aws.ec2, remaining[0])
            del remaining[0]
    if left:
        raise PartialError(
            f"the images are gone, and these snapshots stayed: {'; '.join(left)}",
            "`aws ec2 delete-snapshot --snapshot-id ...` deletes one",
        )


def remove_unused(aws: Aws, images: tuple[StackImage, ...], command: str) -> None:
    """Take those of the images away that nobody uses, and say which stay, as `remove_all` does."""
    users = image_users(aws, {each.id for each in images})
    for each in images:
        used = users.get(each.id)
        say(f"  {each.id} stays: used by {', '.join(used)}" if used else removal_line(each))
    remove_all(aws, tuple(each for each in images if each.id not in users), command)
