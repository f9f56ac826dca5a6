"""`provision ami from-instance`: an AMI of an instance that somebody prepared."""

import time
from datetime import UTC, datetime

import click

from provision.ami_from_instance import LIMIT_SECONDS, ImageMaker, Order
from provision.aws.waiting import telling
from provision.commands.context import Context, with_stack
from provision.commands.output import each_once, print_json, say
from provision.core.resource import OWNER_TAG
from provision.screen.images_view import image_document

EXAMPLES = """\b
Examples:
  provision ami from-instance i-0123456789abcdef0
  provision ami from-instance i-0123456789abcdef0 --no-reboot --name files-2
"""


@click.command("from-instance", epilog=EXAMPLES)
@click.argument("instance", metavar="INSTANCE")
@click.option("--name", help="The image's name, unique in the account; else of stack and time.")
@click.option("--no-reboot", is_flag=True, help="Files that are open may be torn in the image.")
@click.option("--wait", default=LIMIT_SECONDS, show_default=True, help="Seconds, at most.")
@with_stack
def from_instance(
    context: Context, *, instance: str, name: str | None, no_reboot: bool, wait: float
) -> None:
    """Make an image of an instance, and wait until instances can start from it.

    The instance is rebooted, so that its files are whole; a group's member is not replaced for
    that. An instance has booted already: what must happen at a first boot has to be reset in it
    (`sudo cloud-init clean`), which `provision ami bake` does by itself.

    Exit status: 0 it is there, 1 refused before anything was changed, 3 it goes on by itself.
    """
    stack = context.stack
    called = name or f"{stack.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    tags = {**stack.tags, "Name": called, "SourceInstance": instance, OWNER_TAG: stack.name}
    maker = ImageMaker(context.aws, telling(each_once(say)), say)
    started = time.monotonic()
    made = maker.make(Order(instance, called, tags, reboot=not no_reboot, limit_seconds=wait))
    if context.wants_json:
        print_json(image_document(made))
        return
    say(f"{made.id} is there after {time.monotonic() - started:.0f} s")
    say('→ `provision plan` shows what it changes, if the stack file says `ami = "latest"`')
