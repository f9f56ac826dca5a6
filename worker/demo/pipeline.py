"""Creates what the worker lives in: a bucket that tells a topic that tells a queue."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.demo.account import Account
from worker.demo.embedded.server import REGION
from worker.demo.verify import Depth

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

SOURCE_PREFIX = "uploads/"
DESTINATION_PREFIX = "processed/"

MAX_RECEIVE_COUNT = 8
"""Above what a worker's sudden end can cost a message, so that only garbage is set aside."""

FOURTEEN_DAYS_SECONDS = 14 * 24 * 3600
"""SQS's longest retention: what was rejected must outlast the queue's own four days (rule 15)."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The names of what was created."""

    bucket: str
    topic_arn: str
    queue_url: str
    dead_letter_queue_url: str


def create_pipeline(account: Account, name: str, *, versioned: bool) -> Pipeline:
    """Create bucket, topic, queues, policies, subscription and notification, in that order.

    Each policy stands before what it allows is used (rules 7 and 10). Raises ClientError.
    """
    bucket, topic_arn = name, _create_topic(account, f"{name}-uploads")
    _create_bucket(account, bucket, versioned=versioned)
    dead_letters, dead_letters_arn = _create_queue(
        account, f"{name}-rejected", {"MessageRetentionPeriod": str(FOURTEEN_DAYS_SECONDS)}
    )
    redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
    queue, queue_arn = _create_queue(
        account, f"{name}-uploads", {"RedrivePolicy": json.dumps(redrive)}
    )
    _allow_topic_to_send(account, topic_arn, queue, queue_arn)
    _allow_bucket_to_publish(account, bucket, topic_arn)
    account.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
    _notify(account, bucket, topic_arn)
    return Pipeline(bucket, topic_arn, queue, dead_letters)


def depth_of(account: Account, queue_url: str) -> Depth:
    """Count a queue's messages."""
    attributes = account.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return Depth(
        waiting=int(attributes["ApproximateNumberOfMessages"]),
        in_hand=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
    )


def _create_topic(account: Account, name: str) -> str:
    return account.sns.create_topic(Name=name)["TopicArn"]


def _create_bucket(account: Account, bucket: str, *, versioned: bool) -> None:
    account.s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    if versioned:
        account.s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
        )


def _create_queue(
    account: Account, name: str, attributes: "dict[QueueAttributeNameType, str]"
) -> tuple[str, str]:
    url = account.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def _allow_topic_to_send(account: Account, topic_arn: str, queue: str, queue_arn: str) -> None:
    policy = _policy(
        "sns.amazonaws.com",
        "sqs:SendMessage",
        queue_arn,
        {"ArnEquals": {"aws:SourceArn": topic_arn}},
    )
    account.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


def _allow_bucket_to_publish(account: Account, bucket: str, topic_arn: str) -> None:
    policy = _policy(
        "s3.amazonaws.com",
        "sns:Publish",
        topic_arn,
        {
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
            "StringEquals": {"aws:SourceAccount": topic_arn.split(":")[4]},
        },
    )
    account.sns.set_topic_attributes(
        TopicArn=topic_arn, AttributeName="Policy", AttributeValue=policy
    )


def _policy(service: str, action: str, resource: str, condition: dict[str, object]) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _notify(account: Account, bucket: str, topic_arn: str) -> None:
    account.s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "TopicConfigurations": [
                {
                    "Id": "uploads",
                    "TopicArn": topic_arn,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {
                        "Key": {"FilterRules": [{"Name": "prefix", "Value": SOURCE_PREFIX}]}
                    },
                }
            ]
        },
    )
