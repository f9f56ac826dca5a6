"""From a table of grants to an IAM document. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from provision.core.resource import Json
from provision.resources.policy import document


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on resources, and for each action who needs it.

    `uses`: action → the API operations of ours that need it ("sqs.CreateQueue"), or, where it is
    not our code that calls, who does ("the SSM agent").
    """

    sid: str
    uses: Mapping[str, tuple[str, ...]]
    resources: tuple[str, ...]
    condition: Mapping[str, Json] = field(default_factory=dict)


def policy_document(grants: Iterable[Grant]) -> Json:
    """Return the document that allows all of these grants, and nothing else, in normal form."""
    return document(*map(_statement, grants))


def same(service: str, operations: str) -> dict[str, tuple[str, ...]]:
    """Return the uses of operations whose action has their own name: "CreateQueue TagQueue"."""
    return {f"{service}:{each}": (f"{service}.{each}",) for each in operations.split()}


def used_by(action: str, operations: str) -> dict[str, tuple[str, ...]]:
    """Return the uses of an action that goes by another name than the operations that need it."""
    return {action: tuple(operations.split())}


def _statement(grant: Grant) -> Json:
    statement: dict[str, Json] = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.uses),
        "Resource": list(grant.resources),
    }
    return {**statement, "Condition": grant.condition} if grant.condition else statement
