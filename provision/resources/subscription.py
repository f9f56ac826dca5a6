"""Who hears of what a topic is told: our queue, and the people whom alarms go to.

Subscriptions have no tags: one is the stack's if its topic is, by topic, protocol and endpoint.
Which people are ours says a tag of the alarms' topic: alarm_mail.py.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provision.aws.calls import unless_gone
from provision.core.resource import OWNER_TAG, Change, Found, Json, Key, Property, Wanted
from provision.resources.policy import text_of
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import SubscriptionTypeDef

KIND: Final = "subscription"
PENDING: Final = "PendingConfirmation"
"""What stands in the place of the ARN until somebody at the endpoint has agreed."""

UNSUBSCRIBED: Final = "Deleted"
"""What stands there for up to three days after somebody at the endpoint wanted no more."""


def subscription_key(topic: str, protocol: str, endpoint: str) -> Key:
    """Return the key: "files-uploads/sqs/arn:aws:sqs:…"."""
    return Key(KIND, f"{topic}/{protocol}/{endpoint}")


def queue_subscription(blueprint: Blueprint) -> Wanted:
    """Return the queue's subscription: all that the topic is told, in SNS's envelope."""
    names = blueprint.names
    return Wanted(
        subscription_key(names.topic, "sqs", names.queue_arn),
        (
            Property("RawMessageDelivery", "false", "the envelope tells which topic sent it"),
            Property("FilterPolicy", None, "every event counts: a filter would lose files"),
        ),
    )


class SubscriptionProvider:
    """Subscriptions by topic, protocol and endpoint."""

    def __init__(self, sns: "SNSClient", names: Names) -> None:
        self._sns = sns
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the subscription's attributes; one that waits for consent has none yet."""
        arn = self.arn(key)
        if arn is None:
            return None
        tags = self._sns.list_tags_for_resource(ResourceArn=self._topic_arn(key)).get("Tags", [])
        owner = next((each["Value"] for each in tags if each["Key"] == OWNER_TAG), None)
        return Found(owner, {} if arn == PENDING else self._attributes(arn))

    def create(self, wanted: Wanted) -> None:
        """Subscribe, with all attributes in the one call."""
        topic, protocol, endpoint = _parts(wanted.key)
        self._sns.subscribe(
            TopicArn=self._names.arn("sns", topic),
            Protocol=protocol,
            Endpoint=endpoint,
            Attributes=_sendable({n: v for n, v in wanted.values().items() if v is not None}),
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Set what changed, one attribute a call."""
        arn = self.arn(wanted.key) or PENDING
        for name, value in _sendable({each.name: each.after for each in changes}).items():
            self._sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName=name, AttributeValue=value
            )

    def delete(self, key: Key) -> None:
        """Unsubscribe; what nobody agreed to goes with its topic, or by itself."""
        arn = self.arn(key)
        if arn not in {None, PENDING}:
            self._sns.unsubscribe(SubscriptionArn=str(arn))

    def arn(self, key: Key) -> str | None:
        """Return the subscription's ARN, PENDING, or None if there is no such (or no topic)."""
        _, protocol, endpoint = _parts(key)
        found = unless_gone(lambda: list(self._of_topic(self._topic_arn(key))))
        return next(
            (
                each["SubscriptionArn"]
                for each in found or []
                if (each["Protocol"], each["Endpoint"]) == (protocol, endpoint)
                and each["SubscriptionArn"] != UNSUBSCRIBED
            ),
            None,
        )

    def _of_topic(self, topic_arn: str) -> "Iterator[SubscriptionTypeDef]":
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
        for page in pages:
            yield from page["Subscriptions"]

    def _attributes(self, arn: str) -> dict[str, Json]:
        got = self._sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        chosen: Any = json.loads(got.get("FilterPolicy") or "{}")
        return {
            "RawMessageDelivery": got.get("RawMessageDelivery", "false"),
            "FilterPolicy": chosen or None,
        }

    def _topic_arn(self, key: Key) -> str:
        return self._names.arn("sns", _parts(key)[0])


def _parts(key: Key) -> tuple[str, str, str]:
    topic, protocol, endpoint = key.name.split("/", 2)
    return topic, protocol, endpoint


def _sendable(values: Mapping[str, Json]) -> dict[str, str]:
    """Write attributes as SNS takes them; an empty filter policy is how one is taken away."""
    return {
        name: text_of(value or {}) if name == "FilterPolicy" else str(value)
        for name, value in values.items()
    }
