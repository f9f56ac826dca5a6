"""Whom SNS tells, and what it refuses. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""
Chain = Any
"""conftest's: bucket, topic, queue."""


Refusal = Callable[..., tuple[int, str]]


def test_rule_10_a_queue_without_policy_gets_nothing(
    s3: Client, sqs: Client, chain: Chain, aws: EmbeddedAws
) -> None:
    """SNS delivers only where the queue's policy lets it; the publisher is not told."""
    sqs.set_queue_attributes(QueueUrl=chain.queue, Attributes={"Policy": ""})
    s3.put_object(Bucket=chain.bucket, Key="uploads/a", Body=b"content")
    assert chain.messages() == []
    assert aws.undelivered[-1] == f"{chain.topic} may not send to {chain.queue_arn}"


def test_rule_10_a_queue_that_trusts_another_topic_gets_nothing(
    sqs: Client, sns: Client, chain: Chain, policy_for: Callable[..., str]
) -> None:
    """`aws:SourceArn` is compared."""
    other = f"{chain.topic}-other"
    policy = policy_for("sns.amazonaws.com", "sqs:SendMessage", chain.queue_arn, other)
    sqs.set_queue_attributes(QueueUrl=chain.queue, Attributes={"Policy": policy})
    sns.publish(TopicArn=chain.topic, Message="hello")
    assert chain.messages() == []


def test_rule_17_a_queue_of_a_smaller_message_size_loses_events(
    sqs: Client, sns: Client, chain: Chain, aws: EmbeddedAws
) -> None:
    """Publishing succeeds, and the message is gone."""
    sqs.set_queue_attributes(QueueUrl=chain.queue, Attributes={"MaximumMessageSize": "1024"})
    sns.publish(TopicArn=chain.topic, Message="x" * 2000)
    assert chain.messages() == []
    assert "must be shorter than 1024 bytes" in aws.undelivered[-1]


def test_rule_14_a_topic_is_not_created_again_with_other_tags(
    sns: Client, name: str, refusal: Refusal
) -> None:
    """The same tags or none: the topic. Others: InvalidParameter."""
    tags = [{"Key": "stack", "Value": "one"}]
    arn = sns.create_topic(Name=name, Tags=tags)["TopicArn"]
    assert sns.create_topic(Name=name, Tags=tags)["TopicArn"] == arn
    assert sns.create_topic(Name=name)["TopicArn"] == arn
    other = [{"Key": "stack", "Value": "two"}]
    assert refusal(sns.create_topic, Name=name, Tags=other) == (400, "InvalidParameter")


def test_people_are_asked_before_they_are_subscribed(sns: Client, name: str) -> None:
    """An e-mail subscription waits for its confirmation, and has no ARN until then."""
    topic = sns.create_topic(Name=name)["TopicArn"]
    for address in ("ops@example.com", "boss@example.com"):
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {each["Endpoint"]: each["SubscriptionArn"] for each in listed} == {
        "ops@example.com": "PendingConfirmation",
        "boss@example.com": "PendingConfirmation",
    }
