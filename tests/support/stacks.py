"""Stacks and blueprints for the tests of `provision`."""

from collections.abc import Mapping
from typing import Any

from provision.spec.blueprint import Blueprint, Image, Network
from provision.spec.names import Names
from provision.spec.stack import Stack

ACCOUNT = "123456789012"
REGION = "us-east-2"

IMAGE = Image("ami-0123456789abcdef0", "x86_64", "/dev/sda1")
NETWORK = Network(
    "vpc-0123456789abcdef0",
    {
        "subnet-0aaaaaaaaaaaaaaaa": "us-east-2a",
        "subnet-0bbbbbbbbbbbbbbbb": "us-east-2b",
        "subnet-0cccccccccccccccc": "us-east-2c",
    },
)


def a_stack(name: str = "files", **sections: Mapping[str, Any]) -> Stack:
    """Return a stack of this name; `sections` as in the stack file."""
    pipeline = {"bucket": f"{name}-bucket", **sections.pop("pipeline", {})}
    given = {"name": name, "region": REGION, "pipeline": pipeline, **sections}
    return Stack.model_validate(given)


def a_blueprint(
    name: str = "files",
    *,
    image: Image | None = IMAGE,
    network: Network | None = NETWORK,
    **sections: Mapping[str, Any],
) -> Blueprint:
    """Return the blueprint of such a stack, in account 123456789012."""
    stack = a_stack(name, **sections)
    names = Names(name, stack.pipeline.bucket, "aws", stack.region, ACCOUNT)
    return Blueprint(stack, names, network, image)
