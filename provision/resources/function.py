"""The Lambda twin: the same worker as a function, ready to be cut over to."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provision.aws.calls import unless_gone
from provision.core.resource import (
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    found_with_tags,
    tag_properties,
    tags_of,
)
from provision.lambda_package import build_package
from provision.spec.blueprint import Blueprint, Consumer
from provision.spec.names import Names
from provision.spec.worker_environment import moving_environment

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

KIND: Final = "function"

HANDLER: Final = "worker.lambda_handler.handler"
CODE: Final = "CodeSha256"
"""What UpdateFunctionCode changes; UpdateFunctionConfiguration changes the rest."""

SERVES_ON: Final = "nothing: invocations go on with the old until the new is ready"


STILL_CONSUMES: Final = "`provision cutover ec2`: the function consumes, and nobody else does"


def waits_for(blueprint: Blueprint) -> str:
    """Say why a function that is wanted no more must stay for now; empty if it need not."""
    live = blueprint.consumer is Consumer.LAMBDA
    return STILL_CONSUMES if live and not blueprint.stack.lambda_.enabled else ""


def key(blueprint: Blueprint) -> Key:
    """Name the function."""
    return Key(KIND, blueprint.names.function)


def function(blueprint: Blueprint) -> Wanted | None:
    """Return the function with the code of this installation; None where none is wanted."""
    settings, names = blueprint.stack.lambda_, blueprint.names
    if not settings.enabled:
        return None
    package = build_package(settings.runtime)
    variables = moving_environment(blueprint)  # REGION, for AWS_REGION is Lambda's own
    return Wanted(
        key(blueprint),
        (
            Property("Runtime", settings.runtime, "from [lambda]", SERVES_ON),
            Property("Role", names.role_arn(names.lambda_role), "what it may do"),
            Property("Handler", HANDLER, "the worker's own pipeline"),
            Property("Timeout", settings.timeout_seconds, "of a batch, in seconds (rule 46)"),
            Property("MemorySize", settings.memory_mib, "in MiB"),
            Property("Environment", variables, "the worker's settings", SERVES_ON),
            Property("CodeSha256", package.sha256, "the code of this installation", SERVES_ON),
            *tag_properties(blueprint.tags),
        ),
    )


class FunctionProvider:
    """Functions by name."""

    def __init__(self, lambda_: "LambdaClient", names: Names) -> None:
        self._lambda = lambda_
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the configuration of $LATEST, and the tags."""
        answer = unless_gone(lambda: self._lambda.get_function(FunctionName=key.name))
        if answer is None:
            return None
        configuration = answer["Configuration"]
        properties: dict[str, Json] = {
            "Runtime": configuration.get("Runtime"),
            "Role": configuration.get("Role"),
            "Handler": configuration.get("Handler"),
            "Timeout": configuration.get("Timeout"),
            "MemorySize": configuration.get("MemorySize"),
            "Environment": configuration.get("Environment", {}).get("Variables", {}),
            "CodeSha256": configuration.get("CodeSha256"),
        }
        return found_with_tags(properties, answer.get("Tags", {}))

    def create(self, wanted: Wanted) -> None:
        """Create the function with code, settings and tags in one call."""
        values = wanted.values()
        self._lambda.create_function(
            FunctionName=wanted.key.name,
            Code={"ZipFile": _zip(values)},
            Tags=tags_of(values),
            **_configuration(values),
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Send the code anew, or set what changed; where both did, the second waits (409)."""
        changed, values = {each.name: each.after for each in changes}, wanted.values()
        if tags := tags_of(changed):
            self._lambda.tag_resource(Resource=self._names.function_arn, Tags=tags)
        if CODE in changed:
            self._lambda.update_function_code(FunctionName=wanted.key.name, ZipFile=_zip(values))
        if configuration := _configuration(changed):
            self._lambda.update_function_configuration(
                FunctionName=wanted.key.name, **configuration
            )

    def delete(self, key: Key) -> None:
        """Delete the function; its mapping is a resource of its own (rule 47)."""
        unless_gone(lambda: self._lambda.delete_function(FunctionName=key.name))


def _zip(values: Mapping[str, Json]) -> bytes:
    return build_package(str(values["Runtime"])).zip


def _configuration(values: Mapping[str, Json]) -> dict[str, Any]:
    return {
        name: {"Variables": value} if name == "Environment" else value
        for name, value in values.items()
        if name != CODE and not name.startswith("tag:")
    }
