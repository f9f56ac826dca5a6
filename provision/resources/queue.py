"""The queue that workers receive from, and the dead-letter queue beside it."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

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
from provision.resources.policy import document, parsed, service_statement, text_of
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

KIND: Final = "queue"
DAY_SECONDS: Final = 24 * 3600

DEAD_LETTER_RETENTION_SECONDS: Final = 14 * DAY_SECONDS
"""SQS's longest, for a message keeps its first enqueue time when it is set aside (rule 15)."""

LONG_POLL_SECONDS: Final = 20

EVENT_BYTES: Final = 256 * 1024
"""SNS's largest message, and four times S3's largest event: a queue that takes less loses files."""

DOCUMENTS: Final = frozenset({"Policy", "RedrivePolicy", "RedriveAllowPolicy"})
"""Attributes that are JSON inside a string."""

ENCRYPTION: Final = ("KmsMasterKeyId", "SqsManagedSseEnabled")
"""SQS takes one of the two at a time, so a change of either sends both."""


def dead_letter_queue(blueprint: Blueprint) -> Wanted:
    """Return the dead-letter queue: for our queue alone, and it keeps all it can (rule 15)."""
    names = blueprint.names
    return Wanted(
        Key(KIND, names.dead_letter_queue),
        (
            Property(
                "MessageRetentionPeriod",
                str(DEAD_LETTER_RETENTION_SECONDS),
                "messages keep their first enqueue time: this must outlast the queue (rule 15)",
            ),
            Property(
                "RedriveAllowPolicy",
                {"redrivePermission": "byQueue", "sourceQueueArns": [names.queue_arn]},
                "no other queue may set messages aside here (rule 15)",
            ),
            *_encryption(blueprint),
            *tag_properties(blueprint.tags),
        ),
    )


def queue(blueprint: Blueprint) -> Wanted:
    """Return the queue; `Policy` lets our topic send, and nobody else (rule 10)."""
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    return Wanted(
        Key(KIND, names.queue),
        (
            Property(
                "VisibilityTimeout",
                str(blueprint.visibility_seconds),
                "a drain's time, and six times the function's timeout (rule 46)",
            ),
            Property("ReceiveMessageWaitTimeSeconds", str(LONG_POLL_SECONDS), "long polls"),
            Property(
                "MessageRetentionPeriod",
                str(pipeline.retention_days * DAY_SECONDS),
                "how long a message may wait",
            ),
            Property(
                "RedrivePolicy",
                {
                    "deadLetterTargetArn": names.dead_letter_queue_arn,
                    "maxReceiveCount": pipeline.max_receive_count,
                },
                "what fails this often is set aside",
            ),
            Property("Policy", _topic_may_send(blueprint), "only our topic may send (rule 10)"),
            Property("DelaySeconds", "0", "files are moved as they come"),
            Property(
                "MaximumMessageSize", str(EVENT_BYTES), "any of S3's events fits in (rule 17)"
            ),
            *_encryption(blueprint),
            *tag_properties(blueprint.tags),
        ),
    )


def _topic_may_send(blueprint: Blueprint) -> Json:
    names = blueprint.names
    return document(
        service_statement(
            sid="TopicMaySend",
            service="sns.amazonaws.com",
            action="sqs:SendMessage",
            resource=names.queue_arn,
            condition={
                "ArnEquals": {"aws:SourceArn": names.topic_arn},
                "StringEquals": {"aws:SourceAccount": names.account},
            },
        )
    )


def _encryption(blueprint: Blueprint) -> tuple[Property, ...]:
    key = blueprint.stack.pipeline.kms_key_arn
    own = "encrypted under your own key (rule 12)" if key else "no key of yours is named"
    return (
        Property("KmsMasterKeyId", key, own),
        Property(
            "SqsManagedSseEnabled",
            "false" if key else "true",
            "in its stead" if key else "encrypted, and needs no grant (rule 12)",
        ),
    )


class QueueProvider:
    """Queues by name."""

    def __init__(self, sqs: "SQSClient") -> None:
        self._sqs = sqs

    def observe(self, key: Key) -> Found | None:
        """Return the queue's attributes, JSON ones parsed, and its tags."""
        url = self.url(key.name)
        if url is None:
            return None
        attributes = unless_gone(
            lambda: self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        )
        if attributes is None:
            return None
        tags = self._sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        return found_with_tags(_readable(attributes.get("Attributes", {})), tags)

    def create(self, wanted: Wanted) -> None:
        """Create the queue with attributes and tags in one call."""
        values = wanted.values()
        attributes = {name: each for name, each in _sendable(values).items() if each}
        self._sqs.create_queue(
            QueueName=wanted.key.name, Attributes=attributes, tags=tags_of(values)
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Set the attributes and tags that changed, and nothing else."""
        url = self.url(wanted.key.name) or ""
        changed = {each.name: each.after for each in changes}
        if changed.keys() & ENCRYPTION:
            changed |= {
                each.name: each.value for each in wanted.properties if each.name in ENCRYPTION
            }
        if attributes := _sendable(changed):
            self._sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        if tags := tags_of(changed):
            self._sqs.tag_queue(QueueUrl=url, Tags=tags)

    def delete(self, key: Key) -> None:
        """Delete the queue with all messages in it; the name is taken for 60 s more (rule 13)."""
        url = self.url(key.name)
        if url is not None:
            unless_gone(lambda: self._sqs.delete_queue(QueueUrl=url))

    def url(self, name: str) -> str | None:
        """Return the queue's URL, or None if there is no such queue."""
        answer = unless_gone(lambda: self._sqs.get_queue_url(QueueName=name))
        return answer["QueueUrl"] if answer else None


def _readable(attributes: "Mapping[QueueAttributeNameType, str]") -> dict[str, Json]:
    read: dict[str, Json] = {"KmsMasterKeyId": ""}
    for name, value in attributes.items():
        read[name] = _readable_document(name, value) if name in DOCUMENTS else value
    size = int(attributes.get("MaximumMessageSize", EVENT_BYTES))
    return {**read, "MaximumMessageSize": str(min(size, EVENT_BYTES))}


def _readable_document(name: str, value: str) -> Json:
    if name == "Policy":
        return parsed(value)
    read: Json = json.loads(value)
    if isinstance(read, dict) and "maxReceiveCount" in read:
        # AWS gives back the number that it was given, or the same as a text.
        return {**read, "maxReceiveCount": int(str(read["maxReceiveCount"]))}
    return read


def _sendable(values: Mapping[str, Json]) -> "dict[QueueAttributeNameType, str]":
    return {
        cast("QueueAttributeNameType", name): text_of(value) if name in DOCUMENTS else str(value)
        for name, value in values.items()
        if not name.startswith("tag:")
    }
