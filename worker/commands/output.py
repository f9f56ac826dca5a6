"""What the commands share: data to stdout, the rest to stderr, and errors without a traceback."""

import functools
import json
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from worker.errors import SettingsError, WorkerError

P = ParamSpec("P")
R = TypeVar("R")


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print a WorkerError and exit with its code.

    To stand below click's decorators.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except SettingsError as error:
            complain(str(error))
            say("set them in the environment or in the TOML file that SETTINGS_FILE names,")
            say("then look again with `worker check --offline`")
            sys.exit(error.exit_code)
        except WorkerError as error:
            complain(str(error))
            sys.exit(error.exit_code)

    return run


def say(text: str) -> None:
    """Print progress or a hint, on stderr."""
    click.echo(text, err=True)


def complain(text: str) -> None:
    """Print an error, on stderr; in red on a terminal."""
    click.secho(text, err=True, fg="red")


def print_json(document: object, *, indent: int | None = 2) -> None:
    """Print data, on stdout; `indent` None gives one line."""
    click.echo(json.dumps(document, indent=indent))
