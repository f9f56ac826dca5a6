"""What the commands share: data to stdout, the rest to stderr, and errors without a traceback."""

import functools
import json
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from rich.console import Console

from provision.commands.stops import hint_for, told
from provision.errors import ExitCode, ProvisionError

P = ParamSpec("P")
R = TypeVar("R")


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print a ProvisionError, or what AWS refused, with the next thing to do; exit with its code.

    To stand below click's decorators. A Ctrl-C that comes this far has left nothing half-way done:
    what changes anything stands in a `begun`.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ProvisionError as error:
            complain(str(error), error.hint)
            sys.exit(error.exit_code)
        except (ClientError, ResponseParserError) as error:
            complain(told(error), hint_for(error))
            sys.exit(ExitCode.FAILED)
        except BotoCoreError as error:
            complain(f"AWS cannot be used like this: {error}", hint_for(error))
            sys.exit(ExitCode.FAILED)
        except KeyboardInterrupt:
            complain("interrupted")
            sys.exit(ExitCode.FAILED)

    return run


def console() -> Console:
    """Return the console for data: stdout."""
    return Console(highlight=False, soft_wrap=False)


def progress_console() -> Console:
    """Return the console for progress and hints: stderr."""
    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print progress or a hint, on stderr."""
    click.echo(text, err=True)


def each_once(tell: Callable[[str], None]) -> Callable[[str, float], None]:
    """Return what tells why one waits, whenever that changes: for `aws.waiting.telling`."""
    last = ""

    def waits(why: str, seconds: float) -> None:
        nonlocal last
        del seconds
        if why != last:
            tell(f"  {why}")
        last = why

    return waits


def complain(text: str, hint: str = "") -> None:
    """Print an error and what to do next, on stderr; in red on a terminal."""
    click.secho(text, err=True, fg="red")
    if hint:
        click.echo(f"  → {hint}", err=True)


def print_json(document: object) -> None:
    """Print data, on stdout."""
    click.echo(json.dumps(document, indent=2))
