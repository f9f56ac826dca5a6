"""`worker check`: says whether the worker can work here; if not, what is missing."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import click

from worker import cli_settings
from worker.aws.checks import run_checks
from worker.aws.clients import Clients
from worker.aws.executor import choose
from worker.commands.output import print_json, reports_errors, say
from worker.errors import ExitCode
from worker.operator.explain_text import printable
from worker.operator.preflight import Finding, Level, as_json, failures, judge_settings

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "red"}

EXAMPLES = """\b
Examples:
  worker check                        everything, for people
  worker check --json | jq .policy    the policy that grants what is missing
  worker check --offline              the settings alone, without any call to AWS
"""


@click.command(epilog=EXAMPLES)
@click.option("--offline", is_flag=True, help="Only settings and versions; no call to AWS.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
@reports_errors
def check(*, offline: bool, wants_json: bool) -> None:
    """Check settings, identity, queue, both prefixes, and the store's guards.

    Nothing is moved, received or deleted. The guard probe puts a few bytes in a corner of the
    destination prefix, and takes them away again.

    Exit status: 0 all well, or warnings only; 2 settings that cannot work; 3 any failure.
    """
    settings = cli_settings.load(needs_queue=True)
    found = judge_settings(settings, _versions())
    if not offline:
        say(f"checking {settings.queue_url}, {settings.source} and {settings.destination} …")
        clients = Clients(settings.region)
        found += [choose(settings, clients).finding, *run_checks(settings, clients)]
    if wants_json:
        print_json(as_json(found))
    else:
        _print(found)
    if failures(found):
        sys.exit(ExitCode.PREFLIGHT)


def _versions() -> Mapping[str, str]:
    return {
        "python": platform.python_version(),
        "boto3": _version("boto3"),
        "worker": _version("s3-event-worker"),
    }


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(not installed, run from its source)"


def _print(found: Sequence[Finding]) -> None:
    width = max(len(level) for level in Level)
    for each in found:
        level = click.style(f"{each.level:<{width}}", fg=COLOURS[each.level])
        click.echo(f"{level}  {printable(f'{each.subject}: {each.detail}')}")
        if each.grant:
            click.echo(f"{'':{width}}    grant: {json.dumps(each.grant)}")
        if each.hint:
            click.echo(f"{'':{width}}    hint: {printable(each.hint)}")
    missing = as_json(found)["policy"]
    if missing:
        say("one policy that grants all that is missing: worker check --json | jq .policy")
    warnings = sum(each.level is Level.WARNING for each in found)
    say(f"checked: {len(found)}, warnings: {warnings}, failures: {len(failures(found))}")
