"""The loop that everybody writes first: receive, copy, delete, delete the message, one by one.

It is what the worker is measured against; it loses files (see docs/move-protocol.md).
"""

import json
import os
from urllib.parse import unquote_plus

import boto3


def main() -> None:
    """Move files for ever; QUEUE_URL, BUCKET, SRC_PREFIX and DST_PREFIX as the worker has them."""
    queue, bucket = os.environ["QUEUE_URL"], os.environ["BUCKET"]
    source = os.environ.get("SRC_PREFIX", "uploads/")
    destination = os.environ.get("DST_PREFIX", "processed/")
    session = boto3.Session(region_name=os.environ["AWS_REGION"])
    s3, sqs = session.client("s3"), session.client("sqs")
    while True:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in found.get("Messages", ()):
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
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main()
