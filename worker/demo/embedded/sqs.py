"""SQS: leases and redrive as AWS does them, at the same cost for one message or ten thousand."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.sqs import models
from moto.sqs.exceptions import (
    BatchEntryIdsNotDistinct,
    InvalidParameterValue,
    ReceiptHandleIsInvalid,
    SQSException,
    TooManyEntriesInBatchRequest,
)
from moto.sqs.models import Queue, SQSBackend
from moto.sqs.responses import SQSResponse

from worker.demo.embedded import sqs_shelf
from worker.demo.embedded.patches import Moto
from worker.demo.embedded.sqs_shelf import Shelf

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_MOST_ENTRIES: Final = 10
_ORIGIN: Final = {"All", "DeadLetterQueueSourceArn"}
_SPECIAL: Final = "AWS.SimpleQueueService."

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Put a shelf into every standard queue, and let every call use it. FIFO stays moto's."""
    patches = layer.patches
    patches.replace(models, "unix_time_millis", layer.clock.millis)
    patches.replace(models, "unix_time", layer.clock)
    patches.wrap(Queue, "__init__", lambda f: queue_has_a_shelf(layer, f))
    patches.wrap(Queue, "add_message", message_goes_on_the_shelf)
    patches.wrap(Queue, "delete_message", message_is_deleted_by_its_handle)
    patches.replace(Queue, "approximate_number_of_messages", property(_count(0)))
    patches.replace(Queue, "approximate_number_of_messages_not_visible", property(_count(1)))
    patches.replace(Queue, "approximate_number_of_messages_delayed", property(_count(2)))
    patches.wrap(SQSBackend, "receive_message", messages_are_leased)
    patches.wrap(SQSBackend, "change_message_visibility", lease_is_changed)
    patches.replace(SQSBackend, "change_message_visibility_batch", each_lease_is_changed)
    patches.wrap(SQSBackend, "purge_queue", purge_empties_the_shelf)
    patches.wrap(SQSResponse, "receive_message", origin_is_told)
    patches.replace(SQSResponse, "delete_message_batch", batch_ids_are_distinct)


def queue_has_a_shelf(layer: "Layer", init: Handler) -> Handler:
    """Emulators' table, "SQS cost": moto walks over all messages on every call."""

    def initialised(self: Moto, *args: object, **kwargs: object) -> None:
        self.shelf = Shelf(layer.clock)
        init(self, *args, **kwargs)

    return initialised


def message_goes_on_the_shelf(add: Handler) -> Handler:
    """Emulators' table, "SQS cost": adding wakes one poller, and walks over nothing."""

    def added(self: Moto, message: Moto) -> None:
        if self.fifo_queue:
            add(self, message)
        else:
            self.shelf.add(message)

    return added


def messages_are_leased(receive: Handler) -> Handler:
    """Emulators' table, "SQS cost": a message goes to one receiver, and a long poll sleeps.

    A message that was received `maxReceiveCount` times goes to the DLQ instead, with its id, its
    count and its time of sending (rule 15); one past its retention is dropped.
    """

    def received(  # moto's signature
        self: Moto,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: Moto = None,
    ) -> list[Moto]:
        queue = self.get_queue(queue_name)
        if queue.fifo_queue:
            found: list[Moto] = receive(
                self,
                queue_name,
                count,
                wait_seconds_timeout,
                visibility_timeout,
                message_attribute_names,
            )
            return found
        messages: list[Moto] = []
        until = models.unix_time() + wait_seconds_timeout
        while not messages:
            left = until - models.unix_time()
            messages, dead = queue.shelf.receive(
                count, visibility_timeout or 0, left, lambda m: _fate(queue, m)
            )
            for message in dead:
                message.dead_letter_source = queue.queue_arn
                queue.dead_letter_queue.add_message(message)
            if not dead:
                break
        for message in messages:
            models._filter_message_attributes(message, message_attribute_names or [])  # noqa: SLF001 # moto's own rule
        return messages

    return received


def origin_is_told(receive: Handler) -> Handler:
    """Rule 15: a dead letter tells its origin: DeadLetterQueueSourceArn, if that or All is asked.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    """

    def received(self: Moto) -> Moto:
        answer = receive(self)
        asked = {
            *self._get_param("AttributeNames", []),
            *self._get_param("MessageSystemAttributeNames", []),
        }
        queue = self.sqs_backend.get_queue(self._get_queue_name())
        wanted = bool(asked & _ORIGIN) and not queue.fifo_queue
        for each in (answer.result or {}).get("Messages", []) if wanted else []:
            message = queue.shelf.look_up(each["ReceiptHandle"])
            origin = getattr(message, "dead_letter_source", None)
            if origin is not None:
                each.setdefault("Attributes", {})["DeadLetterQueueSourceArn"] = origin
        return answer

    return received


