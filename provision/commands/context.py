"""What every command begins with: its common options, the stack file, and a session with AWS."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Concatenate, TypeVar

import boto3
import click

from provision.aws.consumer import read_consumer
from provision.aws.session import Aws
from provision.aws.subscribed import read_subscribed
from provision.aws.surroundings import Identity, identify, survey
from provision.commands.output import reports_errors
from provision.errors import ProvisionError, StackFileError
from provision.spec.blueprint import Blueprint
from provision.spec.reading import HINT, read_stack
from provision.spec.stack import Stack

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Context:
    """A stack, a session in its region, and how to answer; all that a command needs."""

    stack: Stack
    aws: Aws
    identity: Identity
    wants_json: bool

    def blueprint(self) -> Blueprint:
        """Look at what surrounds the stack, anew at each call."""
        surveyed = survey(self.aws.ec2, self.stack, self.identity)
        return replace(
            surveyed,
            consumer=read_consumer(self.aws.sqs, surveyed.names.queue),
            subscribed=read_subscribed(self.aws.sns, surveyed.names),
        )


def with_stack(command: Callable[Concatenate[Context, ...], R]) -> Callable[..., R]:
    """Give a command the common options, and a Context for them; errors are told and exit.

    To stand below click's own decorators.
    """

    @_options
    @functools.wraps(command)
    @reports_errors
    def run(
        *,
        stack_file: str,
        region: str | None,
        profile: str | None,
        endpoint_url: str | None,
        wants_json: bool,
        **own: object,
    ) -> R:
        stack = load_stack(stack_file, region)
        session = boto3.Session(region_name=stack.region, profile_name=profile)
        aws = Aws(session, endpoint_url)
        return command(Context(stack, aws, _identity(aws), wants_json), **own)

    return run


def load_stack(path: str, region: str | None = None) -> Stack:
    """Read the stack file; `region` overrules the one in it. Raises StackFileError."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")  # Windows' editors begin with a mark
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise StackFileError(path, [f"cannot be read: {why}"], HINT) from error
    stack = read_stack(text, path)
    return stack.model_copy(update={"region": region}) if region else stack


def _identity(aws: Aws) -> Identity:
    try:
        return identify(aws.sts)
    except ValueError as error:  # botocore's own, for an endpoint that is no URL
        raise ProvisionError(str(error), "see --endpoint-url and AWS_ENDPOINT_URL") from error


def _options(command: Callable[..., R]) -> Callable[..., R]:
    for option in (
        click.option("--json", "wants_json", is_flag=True, help="Print one JSON document."),
        click.option("--endpoint-url", metavar="URL", help="Talk to this instead of AWS."),
        click.option("--profile", metavar="NAME", help="The AWS profile to use."),
        click.option("--region", metavar="REGION", help="Instead of the stack file's region."),
        stack_option("The stack file."),
    ):
        command = option(command)
    return command


def stack_option(words: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return the option that every command has for its stack file; `words` say what it is for."""
    return click.option(
        "--stack",
        "stack_file",
        default="stack.toml",
        envvar="PROVISION_STACK",
        show_default=True,
        show_envvar=True,
        metavar="FILE",
        help=words,
    )
