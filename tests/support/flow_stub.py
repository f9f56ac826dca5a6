"""A cheap S3 and SQS in one process: what a load test and a benchmark can afford to talk to.

`python -m support.flow_stub [--s3-latency-ms N]`; the first line on stdout is its URL. Nothing is
stored but keys and ETags, every answer costs the same, and the conditions of the move are kept, so
that the worker's own check passes. `/_stub/...` is how a test fills it and reads its counters.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import md5
from urllib.parse import parse_qs

from support.flow_http import Connection, HttpAnswer, HttpRequest, listen
from support.flow_stub_client import BUCKET
from support.flow_stub_s3 import CheapS3
from support.flow_stub_sqs import CheapSqs, Json
from worker.demo.embedded.operations import operation_name

QUEUE_ARN = "arn:aws:sqs:us-east-2:123456789012:stub"
VISIBILITY_SECONDS = 120.0

JSON_TYPE = (("Content-Type", "application/x-amz-json-1.0"),)

IDENTITY = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    "<Arn>arn:aws:iam::123456789012:user/stub</Arn><UserId>stub</UserId>"
    "<Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)

SLOW_DOWN = HttpAnswer(503, b"<Error><Code>SlowDown</Code></Error>")

ATTRIBUTES = {
    "QueueArn": QUEUE_ARN,
    "VisibilityTimeout": str(int(VISIBILITY_SECONDS)),
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUE_ARN}-dlq", "maxReceiveCount": 5}),
}


class Stub:
    """Names, counts and answers requests; S3's answers wait for `latency_seconds`."""

    def __init__(self, latency_seconds: float, copies_per_second: float = 0.0) -> None:
        self._copies_per_second = copies_per_second
        self._copies: Counter[int] = Counter()
        self.s3, self.sqs = CheapS3(), CheapSqs(time.monotonic)
        self.requests: Counter[str] = Counter()
        self._latency_seconds = latency_seconds

    def serve(self, request: HttpRequest, connection: Connection) -> None:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        if path.startswith("/_stub/"):
            connection.answer(self._control(path, parse_qs(query)).encoded())
            return
        form = request.body.decode() if b"Action=" in request.body else ""
        asked = parse_qs(query, keep_blank_values=True)
        operation = operation_name(request.method, path, asked, request.headers, form)
        self.requests[operation] += 1
        if "x-amz-target" in request.headers:
            self._answer_queue(operation, json.loads(request.body), connection)
        elif operation == "GetCallerIdentity":
            connection.answer(HttpAnswer(200, IDENTITY.encode()).encoded())
        else:
            throttled = operation == "CopyObject" and self._is_too_much()
            answer = SLOW_DOWN if throttled else self.s3.answer(request, operation)
            encoded = answer.encoded()
            if self._latency_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self._latency_seconds, connection.answer, encoded)
            else:
                connection.answer(encoded)

    def _is_too_much(self) -> bool:
        """Tell whether this tenth of a second has had its share of copies."""
        tenth = int(time.monotonic() * 10)
        self._copies[tenth] += 1
        too_much = 0 < self._copies_per_second < self._copies[tenth] * 10
        self.requests["SlowDown"] += too_much
        return too_much

    def _answer_queue(self, operation: str, asked: Json, connection: Connection) -> None:
        match operation:
            case "ReceiveMessage":
                answer = self.sqs.receive(asked, VISIBILITY_SECONDS)
            case "DeleteMessageBatch":
                answer = self.sqs.delete(asked["Entries"])
            case "DeleteMessage":
                answer = self.sqs.delete([{"Id": "0", **asked}])
            case "ChangeMessageVisibilityBatch":
                answer = self.sqs.change_visibility(asked["Entries"])
            case "GetQueueAttributes":
                answer = {"Attributes": ATTRIBUTES}
            case _:
                answer = {"__type": "com.amazonaws.sqs#ReceiptHandleIsInvalid", "message": "stub"}
        if isinstance(answer, asyncio.Future):
            answer.add_done_callback(lambda done: connection.answer(_json(done.result())))
        else:
            connection.answer(_json(answer))

    def _control(self, path: str, asked: dict[str, list[str]]) -> HttpAnswer:
        if path == "/_stub/seed":
            self._seed(int(asked["objects"][0]))
        counts = {
            "requests": dict(self.requests),
            "messages": self.sqs.left,
            "leased": self.sqs.leased,
            "most_receipts": self.sqs.most_receipts,
            "uploads": self.s3.count(f"{BUCKET}/uploads/"),
            "processed": self.s3.count(f"{BUCKET}/processed/file-"),
        }
        return HttpAnswer(200, json.dumps(counts).encode(), JSON_TYPE)

    def _seed(self, objects: int) -> None:
        """Put so many objects under uploads/, and the messages that tell of them, all at once."""
        first = self.s3.count(f"{BUCKET}/processed/file-") + self.s3.count(f"{BUCKET}/uploads/")
        self.sqs.send(self._place(first, first + objects))

    def _place(self, first: int, after_last: int) -> Iterator[str]:
        for number in range(first, after_last):
            key = f"uploads/file-{number:08d}.txt"
            etag = md5(key.encode(), usedforsecurity=False).hexdigest()
            self.s3.objects[f"{BUCKET}/{key}"] = etag
            yield event_body(key, etag, number)


def event_body(key: str, etag: str, number: int) -> str:
    """Return what SQS holds of an upload: S3's event in SNS's envelope."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-2",
        "eventTime": "2026-06-01T12:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "stub",
            "bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"},
            "object": {"key": key, "size": 0, "eTag": etag, "sequencer": f"{number:016X}"},
        },
    }
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": f"{number:032x}",
            "TopicArn": "arn:aws:sns:us-east-2:123456789012:stub",
            "Subject": "Amazon S3 Notification",
            "Message": json.dumps({"Records": [record]}),
            "Timestamp": "2026-06-01T12:00:00.000Z",
        }
    )


def _json(answer: Json) -> bytes:
    status = 400 if "__type" in answer else 200
    return HttpAnswer(status, json.dumps(answer).encode(), JSON_TYPE).encoded()


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--s3-latency-ms", type=float, default=0.0)
    parser.add_argument("--copies-per-second", type=float, default=0.0, help="else SlowDown")
    asked = parser.parse_args()
    stub = Stub(asked.s3_latency_ms / 1000, asked.copies_per_second)
    server, url = await listen(lambda: Connection(stub.serve))
    print(url, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
