"""The loop that everybody writes first: receive, copy, delete, delete the message, one by one.

It is what the worker is measured against; it loses files (see docs/move-protocol.md). With THREADS
set, that many threads share the work, as many a worker does it.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config

Client = Any
"""A boto3 client; its methods are made at run time."""

Message = dict[str, Any]
"""One of SQS's messages, as boto3 gives it."""

POLLS_MOST = 8


def main() -> None:
    """Move files for ever; QUEUE_URL, BUCKET, SRC_PREFIX and DST_PREFIX as the worker has them."""
    threads = int(os.environ.get("THREADS", "1"))
    session = boto3.Session(region_name=os.environ["AWS_REGION"])
    config = Config(max_pool_connections=threads + POLLS_MOST)
    s3, sqs = session.client("s3", config=config), session.client("sqs", config=config)
    if threads == 1:
        while True:
            for message in receive(sqs):
                handle(s3, sqs, message)
    polls = min(POLLS_MOST, threads)
    with ThreadPoolExecutor(threads) as handling, ThreadPoolExecutor(polls) as polling:
        for _ in range(polls):
            polling.submit(poll, s3, sqs, handling)


def poll(s3: Client, sqs: Client, handling: ThreadPoolExecutor) -> None:
    """Receive for ever; the next ten only when these are done."""
    while True:
        list(handling.map(lambda message: handle(s3, sqs, message), receive(sqs)))


def receive(sqs: Client) -> list[Message]:
    """Receive up to ten messages."""
    found = sqs.receive_message(
        QueueUrl=os.environ["QUEUE_URL"], MaxNumberOfMessages=10, WaitTimeSeconds=20
    )
    return list(found.get("Messages", ()))


def handle(s3: Client, sqs: Client, message: Message) -> None:
    """Move what one message tells of, and delete it."""
    bucket = os.environ["BUCKET"]
    source = os.environ.get("SRC_PREFIX", "uploads/")
    destination = os.environ.get("DST_PREFIX", "processed/")
    body = json.loads(message["Body"])
    event = json.loads(body["Message"]) if "Message" in body else body
    for record in event.get("Records", ()):
        key = unquote_plus(record["s3"]["object"]["key"])
        ours = record["eventSource"] == "aws:s3" and key.startswith(source)
        if not ours or record["s3"]["bucket"]["name"] != bucket or key == source:
            continue
        to = destination + key.removeprefix(source)
        s3.copy_object(Bucket=bucket, Key=to, CopySource={"Bucket": bucket, "Key": key})
        s3.delete_object(Bucket=bucket, Key=key)
    sqs.delete_message(QueueUrl=os.environ["QUEUE_URL"], ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main()
