"""What do policy documents say to one question? Pure: of identities, of resources, of trust.

Knows Effect, Principal, Action, NotAction, Resource, NotResource, and the conditions in use here:
ARN, string, Bool and Null operators, with IfExists, ForAllValues and ForAnyValue. An operator that
it does not know counts as not met, so an Allow refuses.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | bool | int | float | None"
Values: TypeAlias = str | Sequence[str]
"""Of a condition key: one value, or several (`aws:TagKeys`)."""

_LIKE: Final = {"ArnLike", "ArnEquals", "StringLike"}
_OPPOSITES: Final = {
    "ArnNotLike": "ArnLike",
    "ArnNotEquals": "ArnEquals",
    "StringNotLike": "StringLike",
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
}


@dataclass(frozen=True, slots=True)
class Question:
    """Whether somebody may do `action` ("sqs:SendMessage") to `resource` (an ARN, or "*").

    `context` holds the condition keys. `callers` are the names by which a Principal element may
    mean the caller: ARNs, services, an account.
    """

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)
    callers: frozenset[str] = frozenset()

    def value(self, key: str) -> Values | None:
        """Look a condition key up; case does not matter. None if the request does not have it."""
        wanted = key.lower()
        return next((v for name, v in self.context.items() if name.lower() == wanted), None)


def allows(
    policy: Json, *, service: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Say whether a resource's policy lets `service` ("sns.amazonaws.com") do `action`.

    A matching Deny wins over any Allow, and nothing is allowed unless an Allow matches.
    """
    asked = Question(action, resource, context, frozenset({service}))
    said = effects(policy, asked)
    return "Allow" in said and "Deny" not in said


def effects(policy: Json, asked: Question, *, of_identity: bool = False) -> set[str]:
    """Give the effects ("Allow", "Deny") of the statements that match the question.

    The policy `of_identity` names no principal: it is the caller's own.
    """
    return {
        str(statement.get("Effect"))
        for statement in statements(policy)
        if (of_identity or _principal_matches(statement, asked))
        and _action_matches(statement, asked.action)
        and _resource_matches(statement, asked.resource)
        and _conditions_hold(statement.get("Condition"), asked)
    }


def statements(policy: Json) -> Iterable[Mapping[str, Json]]:
    """Give a policy's statements; one alone may stand without a list."""
    found = policy.get("Statement") if isinstance(policy, Mapping) else None
    return [s for s in listed(found) if isinstance(s, Mapping)]


def listed(value: Json) -> Sequence[Json]:
    """Give a list as it is, one value as a list of it, and nothing as an empty one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _principal_matches(statement: Mapping[str, Json], asked: Question) -> bool:
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return principal == "*"
    named = {str(each) for kind in ("Service", "AWS") for each in listed(principal.get(kind))}
    return "*" in listed(principal.get("AWS")) or not named.isdisjoint(asked.callers)


def _action_matches(statement: Mapping[str, Json], action: str) -> bool:
    if "NotAction" in statement:
        return not _any_matches(statement["NotAction"], action, fold=True)
    return _any_matches(statement.get("Action"), action, fold=True)


def _resource_matches(statement: Mapping[str, Json], resource: str) -> bool:
    if "NotResource" in statement:
        return not _any_matches(statement["NotResource"], resource)
    return _any_matches(statement.get("Resource", "*"), resource)


def _any_matches(patterns: Json, value: str, *, fold: bool = False) -> bool:
    wanted = value.lower() if fold else value
    return any(
        _pattern(pattern.lower() if fold else pattern).fullmatch(wanted)
        for pattern in listed(patterns)
        if isinstance(pattern, str)
    )


@functools.lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    """Compile a policy's pattern: `*` is anything, `?` one character; nothing else is special."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(each, re.escape(each)) for each in text), re.DOTALL)


def _conditions_hold(conditions: Json, asked: Question) -> bool:
    if not isinstance(conditions, Mapping):
        return conditions is None
    return all(
        _condition_holds(operator, wanted, asked.value(key))
        for operator, pairs in conditions.items()
        for key, wanted in (pairs.items() if isinstance(pairs, Mapping) else ())
    )


def _condition_holds(operator: str, wanted: Json, value: Values | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    base = name.removesuffix("IfExists")
    if base == "Null":
        return str(listed(wanted)[0]).lower() == str(value is None).lower()
    if value is None:
        return base != name or quantifier == "ForAllValues" or base in _OPPOSITES
    values = [value] if isinstance(value, str) else value
    held = [_value_holds(base, wanted, each) for each in values]
    return all(held) if quantifier == "ForAllValues" else any(held)


def _value_holds(name: str, wanted: Json, value: str) -> bool:
    if name in _OPPOSITES:
        return not _value_holds(_OPPOSITES[name], wanted, value)
    if name in _LIKE:
        return _any_matches(wanted, value)
    if name == "StringEquals":
        return value in listed(wanted)
    if name in {"StringEqualsIgnoreCase", "Bool"}:
        return value.lower() in {str(each).lower() for each in listed(wanted)}
    return False
