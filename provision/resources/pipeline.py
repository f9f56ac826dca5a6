"""The pipeline alone: what tells of each file, from the bucket to the queue that workers poll."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from provision.core.plan import Intention
from provision.core.resource import Provider
from provision.resources import bucket, notification, queue, subscription, topic
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def intentions(blueprint: Blueprint) -> tuple[Intention, ...]:
    """Return its resources in the order of creation: each policy stands before it is needed.

    Nothing is said of a bucket of the owner's: "not wanted" would take away one that was ours.
    """
    wanted = (
        queue.dead_letter_queue(blueprint),
        queue.queue(blueprint),
        topic.upload_topic(blueprint),
        subscription.queue_subscription(blueprint),
        bucket.bucket(blueprint),
        notification.notification(blueprint),
    )
    return tuple(Intention(each.key, each) for each in wanted if each is not None)


def providers(
    s3: "S3Client", sns: "SNSClient", sqs: "SQSClient", names: Names
) -> Mapping[str, Provider]:
    """Return who looks at and changes each of its kinds."""
    return {
        queue.KIND: queue.QueueProvider(sqs),
        topic.KIND: topic.TopicProvider(sns, names),
        subscription.KIND: subscription.SubscriptionProvider(sns, names),
        bucket.KIND: bucket.BucketProvider(s3, names.account, names.region),
        notification.KIND: notification.NotificationProvider(s3, names),
    }
