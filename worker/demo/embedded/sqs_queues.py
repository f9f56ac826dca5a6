"""SQS queues: which may be made, which may be whose dead-letter queue, what is too large."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.sqs.exceptions import InvalidAttributeValue, InvalidParameterValue, SQSException
from moto.sqs.models import Queue, SQSBackend

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

NAME_REST_SECONDS: Final = 60
"""Rule 13: how long after its deletion a queue's name may not be used again."""
RANGES: Final = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
"""Rule 13a: the least and the most that SQS takes, in seconds and in bytes."""
_MOST_RECEIVES: Final = 1000
_SPECIAL: Final = "AWS.SimpleQueueService."

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Refuse what SQS refuses when a queue is made, changed or sent to."""
    patches = layer.patches
    patches.wrap(Queue, "_set_attributes", unnamed_attributes_stay)
    patches.wrap(Queue, "_set_attributes", encryption_is_of_one_kind)
    patches.wrap(Queue, "_set_attributes", numbers_are_in_range)
    patches.wrap(Queue, "_setup_dlq", dead_letter_queue_is_fit)
    patches.replace(Queue, "redrive_allow_policy", None)
    patches.replace(Queue, "BASE_ATTRIBUTES", [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"])
    patches.wrap(SQSBackend, "_validate_message", size_is_counted_in_bytes)
    deleted: dict[tuple[str, str, str], float] = {}
    patches.wrap(SQSBackend, "delete_queue", lambda f: deleted_name_is_noted(layer, deleted, f))
    patches.wrap(SQSBackend, "create_queue", lambda f: deleted_name_rests(layer, deleted, f))


def unnamed_attributes_stay(change: Handler) -> Handler:
    """Keep the policy when SetQueueAttributes changes something else; moto drops it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """

    def changed(self: Moto, attributes: dict[str, Moto], now: float | None = None) -> None:
        kept = {} if "Policy" in attributes else {"Policy": self.policy}
        change(self, attributes | kept, now)

    return changed


def numbers_are_in_range(change: Handler) -> Handler:
    """Rule 13a: any other number is refused, and none of the attributes is changed.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """

    def changed(self: Moto, attributes: dict[str, Moto], now: float | None = None) -> None:
        for name, (least, most) in RANGES.items():
            if name in attributes and not _is_in_range(str(attributes[name]), least, most):
                raise InvalidAttributeValue(name)
        change(self, attributes, now)

    return changed


def _is_in_range(value: str, least: int, most: int) -> bool:
    return value.isdecimal() and least <= int(value) <= most


def encryption_is_of_one_kind(change: Handler) -> Handler:
    """Rule 12: a queue has SSE-KMS or SSE-SQS; a key that is named switches the other off.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """

    def changed(self: Moto, attributes: dict[str, Moto], now: float | None = None) -> None:
        key = attributes.get("KmsMasterKeyId", getattr(self, "kms_master_key_id", None))
        if key and attributes.get("SqsManagedSseEnabled") == "true":
            raise InvalidParameterValue(
                "You can use one type of server-side encryption (SSE) at one time."
                " You can either enable KMS SSE or SQS SSE."
            )
        change(self, {**attributes, "SqsManagedSseEnabled": "false"} if key else attributes, now)

    return changed


def deleted_name_is_noted(
    layer: "Layer", deleted: dict[tuple[str, str, str], float], delete: Handler
) -> Handler:
    """Rule 13, first half: remember when a queue was deleted, and send its pollers home."""

    def noted(self: Moto, queue_name: str) -> None:
        queue = self.get_queue(queue_name)
        delete(self, queue_name)
        deleted[self.account_id, self.region_name, queue_name] = layer.clock()
        queue.shelf.close()

    return noted


def deleted_name_rests(
    layer: "Layer", deleted: dict[tuple[str, str, str], float], create: Handler
) -> Handler:
    """Rule 13, second half: within 60 seconds the name is refused with QueueDeletedRecently."""

    def created(self: Moto, name: str, *args: object, **kwargs: object) -> Moto:
        at = deleted.get((self.account_id, self.region_name, name))
        if at is not None and layer.clock() - at < NAME_REST_SECONDS:
            message = (
                "You must wait 60 seconds after deleting a queue before you can create"
                " another with the same name."
            )
            raise SQSException(_SPECIAL + "QueueDeletedRecently", message)
        return create(self, name, *args, **kwargs)

    return created


def dead_letter_queue_is_fit(setup: Handler) -> Handler:
    """Rule 15: the DLQ exists, is of the same kind, lets this queue use it; 1 to 1,000 receives.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """

    def checked(self: Moto, policy: Moto) -> None:
        try:
            setup(self, policy)
        except SQSException as error:
            if error.code == _SPECIAL + "NonExistentQueue":
                raise _unfit(policy, "Dead letter target does not exist.") from error
            raise
        if self.dead_letter_queue is None:
            return
        if self.dead_letter_queue.fifo_queue != self.fifo_queue:
            raise _unfit(policy, "Dead letter queue must be same type of queue as the source.")
        if not 1 <= self.redrive_policy["maxReceiveCount"] <= _MOST_RECEIVES:
            raise _unfit(policy, "Invalid value for maxReceiveCount: 1 to 1000.")
        if not _may_redrive(self.dead_letter_queue.redrive_allow_policy, self.queue_arn):
            raise _unfit(policy, "The dead letter queue's RedriveAllowPolicy does not allow it.")

    return checked


def _unfit(policy: Moto, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}"
    )


def _may_redrive(allow_policy: str | None, source_arn: str) -> bool:
    chosen = json.loads(allow_policy or '{"redrivePermission": "allowAll"}')
    permission = chosen.get("redrivePermission", "allowAll")
    return permission == "allowAll" or (
        permission == "byQueue" and source_arn in chosen.get("sourceQueueArns", [])
    )


def size_is_counted_in_bytes(validate: Handler) -> Handler:
    """Rule 17: MaximumMessageSize is bytes of UTF-8; moto counts characters."""

    def validated(
        self: Moto, queue: Moto, message_body: str, *args: object, **kwargs: object
    ) -> None:
        limit = queue.maximum_message_size
        if len(message_body.encode()) > limit:
            raise InvalidParameterValue(
                "One or more parameters are invalid."
                f" Reason: Message must be shorter than {limit} bytes."
            )
        validate(self, queue, message_body, *args, **kwargs)

    return validated
