"""The dead-letter queue: looked into, moved back, emptied."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from provision.core.dead_letter import Letter, MoveTask
from provision.core.resource import Key
from provision.errors import ProvisionError, RefusedError
from provision.resources import queue
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH: Final = 10
HELD_SECONDS: Final = 60
"""How long a letter is hidden from others while we read on; it is released well before that."""
POLL_SECONDS: Final = 1
"""A long poll, however short, asks all of SQS's servers; a short one asks a few."""


class DeadLetters:
    """The dead-letter queue of one stack; ProvisionError where it is not there, or not ours."""

    def __init__(self, sqs: "SQSClient", names: Names) -> None:
        self._sqs = sqs
        self._names = names
        self._url = _url_of_ours(sqs, names)

    def count(self) -> int:
        """Return about how many letters there are, those included that somebody looks at."""
        told = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])
        counts = told["Attributes"]
        visible = int(counts["ApproximateNumberOfMessages"])
        return visible + int(counts["ApproximateNumberOfMessagesNotVisible"])

    def look(self, most: int) -> list[Letter]:
        """Return up to `most` letters, the oldest first, and leave every one of them there.

        A letter is received, which counts as one more receive, and released at once afterwards.
        Nothing happens to it by that: a dead-letter queue sets nothing aside.
        """
        held: dict[str, Mapping[str, Any]] = {}
        try:
            while len(held) < most:
                found = self._receive(min(BATCH, most - len(held)))
                new = {each["MessageId"]: each for each in found}
                if not new.keys() - held.keys():
                    break
                held |= new
        finally:
            self._release([each["ReceiptHandle"] for each in held.values()])
        return sorted(map(Letter.of, held.values()), key=lambda each: (each.sent, each.id))

    def latest_move(self) -> MoveTask | None:
        """Return the newest move task, None if there never was one of late."""
        told = self._sqs.list_message_move_tasks(SourceArn=self._names.dead_letter_queue_arn)
        return next((MoveTask.of(each) for each in told.get("Results", [])), None)

    def start_move(self, per_second: int | None) -> None:
        """Begin to move all letters to where each came from; SQS chooses the rate if None.

        One that runs already is as good: another operator's, or ours, whose answer was lost.
        """
        rate: Any = {} if per_second is None else {"MaxNumberOfMessagesPerSecond": per_second}
        try:
            self._sqs.start_message_move_task(SourceArn=self._names.dead_letter_queue_arn, **rate)
        except ClientError:
            now = self.latest_move()
            if now is None or not now.is_running:
                raise

    def purge(self) -> None:
        """Delete all letters; SQS takes up to a minute, and refuses a second purge meanwhile."""
        self._sqs.purge_queue(QueueUrl=self._url)

    def _receive(self, count: int) -> list[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=HELD_SECONDS,
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _release(self, handles: Sequence[str]) -> None:
        for first in range(0, len(handles), BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(handles[first : first + BATCH])
                ],
            )


def _url_of_ours(sqs: "SQSClient", names: Names) -> str:
    provider, key = queue.QueueProvider(sqs), Key(queue.KIND, names.dead_letter_queue)
    found = provider.observe(key)
    if found is None:
        raise ProvisionError(f"there is no {key}", "`provision apply` makes it")
    if found.owner != names.stack:
        raise RefusedError(f"{key} is not this stack's", "`provision plan` says whose it is")
    return provider.url(key.name) or ""
