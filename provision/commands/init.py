"""`provision init`: writes a stack file that explains every setting."""

from pathlib import Path

import click

from provision.commands.context import stack_option
from provision.commands.output import reports_errors, say
from provision.errors import RefusedError
from provision.spec.reading import read_stack
from provision.spec.starting_file import starting_file

EXAMPLES = """\b
Examples:
  provision init --name files --region us-east-2 --bucket acme-files
"""


@click.command(epilog=EXAMPLES)
@click.option("--name", prompt="Name of the stack", help="Begins the name of all it makes.")
@click.option("--region", prompt="Region", help="Such as us-east-2.")
@click.option("--bucket", prompt="Bucket that files land in", help="A new one, or one of yours.")
@stack_option("The file to write.")
@reports_errors
def init(*, name: str, region: str, bucket: str, stack_file: str) -> None:
    """Write a stack file in which every setting is explained. Never overwrites one."""
    text = starting_file(name=name, region=region, bucket=bucket)
    read_stack(text, stack_file)
    try:
        with Path(stack_file).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise RefusedError(
            f"{stack_file} is there already, and is not overwritten", "see --stack for another name"
        ) from error
    except OSError as error:
        raise RefusedError(
            f"{stack_file} cannot be written: {error.strerror}", "see --stack for another place"
        ) from error
    say(f"wrote {stack_file}; look through it, then run `provision plan`")
