"""The queue port: what the worker asks of SQS and what it is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

OWN_FAULTS = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable"})
"""SQS's own codes for an entry that failed through no fault of ours: worth another try."""


class QueueUnavailableError(Exception):
    """Raised when SQS did not do what it was asked; `access`: a person must act."""

    def __init__(self, operation: str, why: str, *, access: bool) -> None:
        super().__init__(f"{operation}: {why}")
        self.access = access


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery of a message; `receive_count` counts from 1."""

    message_id: str
    receipt: str
    body: str
    receive_count: int


class Queue(Protocol):
    """One queue; every call raises QueueUnavailableError when SQS does not do it."""

    async def receive(self, most: int, wait_seconds: int, visibility: int, /) -> list[Received]:
        """Long-poll for at most `most` (10) messages, each invisible for `visibility` seconds."""

    async def delete(self, receipts: Sequence[str], /) -> list[str | None]:
        """Delete at most 10; for each, None or SQS's code for its refusal, by position."""

    async def change_visibility(self, changes: Sequence[tuple[str, int]], /) -> list[str | None]:
        """Set at most 10 (receipt, seconds from now); answers as `delete`."""


class BlockingQueue(Protocol):
    """The same queue, for threads."""

    def receive(self, most: int, wait_seconds: int, visibility: int, /) -> list[Received]:
        """As `Queue.receive`."""

    def delete(self, receipts: Sequence[str], /) -> list[str | None]:
        """As `Queue.delete`."""

    def change_visibility(self, changes: Sequence[tuple[str, int]], /) -> list[str | None]:
        """As `Queue.change_visibility`."""
