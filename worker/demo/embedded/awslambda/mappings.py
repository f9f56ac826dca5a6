"""Event source mappings of a queue: what they may say, and the states they pass through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moto.awslambda.exceptions import (
    GenericResourcNotFound,
    InvalidParameterValueException,
    LambdaClientError,
)
from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.sqs.models import sqs_backends

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_DEFAULT_BATCH: Final = 10
_CONCURRENCY: Final = range(2, 1001)
_BATCHES: Final = range(1, 10_001)
_WINDOWS: Final = range(301)

Handler = Callable[..., Moto]


@dataclass(frozen=True, slots=True)
class Change:
    """A state that lasts until a time (Unix seconds)."""

    state: str
    until: float


def correct(layer: "Layer") -> None:
    """Check what is asked, and let every change take its time."""
    patches = layer.patches
    patches.wrap(LambdaBackend, "create_event_source_mapping", lambda f: is_created(layer, f))
    patches.wrap(LambdaBackend, "update_event_source_mapping", lambda f: is_updated(layer, f))
    patches.replace(LambdaBackend, "delete_event_source_mapping", is_deleted(layer))
    patches.wrap(LambdaBackend, "get_event_source_mapping", lambda f: gone_is_not_found(layer, f))
    patches.wrap(LambdaBackend, "list_event_source_mappings", lambda f: all_are_listed(layer, f))
    patches.wrap(EventSourceMapping, "get_configuration", lambda f: state_is_told(layer, f))


def state(layer: "Layer", mapping: Moto) -> str:
    """Tell a mapping's state as of now; "" if it is deleted."""
    change: Change | None = getattr(mapping, "change", None)
    if change is not None and layer.clock() < change.until:
        return change.state
    if change is not None and change.state == "Deleting":
        return ""
    return "Enabled" if mapping.enabled else "Disabled"


def is_created(layer: "Layer", create: Handler) -> Handler:
    """Rule 46: refuse what does not fit the queue; rule 47: what fits is Creating at first.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    def created(self: Moto, spec: dict[str, Moto]) -> Moto:
        _forget_deleted(layer, self)
        function = self.get_function(spec["FunctionName"])
        _check(spec, function, _queue(spec["EventSourceArn"]))
        for other in self._event_source_mappings.values():
            if (other.event_source_arn, other.function_arn) == (
                spec["EventSourceArn"],
                function.function_arn,
            ):
                raise _already_there(other)
        mapping = create(self, spec)
        mapping.change = Change("Creating", layer.clock() + layer.delays.lambda_seconds)
        return mapping

    return created


def is_updated(layer: "Layer", update: Handler) -> Handler:
    """Rule 47: ResourceInUseException while it changes; Enabling, Disabling or Updating after.

    Rule 46 holds for the mapping as it would be.
    """

    def updated(self: Moto, uuid: str, spec: dict[str, Moto]) -> Moto:
        mapping = _settled(layer, self, uuid)
        function = self.get_function(spec.get("FunctionName", mapping.function_arn))
        _check(_settings(mapping) | spec, function, _queue(mapping.event_source_arn))
        was_enabled = mapping.enabled
        update(self, uuid, spec)
        names = {(False, True): "Enabling", (True, False): "Disabling"}
        change = names.get((was_enabled, mapping.enabled), "Updating")
        mapping.change = Change(change, layer.clock() + layer.delays.lambda_seconds)
        return mapping

    return updated


def is_deleted(layer: "Layer") -> Handler:
    """Rule 47: a deleted mapping is Deleting for a while, and then not found."""

    def delete_event_source_mapping(self: Moto, uuid: str) -> Moto:
        mapping = _settled(layer, self, uuid)
        mapping.change = Change("Deleting", layer.clock() + layer.delays.lambda_seconds)
        return mapping

    return delete_event_source_mapping


def gone_is_not_found(layer: "Layer", get: Handler) -> Handler:
    """Rule 47: a mapping that was deleted long enough ago is not there."""

    def got(self: Moto, uuid: str) -> Moto:
        _forget_deleted(layer, self)
        return get(self, uuid)

    return got


def all_are_listed(layer: "Layer", listed: Handler) -> Handler:
    """List a function's mappings by its name or its ARN, even if the function is gone (rule 47)."""

    def got(self: Moto, event_source_arn: str | None, function_name: str | None) -> list[Moto]:
        _forget_deleted(layer, self)
        found = listed(self, event_source_arn, None)
        wanted = (function_name or "").rsplit(":", 1)[-1]
        return [each for each in found if not wanted or each.function_arn.endswith(f":{wanted}")]

    return got


