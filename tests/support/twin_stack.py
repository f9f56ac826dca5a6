"""A stack for the tests of the Lambda twin, its watching and the cutover."""

from provision.spec.blueprint import Blueprint, Image, Network
from provision.spec.names import Names
from provision.spec.stack import Stack

ACCOUNT = "123456789012"
REGION = "us-east-2"

NETWORK = Network("vpc-12345678", {"subnet-12345678": "us-east-2a"})
IMAGE = Image("ami-12345678", "x86_64", "/dev/xvda")


def stack_of(name: str = "files", **sections: object) -> Stack:
    """Return a stack of this name; `sections` as in the stack file."""
    content = {
        "name": name,
        "region": REGION,
        "pipeline": {"bucket": f"{name}-bucket"},
        **sections,
    }
    return Stack.model_validate(content)


def blueprint_of(name: str = "files", **sections: object) -> Blueprint:
    """Return the blueprint of such a stack, with an image and a network."""
    stack = stack_of(name, **sections)
    names = Names(name, stack.pipeline.bucket, "aws", REGION, ACCOUNT)
    return Blueprint(stack, names, NETWORK, IMAGE)
