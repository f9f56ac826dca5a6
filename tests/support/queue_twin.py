"""An in-memory SQS standard queue with AWS's own semantics for `worker.loop.queue_port`.

`QueueTwin` answers at once, by an injected clock. `SlowQueue` puts it behind a network: every call
takes virtual time, and long polls wait.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from worker.loop.queue_port import QueueUnavailableError, Received

LONGEST_LEASE_SECONDS = 12 * 3600
"""From the receipt, whatever it is extended by (rule 20)."""


@dataclass(slots=True, eq=False)
class Message:
    """A message and its fate. Times in the clock's seconds."""

    message_id: str
    body: str
    visible_at: float
    receive_count: int = 0
    receipt: str = ""
    received_at: float = 0.0


@dataclass(slots=True, eq=False)
class QueueTwin:
    """One queue. `max_receive_count` None: it has no dead-letter queue, and `dead` stays empty.

    `refusal` scripts partial failures: given an operation and a receipt, it returns SQS's code.
    `fault` scripts whole ones: given an operation, it returns an error to raise.
    """

    clock: Callable[[], float]
    max_receive_count: int | None = 5
    messages: dict[str, Message] = field(default_factory=dict)
    dead: dict[str, Message] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    refusal: Callable[[str, str], str | None] = lambda _, __: None
    fault: Callable[[str], QueueUnavailableError | None] = lambda _: None
    visibility_changes: list[tuple[float, str, int]] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None
    _receipts: dict[str, str] = field(default_factory=dict)

    def send(self, body: str, delay: float = 0.0) -> str:
        """Put a message in; returns its id."""
        message_id = f"message-{len(self.messages) + len(self.dead) + len(self.deleted)}"
        self.messages[message_id] = Message(message_id, body, self.clock() + delay)
        self.changed()
        return message_id

    def duplicate(self, message_id: str) -> None:
        """Let a message in flight be delivered once more, as a standard queue may."""
        self.messages[message_id].visible_at = self.clock()
        self.changed()

    def visible(self) -> list[Message]:
        """List what could be received now."""
        return [each for each in self.messages.values() if each.visible_at <= self.clock()]

    def id_of(self, receipt: str) -> str:
        """Tell whose receipt it is."""
        return self._receipts[receipt]

    # --- the port ---------------------------------------------------------------------------------

    def receive(self, most: int, wait_seconds: int, visibility: int, /) -> list[Received]:
        """Receive what is there; the waiting is `SlowQueue`'s."""
        assert 1 <= most <= 10
        assert 0 <= wait_seconds <= 20
        self._begin("receive")
        return self.take(most, visibility)

    def take(self, most: int, visibility: int) -> list[Received]:
        """Lease up to `most` messages; those received too often go to the dead-letter queue."""
        taken: list[Received] = []
        for message in self.visible():
            if len(taken) == most:
                break
            if self.max_receive_count and message.receive_count >= self.max_receive_count:
                self.dead[message.message_id] = self.messages.pop(message.message_id)
            else:
                taken.append(self._lease(message, visibility))
        return taken

    def delete(self, receipts: Sequence[str], /) -> list[str | None]:
        """Delete at most 10. An old receipt: success, and the message stays."""
        assert 1 <= len(receipts) <= 10
        self._begin("delete")
        return [self._delete(receipt) for receipt in receipts]

    def change_visibility(self, changes: Sequence[tuple[str, int]], /) -> list[str | None]:
        """Set at most 10 messages' visibility, by receipt, in seconds from now."""
        assert 1 <= len(changes) <= 10
        self._begin("change_visibility")
        answers = [self._change(receipt, seconds) for receipt, seconds in changes]
        self.changed()
        return answers

    # --- one entry each ---------------------------------------------------------------------------

    def _begin(self, operation: str) -> None:
        self.counts[operation] += 1
        if error := self.fault(operation):
            raise error

    def _lease(self, message: Message, visibility: int) -> Received:
        message.receive_count += 1
        message.receipt = f"{message.message_id}-receipt-{message.receive_count}"
        message.received_at = self.clock()
        message.visible_at = self.clock() + visibility
        self._receipts[message.receipt] = message.message_id
        return Received(message.message_id, message.receipt, message.body, message.receive_count)

    def _delete(self, receipt: str) -> str | None:
        if code := self.refusal("delete", receipt):
            return code
        if receipt not in self._receipts:
            return "ReceiptHandleIsInvalid"
        message = self.messages.get(self._receipts[receipt])
        if message and message.receipt == receipt:
            del self.messages[message.message_id]
            self.deleted.append(message.message_id)
        return None

    def _change(self, receipt: str, seconds: int) -> str | None:
        assert isinstance(seconds, int)
        assert 0 <= seconds <= LONGEST_LEASE_SECONDS
        self.visibility_changes.append((self.clock(), receipt, seconds))
        if code := self.refusal("change_visibility", receipt):
            return code
        message = self.messages.get(self._receipts.get(receipt, ""))
        if not message:
            return "ReceiptHandleIsInvalid"
        if message.receipt != receipt or message.visible_at <= self.clock():
            return "MessageNotInflight"
        if self.clock() + seconds > message.received_at + LONGEST_LEASE_SECONDS:
            return "InvalidParameterValue"
        message.visible_at = self.clock() + seconds
        return None


@dataclass(slots=True, eq=False)
class SlowQueue:
    """The port of a twin behind a network, for a virtual loop: the calls return coroutines.

    `latency` returns an operation's seconds, both ways together; the effect is half-way.
    """

    twin: QueueTwin
    latency: Callable[[str], float] = lambda _: 0.0
    asked: list[tuple[float, int]] = field(default_factory=list)
    on_receive: Callable[[int], None] = lambda _: None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.twin.changed = self._news.set

    async def receive(self, most: int, wait_seconds: int, visibility: int, /) -> list[Received]:
        """Poll: until something is there, or for `wait_seconds`."""
        self.asked.append((self.twin.clock(), most))
        self.on_receive(most)
        half = self.latency("receive") / 2
        await asyncio.sleep(half)
        until = self.twin.clock() + wait_seconds
        taken = self.twin.receive(most, wait_seconds, visibility)
        while not taken and (left := until - self.twin.clock()) > 0:
            await self._wait(left)
            taken = self.twin.take(most, visibility)
        await asyncio.sleep(half)
        return taken

    async def delete(self, receipts: Sequence[str], /) -> list[str | None]:
        """Delete, after a while."""
        half = self.latency("delete") / 2
        await asyncio.sleep(half)
        answers = self.twin.delete(receipts)
        await asyncio.sleep(half)
        return answers

    async def change_visibility(self, changes: Sequence[tuple[str, int]], /) -> list[str | None]:
        """Change visibility, after a while."""
        half = self.latency("change_visibility") / 2
        await asyncio.sleep(half)
        answers = self.twin.change_visibility(changes)
        await asyncio.sleep(half)
        return answers

    async def _wait(self, seconds: float) -> None:
        due = [each.visible_at - self.twin.clock() for each in self.twin.messages.values()]
        self._news.clear()
        try:
            async with asyncio.timeout(max(0.0, min([seconds, *due]))):
                await self._news.wait()
        except TimeoutError:
            return
