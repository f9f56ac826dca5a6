"""What surrounds the stack in AWS: account, network, AMI. Describe and get calls only."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.aws.images import find_image
from provision.aws.network import find_network
from provision.errors import RefusedError
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names
from provision.spec.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_sts import STSClient


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the caller is; `arn` is the user's or the assumed role's."""

    account: str
    partition: str
    arn: str


def identify(sts: "STSClient") -> Identity:
    """Ask STS who we are; it needs no permission, only credentials. Raises ClientError."""
    told = sts.get_caller_identity()
    return Identity(told["Account"], told["Arn"].split(":")[1], told["Arn"])


def survey(ec2: "EC2Client", stack: Stack, identity: Identity) -> Blueprint:
    """Look at what the stack stands in.

    Raises RefusedError in an account that is not its own, and ClientError.
    """
    if stack.account and stack.account != identity.account:
        raise RefusedError(
            f"these are credentials of the account {identity.account}, and the stack file says"
            f" account = {stack.account!r}",
            "choose other credentials (--profile, AWS_PROFILE), or mend the stack file",
        )
    names = Names(
        stack=stack.name,
        bucket=stack.pipeline.bucket,
        partition=identity.partition,
        region=stack.region,
        account=identity.account,
    )
    network = find_network(ec2, stack.instances)
    image = find_image(ec2, stack.name, stack.instances.ami)
    return Blueprint(stack, names, network, image)
