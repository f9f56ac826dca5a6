"""The documents of the worker's and the function's role, and the same with an action less."""

from typing import Any

from provision.core.resource import Json
from provision.policies.lambda_ import lambda_policy
from provision.policies.worker import worker_policy
from provision.resources.policy import document as policy_of
from support.stacks import a_blueprint

POLICIES = {"worker": worker_policy, "lambda": lambda_policy}


def statements(role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's document."""
    document: Any = POLICIES[role](a_blueprint())
    found: list[dict[str, Any]] = document["Statement"]
    return found


def listed(value: Any) -> list[str]:  # noqa: ANN401 # one, or several, as IAM has it
    """Return a list of one or several."""
    return value if isinstance(value, list) else [value]


def without(document: Json, sid: str, action: str) -> Json:
    """Return the document without one action of one statement."""
    assert isinstance(document, dict)
    kept = []
    for statement in document["Statement"]:
        actions = listed(statement["Action"])
        if statement["Sid"] == sid:
            actions = [each for each in actions if each != action]
        kept += [{**statement, "Action": actions}] if actions else []
    return policy_of(*kept)
