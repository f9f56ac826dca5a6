"""The queue over boto3: receive, delete, change visibility; in batches, by position (rule 20)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from worker.aws.s3_replies import AWS_ERRORS, is_credential_error
from worker.loop.queue_port import QueueUnavailableError, Received

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ACCESS_CODES = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "MissingAuthenticationToken",
        "OptInRequired",
        "QueueDoesNotExist",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class BotoQueue:
    """One queue. Every call blocks, and raises QueueUnavailableError."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def receive(self, most: int, wait_seconds: int, visibility: int) -> list[Received]:
        """Long-poll for at most 10 messages, each invisible for `visibility` seconds."""
        try:
            response = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=visibility,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        except AWS_ERRORS as error:
            raise unavailable("ReceiveMessage", error) from error
        return [
            Received(
                message["MessageId"],
                message["ReceiptHandle"],
                message.get("Body", ""),
                int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
            )
            for message in response.get("Messages", ())
        ]

    def delete(self, receipts: Sequence[str]) -> list[str | None]:
        """Delete at most 10 messages; returns, for each, None or SQS's code for its refusal."""
        try:
            response = self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(position), "ReceiptHandle": receipt}
                    for position, receipt in enumerate(receipts)
                ],
            )
        except AWS_ERRORS as error:
            raise unavailable("DeleteMessageBatch", error) from error
        refused = {entry["Id"]: entry["Code"] for entry in response.get("Failed", ())}
        return [refused.get(str(position)) for position in range(len(receipts))]

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> list[str | None]:
        """Set at most 10 (receipt, seconds from now); returns as `delete` does."""
        try:
            response = self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(position), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                    for position, (receipt, seconds) in enumerate(changes)
                ],
            )
        except AWS_ERRORS as error:
            raise unavailable("ChangeMessageVisibilityBatch", error) from error
        refused = {entry["Id"]: entry["Code"] for entry in response.get("Failed", ())}
        return [refused.get(str(position)) for position in range(len(changes))]


def unavailable(operation: str, error: Exception) -> QueueUnavailableError:
    """Turn one of AWS_ERRORS into ours; throttling and too much in flight is no lack of access."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        keys = code.startswith(("KMS.", "Kms")) and "Throttl" not in code
        access = code in ACCESS_CODES or keys
        return QueueUnavailableError(operation, str(error), access=access)
    return QueueUnavailableError(operation, str(error), access=is_credential_error(error))