def state_is_told(layer: "Layer", get: Handler) -> Handler:
    """Rule 47: tell the state as of now, and what AWS fills in by itself."""

    def got(self: Moto) -> dict[str, Moto]:
        window = {"MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
        told: dict[str, Moto] = window | get(self)
        told["State"] = state(layer, self) or "Deleting"
        return told | {"StateTransitionReason": "USER_INITIATED"}

    return got


def _settled(layer: "Layer", backend: Moto, uuid: str) -> Moto:
    """Give a mapping that may be changed now. Raises LambdaClientError."""
    mapping = backend.get_event_source_mapping(uuid)
    if mapping is None:
        raise GenericResourcNotFound
    if state(layer, mapping) not in {"Enabled", "Disabled"}:
        raise LambdaClientError(
            "ResourceInUseException",
            "Cannot update the event source mapping because it is in use.",
        )
    return mapping


def _forget_deleted(layer: "Layer", backend: Moto) -> None:
    mappings = backend._event_source_mappings  # noqa: SLF001 # moto's only place
    for uuid in [uuid for uuid, each in mappings.items() if not state(layer, each)]:
        del mappings[uuid]


def _settings(mapping: Moto) -> dict[str, Moto]:
    return {
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.max_batch_window,
        "ScalingConfig": mapping.scaling_config,
    }


def _check(spec: Mapping[str, Moto], function: Moto, queue: Moto) -> None:
    batch = spec.get("BatchSize") or _DEFAULT_BATCH
    window = spec.get("MaximumBatchingWindowInSeconds") or 0
    concurrency = (spec.get("ScalingConfig") or {}).get("MaximumConcurrency")
    if queue is None:
        raise InvalidParameterValueException(
            "Error occurred while ReceiveMessage. SQS Error Code:"
            " AWS.SimpleQueueService.NonExistentQueue."
            " SQS Error Message: The specified queue does not exist."
        )
    if function.timeout > queue.visibility_timeout:
        raise InvalidParameterValueException(
            f"Queue visibility timeout: {queue.visibility_timeout} seconds is less than"
            f" Function timeout: {function.timeout} seconds"
        )
    if batch > _DEFAULT_BATCH and window < 1:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is"
            " greater than 10"
        )
    _check_range("batchSize", batch, _BATCHES)
    _check_range("maximumBatchingWindowInSeconds", window, _WINDOWS)
    if concurrency is not None:
        _check_range("scalingConfig.maximumConcurrency", concurrency, _CONCURRENCY)


def _check_range(name: str, value: int, allowed: range) -> None:
    if value not in allowed:
        bound = ("greater", allowed[0]) if value < allowed[0] else ("less", allowed[-1])
        raise LambdaClientError(
            "ValidationException",
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy"
            f" constraint: Member must have value {bound[0]} than or equal to {bound[1]}",
        )


def _already_there(mapping: Moto) -> LambdaClientError:
    error = LambdaClientError(
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {mapping.event_source_arn} ") and function'
        f' (" {mapping.function_arn.rsplit(":", 1)[-1]} ") already exists.'
        f" Please update or delete the existing mapping with UUID {mapping.uuid}",
    )
    error.code = 409
    return error


def _queue(arn: str) -> Moto:
    """Find a queue, or None."""
    _, _, _, region, account, name = arn.split(":")
    return sqs_backends[account][region].queues.get(name)
