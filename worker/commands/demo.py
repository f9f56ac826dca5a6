"""`worker demo`: the whole worker on an AWS inside this process, told as a story and verified."""

import importlib
import os
import sys
from pathlib import Path

import click

from worker.demo.ending import Ending

INSTALL = "pip install -e '.[demo]'"

HEADING = "s3-event-worker: an AWS in this process, a real worker beside it, and a kill -9\n"
"""Said first, because what follows takes a second to load."""


@click.command()
@click.argument(
    "path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--keep", is_flag=True, help="Leave AWS and worker running, to play with.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON; progress on stderr.")
@click.option(
    "--most",
    default=500,
    show_default=True,
    metavar="FILES",
    help="Upload at most so many of PATH.",
)
@click.option(
    "--versioned/--unversioned", default=True, show_default=True, help="Which kind of bucket."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting for the worker, such as CONCURRENCY=1; several times for several.",
)
def demo(
    path: Path | None,
    settings: tuple[str, ...],
    most: int,
    *,
    keep: bool,
    as_json: bool,
    versioned: bool,
) -> None:
    """See it all work, on an AWS inside this process: no account, nothing leaves this machine.

    Uploads the files of the folder PATH (by default this project's own) and awkward ones of its
    own making, kills the worker half-way with SIGKILL, starts another, and then verifies every
    byte, header, metadata entry and tag, the source prefix and both queues.

    \b
    Exit status:
      0      verified: nothing was lost
      1      not verified, or the demo could not go on; what is wrong is listed
      128+N  ended by signal N (Ctrl-C: 130); nothing is left running

    \b
    Examples:
      worker demo
      worker demo ~/Pictures --most 100
      worker demo --set ON_MALFORMED=drop   see the verification find what is lost
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # names in any script, terminals of any age
    ending = Ending()
    ending.install()
    click.echo(HEADING, err=as_json)
    _forget_the_users_account()
    _load_extra()
    from worker.demo.show import show  # noqa: PLC0415 - moto and rich are an extra
    from worker.demo.stage import Choices  # noqa: PLC0415 - likewise

    chosen = _pairs(settings)
    choices = Choices(path, most, versioned=versioned, keep=keep, settings=chosen)
    sys.exit(show(choices, ending, dict(os.environ), as_json=as_json))


def _load_extra() -> None:
    """Load what only the demo needs; raises ClickException that says how to install it."""
    try:
        importlib.import_module("worker.demo.show")
    except ModuleNotFoundError as missing:
        package = (missing.name or "worker").partition(".")[0]
        if package == "worker":
            raise
        raise click.ClickException(
            f"the demo needs the package {package}; in the source tree, `make demo` installs all\n"
            f"that it needs, and so does  {INSTALL}"
        ) from missing


def _forget_the_users_account() -> None:
    """Take away what would lead boto3 anywhere else; moto looks at it, too."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _pairs(settings: tuple[str, ...]) -> dict[str, str]:
    for setting in settings:
        if "=" not in setting:
            raise click.BadParameter(f"{setting!r} is not NAME=VALUE", param_hint="--set")
    return dict(setting.split("=", 1) for setting in settings)
