"""What moto has right and this project relies on; the corrections must not break it."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.queue_bounds import BOUNDS

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""
Chain = Any
"""conftest's: bucket, topic, queue."""


Refusal = Callable[..., tuple[int, str]]

CARRIED = {
    "ContentType": "text/plain",
    "ContentEncoding": "gzip",
    "CacheControl": "no-cache",
    "ContentDisposition": "attachment",
    "ContentLanguage": "de",
    "Metadata": {"owner": "someone"},
}


def test_a_copy_carries_headers_metadata_tags_and_checksum(s3: Client, bucket: str) -> None:
    """CopyObject takes them over by itself, and leaves the source as it was."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"content", Tagging="k=v", **CARRIED)
    before = s3.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED")
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    for key in ("a", "b"):
        after = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        assert {name: after[name] for name in CARRIED} == CARRIED
        assert after["ChecksumCRC32"] == before["ChecksumCRC32"]
        tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        assert tags == [{"Key": "k", "Value": "v"}]


def test_an_upload_in_parts_has_what_it_was_created_with(s3: Client, bucket: str) -> None:
    """CreateMultipartUpload's headers, metadata, tags, class, encryption and checksum."""
    created = s3.create_multipart_upload(
        Bucket=bucket,
        Key="b",
        Tagging="k=v",
        StorageClass="STANDARD_IA",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="key",
        ChecksumAlgorithm="CRC32C",
        ChecksumType="FULL_OBJECT",
        **CARRIED,
    )
    upload = {"Bucket": bucket, "Key": "b", "UploadId": created["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"content")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    head = s3.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    assert {name: head[name] for name in CARRIED} == CARRIED
    assert (head["StorageClass"], head["SSEKMSKeyId"]) == ("STANDARD_IA", "key")
    assert head["ChecksumCRC32C"]
    assert head["ETag"].endswith('-1"')


def test_a_copy_is_of_the_standard_class_unless_another_is_named(s3: Client, bucket: str) -> None:
    """CopyObject does not take the storage class over. HeadObject names no STANDARD."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"content", StorageClass="STANDARD_IA")
    source = {"Bucket": bucket, "Key": "a"}
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="c", CopySource=source, StorageClass="ONEZONE_IA")
    assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="b")
    assert s3.head_object(Bucket=bucket, Key="c")["StorageClass"] == "ONEZONE_IA"


def test_a_copy_of_an_upload_in_parts_has_another_etag(s3: Client, bucket: str) -> None:
    """The copy's ETag is that of an object written at once."""
    created = s3.create_multipart_upload(Bucket=bucket, Key="a")
    upload = {"Bucket": bucket, "Key": "a", "UploadId": created["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"content")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    whole = s3.complete_multipart_upload(**upload, MultipartUpload=parts)["ETag"]
    made = s3.copy_object(
        Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"}, CopySourceIfMatch=whole
    )
    assert made["CopyObjectResult"]["ETag"] == part
    s3.delete_object(Bucket=bucket, Key="a")
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"content"


def test_the_conditions_that_moto_knows(s3: Client, bucket: str, refusal: Refusal) -> None:
    """PutObject, DeleteObject and CompleteMultipartUpload compare; a missing key is 404."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"content")
    named = {"Bucket": bucket, "Key": "a"}
    failed = (412, "PreconditionFailed")
    assert refusal(s3.put_object, **named, IfNoneMatch="*") == failed
    assert refusal(s3.put_object, **named, IfMatch='"stale"') == failed
    assert refusal(s3.delete_object, **named, IfMatch='"stale"') == failed
    missing = {"Bucket": bucket, "Key": "gone"}
    assert refusal(s3.delete_object, **missing, IfMatch='"any"') == (404, "NoSuchKey")
    source = {"Bucket": bucket, "Key": "gone"}
    assert refusal(s3.copy_object, **missing, CopySource=source) == (404, "NoSuchKey")
    upload = {**named, "UploadId": s3.create_multipart_upload(**named)["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    completed = refusal(
        s3.complete_multipart_upload, **upload, MultipartUpload=parts, IfNoneMatch="*"
    )
    assert completed == failed


def test_a_completion_that_is_sent_again_succeeds(s3: Client, bucket: str) -> None:
    """Its answer may have been lost; the second one is the same, even with IfNoneMatch *."""
    named = {"Bucket": bucket, "Key": "a"}
    upload = {**named, "UploadId": s3.create_multipart_upload(**named)["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]
    wanted = {**upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": part}]}}
    etags = [s3.complete_multipart_upload(**wanted, IfNoneMatch="*")["ETag"] for _ in range(2)]
    assert etags[0] == etags[1]


@pytest.mark.parametrize("key", ["uploads/a", "uploads/a.tmp", "other/a"])
def test_filters_choose_by_prefix_and_suffix(
    s3: Client, chain: Chain, rule_for: Callable[..., Any], key: str
) -> None:
    """Only what begins and ends as the rule says is told."""
    rules = [{"Name": "prefix", "Value": "uploads/"}, {"Name": "suffix", "Value": ".tmp"}]
    chosen = rule_for(chain.topic, Filter={"Key": {"FilterRules": rules}})
    s3.put_bucket_notification_configuration(
        Bucket=chain.bucket, NotificationConfiguration={"TopicConfigurations": [chosen]}
    )
    chain.messages()
    s3.put_object(Bucket=chain.bucket, Key=key, Body=b"x")
    assert len(chain.records()) == (key == "uploads/a.tmp")


def test_raw_delivery_gives_the_bare_event(s3: Client, sns: Client, chain: Chain) -> None:
    """With RawMessageDelivery the body is S3's JSON itself."""
    listed = sns.list_subscriptions_by_topic(TopicArn=chain.topic)["Subscriptions"]
    sns.set_subscription_attributes(
        SubscriptionArn=listed[0]["SubscriptionArn"],
        AttributeName="RawMessageDelivery",
        AttributeValue="true",
    )
    s3.put_object(Bucket=chain.bucket, Key="uploads/a", Body=b"x")
    [message] = chain.messages()
    assert message["Records"][0]["eventName"] == "ObjectCreated:Put"


def test_a_queue_is_not_created_again_with_other_attributes(
    sqs: Client, name: str, refusal: Refusal
) -> None:
    """Rule 14: botocore's QueueNameExists, whose code is QueueAlreadyExists."""
    sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "30"})
    other = {"VisibilityTimeout": "60"}
    status, code = refusal(sqs.create_queue, QueueName=name, Attributes=other)
    assert (status, code) == (400, "QueueAlreadyExists")


def test_a_message_is_hidden_while_it_is_leased(sqs: Client, queue: str, aws: EmbeddedAws) -> None:
    """Received once, back after the timeout, gone after the delete; the counts say so."""
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    wanted = {"QueueUrl": queue, "MessageSystemAttributeNames": ["ApproximateReceiveCount"]}
    assert len(sqs.receive_message(**wanted)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(**wanted)
    assert counts(sqs, queue) == (0, 1)
    aws.clock.advance(31)
    assert counts(sqs, queue) == (1, 0)
    [again] = sqs.receive_message(**wanted)["Messages"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"])
    assert counts(sqs, queue) == (0, 0)


def counts(sqs: Client, queue: str) -> tuple[int, int]:
    """Read the numbers of ready and of leased messages."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    kept = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return int(kept[names[0]]), int(kept[names[1]])


def test_a_purge_empties_the_queue(sqs: Client, queue: str) -> None:
    """What was ready and what was leased is gone."""
    for _ in range(2):
        sqs.send_message(QueueUrl=queue, MessageBody="x")
    sqs.receive_message(QueueUrl=queue)
    assert counts(sqs, queue) == (1, 1)
    sqs.purge_queue(QueueUrl=queue)
    assert counts(sqs, queue) == (0, 0)


def test_a_delayed_message_comes_when_it_is_due(sqs: Client, queue: str, aws: EmbeddedAws) -> None:
    """Until then it is counted as delayed, and nobody gets it."""
    sqs.send_message(QueueUrl=queue, MessageBody="x", DelaySeconds=60)
    name = "ApproximateNumberOfMessagesDelayed"
    kept = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"]
    assert kept[name] == "1"
    assert counts(sqs, queue) == (0, 0)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    aws.clock.advance(61)
    assert counts(sqs, queue) == (1, 0)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_a_dead_message_is_moved_as_it_is(
    sqs: Client, queue: str, name: str, aws: EmbeddedAws
) -> None:
    """Rule 15: after maxReceiveCount receives it is in the DLQ, as old as it was: it expires."""
    retention = {"MessageRetentionPeriod": "3600"}
    dlq = sqs.create_queue(QueueName=f"{name}-dlq", Attributes=retention)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]
    policy = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": 2}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy)})
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    wanted = {"MessageSystemAttributeNames": ["All"], "VisibilityTimeout": 0}
    seen = [sqs.receive_message(QueueUrl=queue, **wanted)["Messages"][0] for _ in range(2)]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, **wanted)
    [dead] = sqs.receive_message(QueueUrl=dlq, **wanted)["Messages"]
    assert dead["MessageId"] == seen[0]["MessageId"]
    assert dead["Attributes"]["SentTimestamp"] == seen[0]["Attributes"]["SentTimestamp"]
    aws.clock.advance(3601)
    assert "Messages" not in sqs.receive_message(QueueUrl=dlq, **wanted)


def test_a_long_poll_ends_when_a_message_arrives(sqs: Client, queue: str) -> None:
    """The poller is asleep when the message is sent, and has it before its 20 seconds end."""
    found: list[dict[str, Any]] = []

    def poll() -> None:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
        found.extend(answer.get("Messages", []))

    poller = threading.Thread(target=poll)
    poller.start()
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    poller.join(timeout=10)
    assert [each["Body"] for each in found] == ["x"]


def test_many_receivers_get_each_message_once(sqs: Client, queue: str) -> None:
    """Eight threads empty a queue of 80; nobody gets what another one has."""
    for _ in range(8):
        entries = [{"Id": str(i), "MessageBody": "x"} for i in range(10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    taken: list[str] = []

    def receive() -> None:
        while messages := sqs.receive_message(QueueUrl=queue).get("Messages", []):
            taken.extend(each["MessageId"] for each in messages)

    threads = [threading.Thread(target=receive) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(taken) == len(set(taken)) == 80


def test_a_fifo_queue_keeps_its_order(sqs: Client, name: str) -> None:
    """FIFO queues are moto's own, and still work beside the corrected ones."""
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")
    taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [each["Body"] for each in taken] == ["one", "two"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=taken[0]["ReceiptHandle"])
    assert counts(sqs, url) == (0, 1)


@pytest.mark.parametrize("end", [0, 1], ids=["least", "most"])
@pytest.mark.parametrize("name", BOUNDS)
def test_a_queue_takes_the_least_and_the_most_of_its_numbers(
    sqs: Client, queue: str, name: str, end: int
) -> None:
    """Rule 13a's bounds belong to the range."""
    told = {name: str(BOUNDS[name][end])}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=told)
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert told.items() <= found.items()
