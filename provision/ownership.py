"""Whose the things are that a command works on: it changes none that is not the stack's."""

from collections.abc import Collection
from typing import Final

from provision.apply import observe
from provision.aws.session import Aws
from provision.core.resource import Key
from provision.errors import RefusedError
from provision.resources import bucket, function, group, launch_template, mapping, queue
from provision.resources.catalogue import intentions, providers
from provision.spec.blueprint import Blueprint

WAY: Final = (bucket.KIND, queue.KIND)
"""What a canary goes through; an owner's bucket is none of the stack's resources."""

INSTANCES: Final = (launch_template.KIND, group.KIND)
CONSUMERS: Final = (group.KIND, function.KIND, mapping.KIND)

WHOSE: Final = "`provision plan` says whose it is, and what can be done"


def foreign_among(aws: Aws, blueprint: Blueprint, kinds: Collection[str]) -> Key | None:
    """Return the first of the stack's resources of these kinds that is there, and not the stack's.

    Describe, get and list calls only. Raises ClientError.
    """
    some = [each for each in intentions(blueprint) if each.key.kind in kinds]
    found = observe(some, providers(aws, blueprint))
    names = (key for key, each in found.items() if each and each.owner != blueprint.stack.name)
    return next(names, None)


def must_be_ours(aws: Aws, blueprint: Blueprint, kinds: Collection[str]) -> None:
    """Raise RefusedError where one of them is not, before anything is changed."""
    if foreign := foreign_among(aws, blueprint, kinds):
        raise RefusedError(f"{foreign} is not this stack's: nothing was changed", WHOSE)
