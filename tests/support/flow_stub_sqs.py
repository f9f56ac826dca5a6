"""The cheap SQS: one queue, constant time per message however deep it is, leases and long polls."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import md5
from typing import Any

Json = dict[str, Any]

RECEIVE_MOST = 10


@dataclass(slots=True, eq=False)
class _Message:
    number: int
    body: str
    md5: str
    received: int = 0
    receipt: str = ""


class CheapSqs:
    """One queue. `clock` returns seconds; its waiting polls are answered by the event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.most_receipts = 0
        """How often the message was received that was received most often."""
        self._clock = clock
        self._visible: deque[_Message] = deque()
        self._leased: dict[str, tuple[_Message, float]] = {}
        self._ends: list[tuple[float, str]] = []
        self._numbers = itertools.count(1)
        self._waiting: deque[tuple[asyncio.Future[Json], int, float]] = deque()

    @property
    def left(self) -> int:
        """How many messages there are, visible or leased."""
        return len(self._visible) + len(self._leased)

    @property
    def leased(self) -> int:
        """How many messages are in somebody's hand."""
        return len(self._leased)

    def send(self, bodies: Iterable[str]) -> None:
        """Put messages into the queue, all at once."""
        for body in bodies:
            text_sum = md5(body.encode(), usedforsecurity=False).hexdigest()
            self._visible.append(_Message(next(self._numbers), body, text_sum))
        self._serve_waiting()

    def receive(self, asked: Json, default_visibility: float) -> "Json | asyncio.Future[Json]":
        """Answer ReceiveMessage; where nothing is there, a future that long polling will fill."""
        most = int(asked.get("MaxNumberOfMessages", 1))
        if not 1 <= most <= RECEIVE_MOST:
            return {"__type": "com.amazonaws.sqs#ReadCountOutOfRange", "message": "1 to 10"}
        visibility = float(asked.get("VisibilityTimeout", default_visibility))
        found = self._take(most, visibility)
        wait = float(asked.get("WaitTimeSeconds", 0))
        if found.get("Messages") or not wait:
            return found
        loop = asyncio.get_running_loop()
        poll: asyncio.Future[Json] = loop.create_future()
        self._waiting.append((poll, most, visibility))
        loop.call_later(wait, _come_home, poll)
        return poll

    def delete(self, entries: Iterable[Json]) -> Json:
        """Answer DeleteMessageBatch."""
        for entry in entries:
            self._leased.pop(entry["ReceiptHandle"], None)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    def change_visibility(self, entries: Iterable[Json]) -> Json:
        """Answer ChangeMessageVisibilityBatch."""
        told: Json = {"Successful": [], "Failed": []}
        for entry in entries:
            receipt = entry["ReceiptHandle"]
            held = self._leased.get(receipt)
            if held is None:
                refusal = {"Code": "ReceiptHandleIsInvalid", "SenderFault": True}
                told["Failed"].append({"Id": entry["Id"], **refusal})
                continue
            self._lease(held[0], receipt, float(entry["VisibilityTimeout"]))
            told["Successful"].append({"Id": entry["Id"]})
        self._serve_waiting()
        return told

    def _take(self, most: int, visibility: float) -> Json:
        self._expire()
        taken: list[Json] = []
        while self._visible and len(taken) < most:
            message = self._visible.popleft()
            message.received += 1
            self.most_receipts = max(self.most_receipts, message.received)
            message.receipt = f"{message.number}:{message.received}"
            self._lease(message, message.receipt, visibility)
            taken.append(
                {
                    "MessageId": str(message.number),
                    "ReceiptHandle": message.receipt,
                    "Body": message.body,
                    "MD5OfBody": message.md5,
                    "Attributes": {"ApproximateReceiveCount": str(message.received)},
                }
            )
        return {"Messages": taken} if taken else {}

    def _lease(self, message: _Message, receipt: str, seconds: float) -> None:
        ends = self._clock() + seconds
        self._leased[receipt] = (message, ends)
        heapq.heappush(self._ends, (ends, receipt))
        self._expire()

    def _expire(self) -> None:
        now = self._clock()
        while self._ends and self._ends[0][0] <= now:
            _, receipt = heapq.heappop(self._ends)
            held = self._leased.get(receipt)
            if held and held[1] <= now:
                del self._leased[receipt]
                self._visible.append(held[0])

    def _serve_waiting(self) -> None:
        while self._waiting and self._visible:
            poll, most, visibility = self._waiting.popleft()
            if not poll.done():
                poll.set_result(self._take(most, visibility))


def _come_home(poll: asyncio.Future[Json]) -> None:
    """End a long poll that nothing came for."""
    if not poll.done():
        poll.set_result({})
