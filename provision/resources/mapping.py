"""What joins the queue to the function. It is made disabled; `provision cutover` owns the switch.

A mapping has an id that AWS chooses and no name: it is ours because it joins our queue to our
function, and Lambda allows one such mapping only.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provision.aws.calls import unless_gone
from provision.core.resource import Change, Found, Json, Key, Property, Wanted
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef

KIND: Final = "mapping"

PARTIAL_RESPONSES: Final = "ReportBatchItemFailures"


def key(blueprint: Blueprint) -> Key:
    """Name the mapping by the function that it feeds."""
    return Key(KIND, blueprint.names.function)


def mapping(blueprint: Blueprint) -> Wanted | None:
    """Return the mapping; whether it is enabled is no property, for the cutover decides it."""
    settings = blueprint.stack.lambda_
    if not settings.enabled:
        return None
    return Wanted(
        key(blueprint),
        (
            Property("BatchSize", settings.batch_size, "messages an invocation (rule 46)"),
            Property(
                "MaximumConcurrency", settings.maximum_concurrency, "invocations at a time (46)"
            ),
            Property("MaximumBatchingWindowInSeconds", 0, "a single file waits for no company"),
            Property(
                "FunctionResponseTypes",
                [PARTIAL_RESPONSES],
                "one message that fails does not bring its whole batch back (rule 48)",
            ),
        ),
    )


class MappingProvider:
    """The mapping between our queue and our function."""

    def __init__(self, lambda_: "LambdaClient", names: Names) -> None:
        self._lambda = lambda_
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the mapping's settings; one that is being deleted is gone (rule 47)."""
        found = find_mapping(self._lambda, self._names.queue_arn, key.name)
        if found is None or found.get("State") == "Deleting":
            return None
        return Found(
            owner=self._names.stack,
            properties={
                "BatchSize": found.get("BatchSize"),
                "MaximumConcurrency": found.get("ScalingConfig", {}).get("MaximumConcurrency"),
                "MaximumBatchingWindowInSeconds": found.get("MaximumBatchingWindowInSeconds"),
                "FunctionResponseTypes": list(found.get("FunctionResponseTypes", [])),
            },
        )

    def create(self, wanted: Wanted) -> None:
        """Create the mapping, disabled; where one is being deleted still, Lambda asks for time."""
        self._lambda.create_event_source_mapping(
            EventSourceArn=self._names.queue_arn,
            FunctionName=wanted.key.name,
            Enabled=False,
            **_sendable(wanted.values()),
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Set what changed, and leave it enabled or disabled as it is."""
        found = find_mapping(self._lambda, self._names.queue_arn, wanted.key.name) or {}
        changed = {each.name: each.after for each in changes}
        self._lambda.update_event_source_mapping(UUID=found.get("UUID", ""), **_sendable(changed))

    def delete(self, key: Key) -> None:
        """Delete the mapping; batches that are under way go to their end (rule 47)."""
        found = find_mapping(self._lambda, self._names.queue_arn, key.name)
        if found is not None and found.get("State") != "Deleting":
            uuid = found.get("UUID", "")
            unless_gone(lambda: self._lambda.delete_event_source_mapping(UUID=uuid))


def find_mapping(
    lambda_: "LambdaClient", queue_arn: str, function_name: str
) -> "EventSourceMappingConfigurationTypeDef | None":
    """Return the mapping between a queue and a function, which may be gone already, or None."""
    pages = lambda_.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue_arn)
    found = (each for page in pages for each in page["EventSourceMappings"])
    ours = f":function:{function_name}"
    return next((each for each in found if each.get("FunctionArn", "").endswith(ours)), None)


def _sendable(values: Mapping[str, Json]) -> dict[str, Any]:
    return {
        "ScalingConfig" if name == "MaximumConcurrency" else name: (
            {name: value} if name == "MaximumConcurrency" else value
        )
        for name, value in values.items()
    }
