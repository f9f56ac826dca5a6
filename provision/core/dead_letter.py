"""What was set aside: dead letters, and the task that moves them back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provision.resources.queue import DEAD_LETTER_RETENTION_SECONDS


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of the dead-letter queue. `receives` counts every look at it as well."""

    id: str
    body: str
    sent: float
    """When it was first sent, in Unix seconds: from then on its time runs (rule 15)."""
    receives: int
    source: str
    """The ARN of the queue that it was set aside from; empty if it was sent here directly."""

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "Letter":
        """Read a message as ReceiveMessage gives it."""
        told = message.get("Attributes", {})
        return cls(
            message["MessageId"],
            message["Body"],
            int(told.get("SentTimestamp", 0)) / 1000,
            int(told.get("ApproximateReceiveCount", 0)),
            told.get("DeadLetterQueueSourceArn", ""),
        )

    @property
    def expires(self) -> float:
        """When SQS deletes it, in Unix seconds."""
        return self.sent + DEAD_LETTER_RETENTION_SECONDS


@dataclass(frozen=True, slots=True)
class MoveTask:
    """A message move task, as ListMessageMoveTasks tells it (rule 16); counts are approximate."""

    status: str
    moved: int
    to_move: int
    started: int
    """When, in Unix milliseconds: it tells one task from the next."""
    failure: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "MoveTask":
        """Read an entry of ListMessageMoveTasks."""
        return cls(
            told["Status"],
            told.get("ApproximateNumberOfMessagesMoved", 0),
            told.get("ApproximateNumberOfMessagesToMove", 0),
            told["StartedTimestamp"],
            told.get("FailureReason", ""),
        )

    @property
    def is_running(self) -> bool:
        """Whether it goes on; CANCELLING counts, for it is not over yet."""
        return self.status in {"RUNNING", "CANCELLING"}
