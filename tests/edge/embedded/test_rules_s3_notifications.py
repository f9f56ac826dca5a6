"""What S3 refuses of a notification configuration. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

import pytest

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""
Chain = Any
"""conftest's: bucket, topic, queue."""


Refusal = Callable[..., tuple[int, str]]
Rule = Callable[..., dict[str, Any]]

INVALID = (400, "InvalidArgument")


def apply(
    s3: Client, bucket: str, *rules: dict[str, Any], kind: str = "Topic", **more: object
) -> None:
    """Put a notification configuration."""
    configuration = {f"{kind}Configurations": list(rules)}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration, **more
    )


def got(s3: Client, bucket: str) -> dict[str, Any]:
    """Get the configuration."""
    answer: dict[str, Any] = s3.get_bucket_notification_configuration(Bucket=bucket)
    answer.pop("ResponseMetadata")
    return answer


def test_rule_07_a_missing_destination_fails_the_whole(
    s3: Client, bucket: str, topic: str, rule_for: Rule, refusal: Refusal
) -> None:
    """One good topic and one that does not exist: 400, and neither rule is kept."""
    missing = rule_for(f"{topic}-missing", "other/", Id="missing")
    refused = refusal(
        s3.put_bucket_notification_configuration,
        Bucket=bucket,
        NotificationConfiguration={"TopicConfigurations": [rule_for(topic), missing]},
    )
    assert refused == INVALID
    assert got(s3, bucket) == {}


def test_rule_10_a_topic_of_the_default_policy_refuses_s3(
    s3: Client, sns: Client, bucket: str, rule_for: Rule
) -> None:
    """The topic's policy must stand first; S3 says that it could not validate."""
    plain = sns.create_topic(Name=bucket)["TopicArn"]
    with pytest.raises(s3.exceptions.ClientError, match="Unable to validate the following"):
        apply(s3, bucket, rule_for(plain))


def test_rule_10_a_topic_that_trusts_another_bucket_refuses_this_one(
    s3: Client, sns: Client, bucket: str, topic: str, rule_for: Rule, policy_for: Callable[..., str]
) -> None:
    """`aws:SourceArn` is compared."""
    policy = policy_for("s3.amazonaws.com", "sns:Publish", topic, "arn:aws:s3:::another")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    with pytest.raises(s3.exceptions.ClientError, match="Unable to validate the following"):
        apply(s3, bucket, rule_for(topic))


def test_rule_10_a_queue_without_policy_refuses_s3(
    s3: Client, bucket: str, queue: str, rule_for: Rule
) -> None:
    """A queue as direct destination needs a policy as well."""
    assert queue
    direct = rule_for("")
    direct["QueueArn"] = f"arn:aws:sqs:us-east-2:123456789012:{bucket}"
    del direct["TopicArn"]
    with pytest.raises(s3.exceptions.ClientError, match="Unable to validate the following"):
        apply(s3, bucket, direct, kind="Queue")


def test_rule_10_a_policy_that_is_taken_away_stops_the_events(
    s3: Client, sns: Client, chain: Chain, aws: EmbeddedAws, policy_for: Callable[..., str]
) -> None:
    """Nothing arrives, the writer sees nothing of it, and `undelivered` says why."""
    policy = policy_for("s3.amazonaws.com", "sns:Publish", chain.topic, "arn:aws:s3:::another")
    sns.set_topic_attributes(TopicArn=chain.topic, AttributeName="Policy", AttributeValue=policy)
    s3.put_object(Bucket=chain.bucket, Key="uploads/a", Body=b"content")
    assert chain.messages() == []
    assert aws.undelivered[-1] == f"S3 may not send to {chain.topic}"


def test_rule_08_filter_names_come_back_capitalised(
    s3: Client, bucket: str, topic: str, rule_for: Rule
) -> None:
    """`prefix` was sent, `Prefix` is given back."""
    apply(s3, bucket, rule_for(topic))
    [kept] = got(s3, bucket)["TopicConfigurations"]
    assert kept["Filter"]["Key"]["FilterRules"] == [{"Name": "Prefix", "Value": "uploads/"}]


def test_rule_08_what_was_got_can_be_put_again(
    s3: Client, bucket: str, topic: str, rule_for: Rule
) -> None:
    """A configuration with `Prefix` is taken, and means the same."""
    chosen = {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "uploads/"}]}}
    apply(s3, bucket, rule_for(topic, Filter=chosen))
    before = got(s3, bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=before)
    assert got(s3, bucket) == before


def test_rule_07_event_bridge_is_part_of_the_configuration(s3: Client, bucket: str) -> None:
    """EventBridgeConfiguration is given back, so that a merge can keep it."""
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    assert got(s3, bucket) == {"EventBridgeConfiguration": {}}


@pytest.mark.parametrize(
    ("prefix", "events"),
    [
        ("uploads/", ["s3:ObjectCreated:*"]),
        ("uploads/2026/", ["s3:ObjectCreated:Put"]),
        ("", ["s3:ObjectCreated:*"]),
    ],
)
def test_rule_09_overlapping_rules_are_refused(
    s3: Client, bucket: str, topic: str, rule_for: Rule, prefix: str, events: list[str]
) -> None:
    """Two rules that could both tell one key's event: 400."""
    other = rule_for(topic, prefix or "u", Id="other", Events=events)
    if not prefix:
        del other["Filter"]
    with pytest.raises(s3.exceptions.ClientError, match="ambiguously defined"):
        apply(s3, bucket, rule_for(topic), other)


def test_rule_09_a_filter_value_is_url_encoded(s3: Client, chain: Chain, rule_for: Rule) -> None:
    """The prefix `up+loads/` means "up loads/"."""
    apply(s3, chain.bucket, rule_for(chain.topic, "up+loads/"))
    chain.messages()
    s3.put_object(Bucket=chain.bucket, Key="up loads/a", Body=b"content")
    assert len(chain.records()) == 1
