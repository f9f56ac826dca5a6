"""SimulatePrincipalPolicy: what a user or role would be allowed, by its own policies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse

from worker.demo.embedded.iam.callers import Caller, policies_of_role, policies_of_user
from worker.demo.embedded.iam.needs import ACCOUNT
from worker.demo.embedded.patches import Moto
from worker.operator.policy import Question, effects, statements

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer


def correct(layer: "Layer") -> None:
    """Add the operation that moto does not know."""
    layer.patches.replace(IamResponse, "simulate_principal_policy", simulate)


def simulate(self: Moto) -> Moto:
    """Answer for each action and resource: allowed, explicitDeny or implicitDeny.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    caller = _principal(self._get_param("PolicySourceArn"))
    context = {
        each["ContextKeyName"]: each["ContextKeyValues"]
        for each in self._get_param("ContextEntries", [])
    }
    results = [
        _result(caller, Question(action, resource, context))
        for action in self._get_param("ActionNames", [])
        for resource in self._get_param("ResourceArns", []) or ["*"]
    ]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _result(caller: Caller, asked: Question) -> dict[str, Any]:
    said = {effect for each in caller.policies for effect in effects(each, asked, of_identity=True)}
    decision = "implicitDeny" if "Allow" not in said else "allowed"
    return {
        "EvalActionName": asked.action,
        "EvalResourceName": asked.resource,
        "EvalDecision": "explicitDeny" if "Deny" in said else decision,
        "MissingContextValues": sorted(_missing(caller, asked)),
    }


def _missing(caller: Caller, asked: Question) -> set[str]:
    """Name the condition keys that the caller's policies ask for, and the simulation lacks."""
    asked_for: set[str] = set()
    for statement in (each for policy in caller.policies for each in statements(policy)):
        conditions = statement.get("Condition")
        for pairs in conditions.values() if isinstance(conditions, Mapping) else ():
            asked_for |= set(pairs) if isinstance(pairs, Mapping) else set()
    return {key for key in asked_for if asked.value(key) is None}


def _principal(arn: str) -> Caller:
    iam = iam_backends[ACCOUNT]["aws"]
    for user in iam.users.values():
        if user.arn == arn:
            return Caller(arn, frozenset({arn}), policies_of_user(user))
    try:
        role = iam.get_role_by_arn(arn)
    except NotFoundException as error:
        raise NotFoundException(f"The principal {arn} cannot be found.") from error
    return Caller(arn, frozenset({arn}), policies_of_role(role))
