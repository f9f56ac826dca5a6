"""Lambda functions: whose role they may have, and when they may be changed."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from worker.demo.embedded.iam.propagation import visible
from worker.demo.embedded.patches import Moto
from worker.operator import policy

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_CREATING: Final = {
    "State": "Pending",
    "StateReason": "The function is being created.",
    "StateReasonCode": "Creating",
}
_UPDATING: Final = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Ask the role whether it may be assumed, and let every change take its time."""
    patches = layer.patches
    patches.wrap(LambdaBackend, "create_function", lambda f: function_is_pending(layer, f))
    patches.wrap(LambdaBackend, "create_function", lambda f: role_is_assumed(layer, f))
    for change in ("update_function_code", "update_function_configuration"):
        patches.wrap(LambdaBackend, change, lambda f: update_takes_time(layer, f))
    patches.wrap(LambdaBackend, "update_function_configuration", lambda f: new_role(layer, f))
    patches.wrap(LambdaFunction, "get_configuration", lambda f: state_is_told(layer, f))


def role_is_assumed(layer: "Layer", create: Handler) -> Handler:
    """Rule 3: the role exists, is known to Lambda by now, and trusts `lambda.amazonaws.com`.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """

    def created(self: Moto, spec: dict[str, Moto]) -> Moto:
        _check_role(layer, spec["Role"])
        return create(self, spec)

    return created


def new_role(layer: "Layer", update: Handler) -> Handler:
    """Rule 3, when a function gets another role."""

    def updated(self: Moto, name: str, qualifier: str | None, body: dict[str, Moto]) -> Moto:
        if "Role" in body:
            _check_role(layer, body["Role"])
        return update(self, name, qualifier, body)

    return updated


def function_is_pending(layer: "Layer", create: Handler) -> Handler:
    """Let a new function be Pending for the layer's `delays.lambda_seconds`, then Active.

    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """

    def created(self: Moto, spec: dict[str, Moto]) -> Moto:
        function = create(self, spec)
        self.get_function(spec["FunctionName"]).active_from = (
            layer.clock() + layer.delays.lambda_seconds
        )
        function.active_from = layer.clock() + layer.delays.lambda_seconds
        return function

    return created


def update_takes_time(layer: "Layer", update: Handler) -> Handler:
    """Let an update be InProgress for as long, and refuse another meanwhile (409).

    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """

    def updated(self: Moto, name: str, qualifier: str | None, body: dict[str, Moto]) -> Moto:
        function = self.get_function(name, qualifier)
        if _is_pending(layer, function):
            raise conflict("The function is currently in the following state: Pending")
        if _is_updating(layer, function):
            raise conflict(f"An update is in progress for resource: {function.function_arn}")
        answer = update(self, name, qualifier, body)
        if body.get("DryRun"):
            return answer
        function.updated_from = layer.clock() + layer.delays.lambda_seconds
        return {**answer, **_UPDATING}

    return updated


def state_is_told(layer: "Layer", get: Handler) -> Handler:
    """Tell State and LastUpdateStatus as of now, with their reasons."""

    def got(self: Moto, on_create: bool = False) -> dict[str, Moto]:  # noqa: FBT001, FBT002 # moto's signature
        configuration: dict[str, Moto] = get(self, on_create)
        if _is_pending(layer, self):
            return configuration | _CREATING
        return configuration | (_UPDATING if _is_updating(layer, self) else {})

    return got


def conflict(reason: str) -> LambdaClientError:
    """Build Lambda's 409 for a function that is being changed."""
    message = f"The operation cannot be performed at this time. {reason}"
    error = LambdaClientError("ResourceConflictException", message)
    error.code = 409
    return error


def is_active(layer: "Layer", function: Moto) -> bool:
    """Say whether a function can be invoked by now."""
    return not _is_pending(layer, function)


def _is_pending(layer: "Layer", function: Moto) -> bool:
    return bool(layer.clock() < getattr(function, "active_from", 0.0))


def _is_updating(layer: "Layer", function: Moto) -> bool:
    return bool(layer.clock() < getattr(function, "updated_from", 0.0))


def _check_role(layer: "Layer", arn: str) -> None:
    if not _trusts_lambda(arn) or not visible(layer, arn):
        raise InvalidParameterValueException(
            "The role defined for the function cannot be assumed by Lambda."
        )


def _trusts_lambda(arn: str) -> bool:
    _, partition, _, _, account, _ = arn.split(":")
    try:
        role = iam_backends[account][partition].get_role_by_arn(arn)
    except NotFoundException:
        return False
    return policy.allows(
        json.loads(role.assume_role_policy_document),
        service="lambda.amazonaws.com",
        action="sts:AssumeRole",
        resource=arn,
        context={"aws:SourceAccount": account},
    )
