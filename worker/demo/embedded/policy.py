"""Does a topic's or queue's policy let an AWS service send to it? Pure.

Knows the usual statement (rule 10): Effect, Principal, Action, Resource, and the ARN, string and
Bool conditions. An operator that it does not know counts as not met, so an Allow refuses.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | bool | int | float | None"


def allows(
    policy: Json, *, service: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Say whether `service` ("sns.amazonaws.com") may do `action` ("sqs:SendMessage").

    `resource` is the ARN that the policy guards; `context` the condition keys with their values.
    A matching Deny wins over any Allow, and nothing is allowed unless an Allow matches.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    keys = {name.lower(): value for name, value in context.items()}
    effects = {
        statement.get("Effect")
        for statement in statements(policy)
        if _principal_matches(statement, service)
        and _any_matches(statement.get("Action"), action, fold=True)
        and _any_matches(statement.get("Resource", resource), resource)
        and _conditions_hold(statement.get("Condition"), keys)
    }
    return "Allow" in effects and "Deny" not in effects


def statements(policy: Json) -> Iterable[Mapping[str, Json]]:
    """Give a policy's statements; one alone may stand without a list."""
    found = policy.get("Statement") if isinstance(policy, Mapping) else None
    return [s for s in listed(found) if isinstance(s, Mapping)]


def _principal_matches(statement: Mapping[str, Json], service: str) -> bool:
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return principal == "*"
    services, accounts = listed(principal.get("Service")), listed(principal.get("AWS"))
    return service in services or "*" in accounts


def _any_matches(patterns: Json, value: str, *, fold: bool = False) -> bool:
    wanted = value.lower() if fold else value
    return any(
        fnmatchcase(wanted, pattern.lower() if fold else pattern)
        for pattern in listed(patterns)
        if isinstance(pattern, str)
    )


def _conditions_hold(conditions: Json, context: Mapping[str, str]) -> bool:
    if not isinstance(conditions, Mapping):
        return conditions is None
    return all(
        _condition_holds(operator, wanted, context.get(key.lower()))
        for operator, pairs in conditions.items()
        for key, wanted in (pairs.items() if isinstance(pairs, Mapping) else ())
    )


def _condition_holds(operator: str, wanted: Json, value: str | None) -> bool:
    name = operator.removesuffix("IfExists")
    if value is None:
        return name != operator
    if name in {"ArnLike", "ArnEquals", "StringLike"}:
        return _any_matches(wanted, value)
    if name == "StringEquals":
        return value in listed(wanted)
    if name in {"StringEqualsIgnoreCase", "Bool"}:
        return value.lower() in {str(each).lower() for each in listed(wanted)}
    return False


def listed(value: Json) -> Sequence[Json]:
    """Give a list as it is, one value as a list of it, and nothing as an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
