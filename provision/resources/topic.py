"""The topic that S3 publishes to, and the one that alarms are published to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from provision.aws.calls import unless_gone
from provision.core.resource import (
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    found_with_tags,
    plain_tags,
    tag_list,
    tag_properties,
    tags_of,
)
from provision.resources import alarm_mail
from provision.resources.policy import document, parsed, service_statement, text_of
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

KIND: Final = "topic"


def upload_topic(blueprint: Blueprint) -> Wanted:
    """Return the topic; its policy lets our bucket publish, and nobody else (rule 10)."""
    key = blueprint.stack.pipeline.kms_key_arn
    return Wanted(
        Key(KIND, blueprint.names.topic),
        (
            Property("Policy", _bucket_may_publish(blueprint.names), "only our bucket publishes"),
            Property("KmsMasterKeyId", key, "encrypted under your own key (rule 12)"),
            *tag_properties(blueprint.tags),
        ),
    )


def _bucket_may_publish(names: Names) -> Json:
    return document(
        service_statement(
            sid="BucketMayPublish",
            service="s3.amazonaws.com",
            action="sns:Publish",
            resource=names.topic_arn,
            condition={
                "ArnLike": {"aws:SourceArn": names.bucket_arn},
                "StringEquals": {"aws:SourceAccount": names.account},
            },
        )
    )


def alarm_topic(blueprint: Blueprint) -> Wanted:
    """Return the alarms' topic: our alarms publish, and nobody else.

    It is not encrypted under the customer's key: CloudWatch would need a grant on that, and an
    alarm tells no more than its own name and figures.
    """
    return Wanted(
        Key(KIND, blueprint.names.alarm_topic),
        (
            Property("Policy", _alarms_may_publish(blueprint.names), "only our alarms publish"),
            Property("KmsMasterKeyId", "", "CloudWatch cannot publish under a key without a grant"),
            *tag_properties(blueprint.tags),
            *alarm_mail.record(blueprint),
        ),
    )


def _alarms_may_publish(names: Names) -> Json:
    return document(
        service_statement(
            sid="AlarmsMayPublish",
            service="cloudwatch.amazonaws.com",
            action="sns:Publish",
            resource=names.alarm_topic_arn,
            condition={
                "ArnLike": {"aws:SourceArn": names.alarm_arns},
                "StringEquals": {"aws:SourceAccount": names.account},
            },
        )
    )


class TopicProvider:
    """Topics by name."""

    def __init__(self, sns: "SNSClient", names: Names) -> None:
        self._sns = sns
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the topic's policy, key and tags."""
        arn = self._arn(key)
        answer = unless_gone(lambda: self._sns.get_topic_attributes(TopicArn=arn))
        if answer is None:
            return None
        attributes = answer["Attributes"]
        tags = self._sns.list_tags_for_resource(ResourceArn=arn).get("Tags", [])
        properties: dict[str, Json] = {
            "Policy": parsed(attributes.get("Policy")),
            "KmsMasterKeyId": attributes.get("KmsMasterKeyId", ""),
        }
        return found_with_tags(properties, plain_tags(tags))

    def create(self, wanted: Wanted) -> None:
        """Create the topic, attributes and tags in one call: it is known not to exist (rule 14)."""
        values = wanted.values()
        tags = tags_of(values)
        self._sns.create_topic(
            Name=wanted.key.name,
            # An empty key is how one is taken away; a new topic has none.
            Attributes={name: each for name, each in _sendable(values).items() if each},
            Tags=tag_list(tags),
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Set what changed, one attribute a call; tags by TagResource (rule 14)."""
        arn = self._arn(wanted.key)
        changed = {each.name: each.after for each in changes}
        for name, value in _sendable(changed).items():
            self._sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
        if tags := tags_of(changed):
            self._sns.tag_resource(ResourceArn=arn, Tags=tag_list(tags))

    def delete(self, key: Key) -> None:
        """Delete the topic; deleting one that is gone is no error to SNS."""
        self._sns.delete_topic(TopicArn=self._arn(key))

    def _arn(self, key: Key) -> str:
        return self._names.arn("sns", key.name)


def _sendable(values: dict[str, Json]) -> dict[str, str]:
    return {
        name: text_of(value) if name == "Policy" else str(value)
        for name, value in values.items()
        if not name.startswith("tag:")
    }