def _fate(queue: Moto, message: Moto) -> str:
    kept_until = message.sent_timestamp / 1000 + queue.message_retention_period
    if kept_until <= models.unix_time():
        return "drop"
    policy = queue.redrive_policy if queue.dead_letter_queue is not None else None
    if policy and message.approximate_receive_count >= policy["maxReceiveCount"]:
        return "move"
    return ""


def message_is_deleted_by_its_handle(delete: Handler) -> Handler:
    """Rule 20: only the newest receipt handle deletes; an older one succeeds and deletes nothing.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
    """

    def deleted(self: Moto, receipt_handle: str) -> None:
        if self.fifo_queue:
            delete(self, receipt_handle)
            return
        try:
            self.shelf.delete(receipt_handle)
        except sqs_shelf.UnknownHandleError as error:
            raise ReceiptHandleIsInvalid from error

    return deleted


def lease_is_changed(change: Handler) -> Handler:
    """Rule 20: a lease that ended cannot be changed, and 12 hours from the receipt is the most."""

    def changed(self: Moto, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        queue = self.get_queue(queue_name)
        if queue.fifo_queue:
            change(self, queue_name, receipt_handle, visibility_timeout)
            return
        try:
            queue.shelf.change_visibility(receipt_handle, int(visibility_timeout))
        except sqs_shelf.UnknownHandleError as error:
            raise ReceiptHandleIsInvalid from error
        except sqs_shelf.NotInFlightError as error:
            message = f"The specified message isn't in flight: {receipt_handle}"
            raise SQSException(_SPECIAL + "MessageNotInflight", message) from error
        except sqs_shelf.MessageGoneError as error:
            reason = "Message does not exist or is not available for visibility timeout change."
            text = (
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: {reason}"
            )
            raise InvalidParameterValue(text) from error
        except sqs_shelf.LeaseTooLongError as error:
            reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
            text = (
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: "
            )
            raise InvalidParameterValue(text + reason) from error

    return changed


def each_lease_is_changed(
    self: Moto, queue_name: str, entries: list[Moto]
) -> tuple[list[str], list[dict[str, Moto]]]:
    """Rule 20: in a batch, each entry's error is its own; moto knows one kind of error here."""
    _check_entries(entries)
    changed: list[str] = []
    failed: list[dict[str, Moto]] = []
    for entry in entries:
        try:
            self.change_message_visibility(
                queue_name, entry["ReceiptHandle"], entry.get("VisibilityTimeout") or 0
            )
            changed.append(entry["Id"])
        except SQSException as error:
            failed.append(_failure(entry["Id"], error))
    return changed, failed


def batch_ids_are_distinct(self: Moto) -> Moto:
    """Rule 20: a batch's ids are distinct; its receipt handles need not be, as moto wants them."""
    from moto.core.responses import ActionResult  # noqa: PLC0415 # used nowhere else

    entries = self._get_param("Entries", [])
    _check_entries(entries)
    deleted, failed = self.sqs_backend.delete_message_batch(self._get_queue_name(), entries)
    return ActionResult({"Successful": [{"Id": each} for each in deleted], "Failed": failed})


def _check_entries(entries: list[Moto]) -> None:
    ids = [entry["Id"] for entry in entries]
    if not ids:
        raise SQSException(_SPECIAL + "EmptyBatchRequest", "There should be at least one entry.")
    if len(ids) > _MOST_ENTRIES:
        raise TooManyEntriesInBatchRequest(len(ids))
    for position, each in enumerate(ids):
        if each in ids[:position]:
            raise BatchEntryIdsNotDistinct(each)


def _failure(entry_id: str, error: SQSException) -> dict[str, Moto]:
    return {"Id": entry_id, "SenderFault": True, "Code": error.code, "Message": error.message}


def purge_empties_the_shelf(purge: Handler) -> Handler:
    """PurgeQueue, for what is on the shelf."""

    def purged(self: Moto, queue_name: str) -> None:
        purge(self, queue_name)
        self.get_queue(queue_name).shelf.clear()

    return purged


def _count(which: int) -> Callable[[Moto], int]:
    def count(self: Moto) -> int:
        if self.fifo_queue:
            messages = self._messages
            kinds = (
                lambda m: m.visible and not m.delayed,
                lambda m: not m.visible,
                lambda m: m.delayed,
            )
            return sum(map(bool, map(kinds[which], messages)))
        counts: tuple[int, int, int] = self.shelf.counts()
        return counts[which]

    return count
