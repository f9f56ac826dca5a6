"""The queue on the event loop, in SQS's JSON protocol (rule 20: answers by position)."""

import json
from collections.abc import Awaitable, Callable, Sequence
from random import SystemRandom
from typing import Any

from botocore.exceptions import ClientError

from worker.aws.http.connection import Response
from worker.aws.http.sender import Sender
from worker.aws.s3_replies import AWS_ERRORS
from worker.aws.sqs import unavailable
from worker.loop.queue_port import Received

CONTENT_TYPE = "application/x-amz-json-1.0"
OK = 200
NO_ANSWER = 500
"""What a 200 without an answer in it is as good as."""

MAX_TRIES = 2
LONGEST_WAIT_SECONDS = 1.0
PASSING_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "OverLimit",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)


class LoopQueue:
    """One queue; `sender` leads to it, `sleep` takes seconds. Raises QueueUnavailableError."""

    def __init__(self, sender: Sender, url: str, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sender = sender
        self._url = url
        self._sleep = sleep
        self._dice = SystemRandom()

    async def receive(self, most: int, wait_seconds: int, visibility: int) -> list[Received]:
        """Long-poll for at most 10 messages, each invisible for `visibility` seconds."""
        told = await self._ask(
            "ReceiveMessage",
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=visibility,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Received(
                message["MessageId"],
                message["ReceiptHandle"],
                message.get("Body", ""),
                int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
            )
            for message in told.get("Messages") or ()
        ]

    async def delete(self, receipts: Sequence[str]) -> list[str | None]:
        """Delete at most 10 messages; returns, for each, None or SQS's code for its refusal."""
        entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(receipts)]
        return _refusals(await self._ask("DeleteMessageBatch", Entries=entries), len(entries))

    async def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[str | None]:
        """Set at most 10 (receipt, seconds from now); returns as `delete` does."""
        entries = [
            {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for n, (receipt, seconds) in enumerate(changes)
        ]
        told = await self._ask("ChangeMessageVisibilityBatch", Entries=entries)
        return _refusals(told, len(entries))

    async def _ask(self, operation: str, **parameters: object) -> dict[str, Any]:
        body = json.dumps({"QueueUrl": self._url, **parameters}).encode()
        for left in reversed(range(MAX_TRIES)):
            try:
                return await self._try(operation, body)
            except AWS_ERRORS as error:
                if not left or not _passes(error):
                    raise unavailable(operation, error) from error
            await self._sleep(self._dice.uniform(0, LONGEST_WAIT_SECONDS))
        raise AssertionError("the last try returns or raises")

    async def _try(self, operation: str, body: bytes) -> dict[str, Any]:
        headers = {
            "content-type": CONTENT_TYPE,
            "x-amz-target": f"AmazonSQS.{operation}",
            "x-amzn-query-mode": "true",  # errors have the codes that they have always had
        }
        response = await self._sender.send("POST", "", "", headers, body)
        try:
            told = json.loads(response.body or b"{}")
        except ValueError:
            told = None
        if response.status != OK or not isinstance(told, dict):
            raise _error(operation, response, told if isinstance(told, dict) else {})
        return told


def _error(operation: str, response: Response, told: dict[str, Any]) -> ClientError:
    status = response.status if response.status != OK else NO_ANSWER
    code = response.headers.get("x-amzn-query-error", "").partition(";")[0]
    code = code or str(told.get("__type", "")).rpartition("#")[2] or str(status)
    message = str(told.get("message") or told.get("Message") or "")
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item] # the rest is not told
        },
        operation,
    )


def _passes(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return unavailable("", error).access is False
    code = str(error.response["Error"]["Code"])
    return code in PASSING_CODES or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500  # noqa: PLR2004 - the standard's own number


def _refusals(told: dict[str, Any], count: int) -> list[str | None]:
    refused = {entry["Id"]: entry["Code"] for entry in told.get("Failed") or ()}
    return [refused.get(str(position)) for position in range(count)]
