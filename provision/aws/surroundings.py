"""What surrounds the stack in AWS: the account that we are in. Describe and get calls only."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import RefusedError
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names
from provision.spec.stack import Stack

if TYPE_CHECKING:
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


def survey(stack: Stack, identity: Identity) -> Blueprint:
    """Look at what the stack stands in; raises RefusedError in an account that is not its own."""
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
    return Blueprint(stack, names)
