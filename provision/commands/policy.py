"""`provision policy`: prints the IAM documents; it needs no credentials where it is told enough."""

import json
from typing import Final

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from provision.aws.session import Aws
from provision.aws.surroundings import identify
from provision.commands.context import load_stack, stack_option
from provision.commands.output import reports_errors, say
from provision.commands.stops import told
from provision.core.resource import Json
from provision.errors import ProvisionError
from provision.policies.lambda_ import lambda_policy
from provision.policies.operator import MANAGED_LIMIT_CHARACTERS, operator_policies
from provision.policies.packer import SshInterface, packer_policy
from provision.policies.worker import worker_policy
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names
from provision.spec.stack import Stack

EXAMPLES = """\b
Examples:
  provision policy operator                                  three documents, by their names
  provision policy operator --part instances > policy.json   one of them
  provision policy packer --ssh-interface private_ip
  provision policy worker --account 123456789012             without asking AWS for the account
"""

PARTS: Final = ("pipeline", "services", "instances")


@click.command(epilog=EXAMPLES)
@click.argument("role", type=click.Choice(["worker", "lambda", "operator", "packer"]))
@click.option("--part", type=click.Choice(PARTS), help="Of the operator's documents, this alone.")
@click.option(
    "--ssh-interface",
    type=click.Choice([each.value for each in SshInterface]),
    default=SshInterface.SESSION_MANAGER.value,
    show_default=True,
    help="How Packer reaches its builder.",
)
@click.option("--account", metavar="ID", help="Else the stack file's, else that of who asks.")
@click.option("--region", metavar="REGION", help="Instead of the stack file's region.")
@click.option("--profile", metavar="NAME", help="The AWS profile to ask for the account with.")
@click.option("--endpoint-url", metavar="URL", help="Talk to this instead of AWS.")
@stack_option("The stack file.")
@reports_errors
def policy(
    *,
    role: str,
    part: str | None,
    ssh_interface: str,
    account: str | None,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    stack_file: str,
) -> None:
    """Print what a role must be allowed: no more than its code calls, on this stack alone.

    Those of worker and lambda are given to their roles by `provision apply`; the operator's and
    packer's are for whoever runs `provision` and `provision ami bake`.
    """
    if part and role != "operator":
        raise click.UsageError("--part is for the operator's documents")
    stack = load_stack(stack_file, region)
    known = account or stack.account or _own_account(stack, profile, endpoint_url)
    blueprint = blueprint_of(stack, known)
    if role == "operator":
        _print_parts(operator_policies(blueprint), part)
        return
    documents = {"worker": worker_policy, "lambda": lambda_policy}
    interface = SshInterface(ssh_interface)
    click.echo(
        json.dumps(
            packer_policy(blueprint, interface) if role == "packer" else documents[role](blueprint),
            indent=2,
        )
    )


def blueprint_of(stack: Stack, account: str) -> Blueprint:
    """Return the blueprint as far as names go; the partition is the region's."""
    partition = boto3.Session().get_partition_for_region(stack.region)
    names = Names(stack.name, stack.pipeline.bucket, partition, stack.region, account)
    return Blueprint(stack, names)


def _own_account(stack: Stack, profile: str | None, endpoint_url: str | None) -> str:
    try:
        session = boto3.Session(region_name=stack.region, profile_name=profile)
        return identify(Aws(session, endpoint_url).sts).account
    except (BotoCoreError, ClientError) as error:
        raise ProvisionError(
            f"AWS does not tell whose account it is: {told(error)}",
            "with --account ID nobody is asked",
        ) from error


def _print_parts(documents: dict[str, Json], part: str | None) -> None:
    for name, document in documents.items():
        size = len(json.dumps(document, separators=(",", ":")))
        if size > MANAGED_LIMIT_CHARACTERS:
            raise ProvisionError(
                f"{name} has {size} characters, and a managed policy {MANAGED_LIMIT_CHARACTERS}",
                "shorten the prefixes in the stack file",
            )
    if part:
        click.echo(json.dumps(next(d for n, d in documents.items() if n.endswith(part)), indent=2))
        return
    click.echo(json.dumps(documents, indent=2))
    say(
        f"{len(documents)} documents, for a managed policy holds {MANAGED_LIMIT_CHARACTERS:,}"
        f" characters: attach them all; --part {'|'.join(PARTS)} prints one"
    )
