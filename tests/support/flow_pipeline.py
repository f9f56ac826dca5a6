"""Bucket, topic, queue and dead-letter queue in the back end under test, and what is in them."""

import json
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from support.delivery import may_deliver
from support.flow_aws import REGION, Aws, Client
from support.flow_files import File
from support.flow_process import wait_until

UPLOADS, PROCESSED = "uploads/", "processed/"

THREADS = 8

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)

SHOWN_KEYS = 10


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline of its own names. `tap` is a second queue that gets what the first one gets."""

    aws: Aws
    bucket: str
    queue: str
    dlq: str
    tap: str

    # --- what a user does -------------------------------------------------------------------------

    def upload(self, file: File) -> None:
        """Upload a file."""
        tags = {"Tagging": file.tagging} if file.tags else {}
        self.s3.put_object(
            Bucket=self.bucket,
            Key=UPLOADS + file.name,
            Body=file.body,
            Metadata=dict(file.metadata),
            **tags,
        )

    def upload_all(self, files: Iterable[File]) -> None:
        """Upload files from several threads."""
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(self.upload, files))

    def send(self, *bodies: str) -> None:
        """Send messages of the test's own to the queue."""
        for first in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[first : first + 10])
            ]
            self.sqs.send_message_batch(QueueUrl=self.queue, Entries=entries)

    # --- what there is ----------------------------------------------------------------------------

    @property
    def s3(self) -> Client:
        """The test's S3 client."""
        return self.aws.client("s3")

    @property
    def sqs(self) -> Client:
        """The test's SQS client."""
        return self.aws.client("sqs")

    def environment(self, url: str = "", **settings: str) -> Mapping[str, str]:
        """Return the worker's environment: this pipeline, through `url` if given."""
        return {
            **self.aws.environment(url),
            "QUEUE_URL": self.queue,
            "BUCKET": self.bucket,
            "WAIT_TIME_SECONDS": "1",
            **settings,
        }

    def counts(self, queue: str) -> tuple[int, ...]:
        """Return how many messages are visible, leased and delayed."""
        asked = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(COUNTS))
        return tuple(int(asked["Attributes"][name]) for name in COUNTS)

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix, without it; the guard probe's corner is left out."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        found = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return [key.removeprefix(prefix) for key in found if "/.guard-probe/" not in key]

    def drain(self, queue: str) -> list[dict[str, Any]]:
        """Take all messages out of a queue."""
        taken: list[dict[str, Any]] = []
        while True:
            found = self.sqs.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=10,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            ).get("Messages")
            if not found:
                return taken
            taken += found
            entries = [
                {"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]}
                for n, each in enumerate(found)
            ]
            self.sqs.delete_message_batch(QueueUrl=queue, Entries=entries)

    def bodies(self, queue: str) -> list[str]:
        """Take all messages out of a queue; return their bodies, sorted."""
        return sorted(each["Body"] for each in self.drain(queue))

    def moved(self, file: File) -> list[str]:
        """Say what is not as it must be with a file at its destination."""
        at = {"Bucket": self.bucket, "Key": PROCESSED + file.name}
        try:
            found = self.s3.get_object(**at)
        except self.s3.exceptions.NoSuchKey:
            return [f"{file.name!r} is not there"]
        tags = self.s3.get_object_tagging(**at)["TagSet"] if file.tags else []
        faults = []
        if found["Body"].read() != file.body:
            faults.append(f"{file.name!r} has other bytes ({found['Metadata']})")
        if found["Metadata"] != dict(file.metadata):
            faults.append(f"{file.name!r} has other metadata: {found['Metadata']}")
        if {each["Key"]: each["Value"] for each in tags} != dict(file.tags):
            faults.append(f"{file.name!r} has other tags: {tags}")
        return faults

    def differences(self, files: Iterable[File]) -> list[str]:
        """Say what is not as it must be, now that all is over: nothing, if nothing was lost."""
        files = list(files)
        with ThreadPoolExecutor(THREADS) as threads:
            faults = [fault for each in threads.map(self.moved, files) for fault in each]
        strangers = set(self.keys(PROCESSED)) - {file.name for file in files}
        faults += [f"{name!r} should not be in {PROCESSED}" for name in sorted(strangers)]
        return faults + [f"{name!r} is left in {UPLOADS}" for name in self.keys(UPLOADS)]

    def wait_until_empty(self, seconds: float, more: str = "") -> None:
        """Wait until the queue has no message, visible, leased or delayed."""
        wait_until(
            lambda: not any(self.counts(self.queue)),
            "the queue is empty",
            seconds,
            lambda: self.picture() + more,
        )

    def picture(self) -> str:
        """Show the queues and what is left in uploads/."""
        left = self.keys(UPLOADS)
        return (
            f"queue (visible, leased, delayed): {self.counts(self.queue)},"
            f" dead letters: {self.counts(self.dlq)}\n"
            f"{len(left)} left in {UPLOADS}: {left[:SHOWN_KEYS]};"
            f" {len(self.keys(PROCESSED))} in {PROCESSED}\n"
        )


def make_pipeline(aws: Aws, *, max_receives: int, visibility_seconds: int) -> Pipeline:
    """Create everything, with the policies that AWS asks for (rule 10), and take the test event."""
    name = f"flow-{uuid.uuid4().hex[:12]}"
    s3, sns = aws.client("s3"), aws.client("sns")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    topic = sns.create_topic(Name=name)["TopicArn"]
    policy = may_deliver("s3.amazonaws.com", "sns:Publish", topic, f"arn:aws:s3:::{name}")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    dlq, dlq_arn = _queue(aws, f"{name}-dlq")
    redrive = json.dumps({"deadLetterTargetArn": dlq_arn, "maxReceiveCount": max_receives})
    times = {"VisibilityTimeout": str(visibility_seconds), "RedrivePolicy": redrive}
    pipeline = Pipeline(
        aws,
        name,
        _subscribed(aws, topic, name, **times),
        dlq,
        _subscribed(aws, topic, f"{name}-tap"),
    )
    rule = {"FilterRules": [{"Name": "prefix", "Value": UPLOADS}]}
    told = {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": rule}}
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"TopicConfigurations": [told]}
    )
    for queue in (pipeline.tap, pipeline.queue):
        pipeline.drain(queue)
    return pipeline


def _queue(aws: Aws, name: str, **attributes: str) -> tuple[str, str]:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, asked["Attributes"]["QueueArn"]


def _subscribed(aws: Aws, topic: str, name: str, **attributes: str) -> str:
    url, arn = _queue(aws, name, **attributes)
    policy = may_deliver("sns.amazonaws.com", "sqs:SendMessage", arn, topic)
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url
