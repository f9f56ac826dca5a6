"""A policy may name only roles and users that exist, and of which the service has heard."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from moto.iam.models import iam_backends
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend
from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend

from worker.demo.embedded.iam.propagation import visible
from worker.demo.embedded.patches import Moto
from worker.operator.policy import Json, listed, statements

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Check the principals of topics' and queues' policies."""
    patches = layer.patches
    patches.wrap(SNSBackend, "set_topic_attribute", lambda f: topic_policy_is_known(layer, f))
    patches.wrap(SNSBackend, "create_topic", lambda f: new_topic_policy_is_known(layer, f))
    patches.wrap(SQSBackend, "set_queue_attributes", lambda f: queue_policy_is_known(layer, f))
    patches.wrap(SQSBackend, "create_queue", lambda f: new_queue_policy_is_known(layer, f))


def unknown_principal(layer: "Layer", document: Json) -> str:
    """Name a role or user of a policy that does not exist, or is not visible yet; "" if none."""
    for statement in statements(document):
        principal = statement.get("Principal")
        named = listed(principal.get("AWS")) if isinstance(principal, Mapping) else []
        for arn in named:
            if isinstance(arn, str) and not _known(layer, arn):
                return arn
    return ""


def topic_policy_is_known(layer: "Layer", change: Handler) -> Handler:
    """Rule 3: SNS says PrincipalNotFound."""

    def changed(self: Moto, topic_arn: str, attribute_name: str, attribute_value: str) -> None:
        if attribute_name.lower() == "policy":
            _check_topic(layer, attribute_value)
        change(self, topic_arn, attribute_name, attribute_value)

    return changed


def new_topic_policy_is_known(layer: "Layer", create: Handler) -> Handler:
    """Rule 3, for a policy that comes with CreateTopic."""

    def created(self: Moto, name: str, attributes: Moto = None, tags: Moto = None) -> Moto:
        _check_topic(layer, (attributes or {}).get("Policy", ""))
        return create(self, name, attributes, tags)

    return created


def queue_policy_is_known(layer: "Layer", change: Handler) -> Handler:
    """Rule 3: SQS says that the value of the parameter Policy is invalid."""

    def changed(self: Moto, queue_name: str, attributes: dict[str, Moto]) -> Moto:
        _check_queue(layer, attributes.get("Policy", ""))
        return change(self, queue_name, attributes)

    return changed


def new_queue_policy_is_known(layer: "Layer", create: Handler) -> Handler:
    """Rule 3, for a policy that comes with CreateQueue."""

    def created(self: Moto, name: str, tags: Moto, **attributes: Moto) -> Moto:
        _check_queue(layer, attributes.get("Policy") or "")
        return create(self, name, tags, **attributes)

    return created


def _check_topic(layer: "Layer", text: str) -> None:
    if text and (document := _parse(text)) is None:
        raise SNSInvalidParameter("Invalid parameter: Policy Error: the policy is not valid JSON")
    if text and unknown_principal(layer, document):
        raise SNSInvalidParameter("Invalid parameter: Policy Error: PrincipalNotFound")


def _check_queue(layer: "Layer", text: str) -> None:
    if text and ((document := _parse(text)) is None or unknown_principal(layer, document)):
        raise SQSException("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def _parse(text: str) -> Json:
    """Read a policy; None if it is no JSON object."""
    try:
        document: Json = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, Mapping) else None


def _known(layer: "Layer", arn: str) -> bool:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "iam" or parts[5] == "root":  # noqa: PLR2004 # an ARN's parts
        return True
    _, partition, _, _, account, resource = parts
    backend = iam_backends[account][partition]
    kind, _, _ = resource.partition("/")
    there = {"role": backend.get_roles, "user": backend.users.values}.get(kind)
    if there is None:
        return True
    return any(each.arn == arn for each in there()) and visible(layer, arn)
