"""Reads what is there in the end: objects with all they carry, what is left, both queues."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from worker.demo.account import Account
from worker.demo.pipeline import DESTINATION_PREFIX, SOURCE_PREFIX, Pipeline, depth_of
from worker.demo.verify import Content, State, content

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

THREADS = 8
TICK_SECONDS = 0.1

HEADERS = (
    "ContentType",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
)
"""The content headers that S3 stores with an object."""

LEASE_SECONDS = 30
"""How long the dead-letter queue's messages are out of sight while they are read."""


def look(account: Account, pipeline: Pipeline, tick: Callable[[], None]) -> State:
    """Read everything. `tick` is called every 0.1 s, and may raise."""
    queue = depth_of(account, pipeline.queue_url)
    keys = list(_keys(account, pipeline.bucket, DESTINATION_PREFIX))
    with ThreadPoolExecutor(THREADS, "look") as pool:
        futures = {key: pool.submit(_read, account, pipeline.bucket, key) for key in keys}
        try:
            while wait(futures.values(), TICK_SECONDS).not_done:
                tick()
        finally:
            pool.shutdown(cancel_futures=True)
    return State(
        moved={
            key.removeprefix(DESTINATION_PREFIX): future.result() for key, future in futures.items()
        },
        left=tuple(_keys(account, pipeline.bucket, SOURCE_PREFIX)),
        queue=queue,
        rejected=tuple(_messages(account, pipeline.dead_letter_queue_url)),
    )


def _keys(account: Account, bucket: str, prefix: str) -> Iterator[str]:
    for page in account.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            yield entry["Key"]


def _read(account: Account, bucket: str, key: str) -> Content:
    got = account.s3.get_object(Bucket=bucket, Key=key)
    tags = account.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    return content(
        got["Body"].read(),
        _headers(got),
        got["Metadata"],
        {tag["Key"]: tag["Value"] for tag in tags},
    )


def _headers(got: "GetObjectOutputTypeDef") -> dict[str, str]:
    return {name: str(got[name]) for name in HEADERS if name in got}  # type: ignore[literal-required] # the names are above


def _messages(account: Account, queue_url: str) -> Iterator[str]:
    """Read a queue's messages, and leave them where they are."""
    receipts: list[str] = []
    while messages := account.sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=LEASE_SECONDS
    ).get("Messages", ()):
        for message in messages:
            receipts.append(message["ReceiptHandle"])
            yield message["Body"]
    for receipt in receipts:
        account.sqs.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=receipt, VisibilityTimeout=0
        )
