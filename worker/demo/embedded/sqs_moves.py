"""SQS message move tasks: a dead-letter queue's messages go back, at a rate, and can be watched."""

import base64
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moto.core.responses import ActionResult
from moto.sqs.exceptions import InvalidParameterValue, SQSException
from moto.sqs.models import Message, SQSBackend, sqs_backends
from moto.sqs.responses import SQSResponse

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

MOST_PER_SECOND: Final = 500
USUAL_PER_SECOND: Final = 100
"""The rate if none is named. AWS chooses by the backlog, and does not say how."""
_MOST_LISTED: Final = 10
_TICK_SECONDS: Final = 0.1
_UNKNOWN_SOURCE: Final = "CouldNotDetermineMessageSource"
_NO_QUEUE: Final = "AWS.SimpleQueueService.NonExistentQueue"

Handler = Callable[..., Moto]


@dataclass(slots=True)
class Task:
    """One move: from a dead-letter queue to `destination`, or to where each message came from."""

    source: str
    destination: str | None
    per_second: int | None
    to_move: int
    started: float
    handle: str
    status: str = "RUNNING"
    moved: int = 0
    failure: str = ""

    def entry(self) -> dict[str, Moto]:
        """Give the task as ListMessageMoveTasks tells it; only a running one has its handle."""
        shown = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.per_second,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure or None,
            "StartedTimestamp": int(self.started * 1000),
        }
        return {name: value for name, value in shown.items() if value is not None}

    def end(self, status: str, failure: str = "") -> None:
        """Stop moving."""
        self.status, self.failure = status, failure


class Moves:
    """All tasks of one server. They go on by the layer's clock, whether anybody looks or not."""

    def __init__(self, layer: "Layer") -> None:
        self._layer = layer
        self._lock = threading.RLock()
        self._tasks: list[Task] = []

    def start(self, source: str, destination: str | None, per_second: int | None) -> Task:
        """Begin a task, if the source has none that runs. Raises InvalidParameterValue."""
        with self._lock:
            self.catch_up()
            if any(each.source == source and each.status == "RUNNING" for each in self._tasks):
                raise InvalidParameterValue(
                    "There is already a task running. Only one active task is allowed for a source"
                    " queue arn at a given time."
                )
            waiting = _queue(source).approximate_number_of_messages
            handle = json.dumps({"taskId": str(uuid.uuid4()), "sourceArn": source})
            task = Task(
                source,
                destination,
                per_second,
                waiting,
                self._layer.clock(),
                base64.b64encode(handle.encode()).decode(),
            )
            self._tasks.append(task)
        threading.Thread(target=self._watch, args=(task,), daemon=True).start()
        return task

    def of(self, source: str) -> list[Task]:
        """Give the source's tasks, the newest first, as far as they have come by now."""
        self.catch_up()
        return [each for each in reversed(self._tasks) if each.source == source]

    def cancel(self, handle: str) -> Task:
        """Stop a running task; what it moved stays moved. Raises SQSException."""
        with self._lock:
            self.catch_up()
            task = next((each for each in self._tasks if each.handle == handle), None)
            if task is None:
                raise _not_found("Task does not exist.")
            if task.status != "RUNNING":
                raise InvalidParameterValue("Only active tasks can be cancelled.")
            task.end("CANCELLED")
            return task

    def catch_up(self) -> None:
        """Move what is due by now."""
        with self._lock:
            for task in self._tasks:
                if task.status == "RUNNING":
                    self._continue(task)

    def _watch(self, task: Task) -> None:
        while task.status == "RUNNING" and not self._layer.closing.wait(_TICK_SECONDS):
            self.catch_up()

    def _continue(self, task: Task) -> None:
        elapsed = self._layer.clock() - task.started
        due = min(task.to_move, int(elapsed * (task.per_second or USUAL_PER_SECOND)))
        while task.status == "RUNNING" and task.moved < due:
            self._move_one(task)
        if task.status == "RUNNING" and task.moved >= task.to_move:
            task.end("COMPLETED")

    def _move_one(self, task: Task) -> None:
        source = _queue(task.source)
        message = source.shelf.take_ready() if source else None
        if message is None:
            task.end(*(("COMPLETED",) if source else ("FAILED", _NO_QUEUE)))
            return
        wanted = task.destination or getattr(message, "dead_letter_source", None)
        target = _queue(wanted) if wanted else None
        if target is None:
            source.shelf.add(message)
            task.end("FAILED", _NO_QUEUE if wanted else _UNKNOWN_SOURCE)
            return
        target.add_message(_as_new(message))
        task.moved += 1


def correct(layer: "Layer") -> None:
    """Add the three operations, which moto does not have."""
    patches = layer.patches
    moves = Moves(layer)
    patches.replace(SQSResponse, "start_message_move_task", move_is_started(moves))
    patches.replace(SQSResponse, "list_message_move_tasks", moves_are_listed(moves))
    patches.replace(SQSResponse, "cancel_message_move_task", move_is_cancelled(moves))
    patches.wrap(SQSBackend, "get_queue", lambda f: moves_catch_up(moves, f))


def move_is_started(moves: Moves) -> Handler:
    """Rule 16: only from the dead-letter queue of a queue, 1 to 500 a second, one at a time.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    """

    def start_message_move_task(self: Moto) -> Moto:
        source, destination = self._get_param("SourceArn"), self._get_param("DestinationArn")
        per_second = self._get_param("MaxNumberOfMessagesPerSecond")
        _check_queue("SourceArn", source)
        if destination is not None:
            _check_queue("DestinationArn", destination)
        if not _is_dead_letter_queue(source):
            raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
        if per_second is not None and not 1 <= per_second <= MOST_PER_SECOND:
            raise InvalidParameterValue(
                f"Value {per_second} for parameter MaxNumberOfMessagesPerSecond is invalid."
                f" Reason: Must be between 1 and {MOST_PER_SECOND}, if provided."
            )
        return ActionResult({"TaskHandle": moves.start(source, destination, per_second).handle})

    return start_message_move_task


def moves_are_listed(moves: Moves) -> Handler:
    """Rule 16: the latest tasks of a source, one unless more are asked for, ten at most."""

    def list_message_move_tasks(self: Moto) -> Moto:
        source, count = self._get_param("SourceArn"), self._get_param("MaxResults", 1)
        _check_queue("SourceArn", source)
        if not 1 <= count <= _MOST_LISTED:
            raise InvalidParameterValue(
                f"Value {count} for parameter MaxResults is invalid. Reason: Must be between 1 and"
                f" {_MOST_LISTED}, if provided."
            )
        return ActionResult({"Results": [task.entry() for task in moves.of(source)[:count]]})

    return list_message_move_tasks


def move_is_cancelled(moves: Moves) -> Handler:
    """Rule 16: only a running task can be cancelled; what was moved stays where it is."""

    def cancel_message_move_task(self: Moto) -> Moto:
        task = moves.cancel(self._get_param("TaskHandle"))
        return ActionResult({"ApproximateNumberOfMessagesMoved": task.moved})

    return cancel_message_move_task


def moves_catch_up(moves: Moves, get: Handler) -> Handler:
    """Whoever asks for a queue sees it as it is by now: a clock set forward needs no waiting."""

    def got(self: Moto, queue_name: str) -> Moto:
        moves.catch_up()
        return get(self, queue_name)

    return got


def _as_new(message: Moto) -> Moto:
    """Rule 16: a moved message is a new one: new id, sent now, never received.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    new = Message(str(uuid.uuid4()), message.body, message.system_attributes)
    new.message_attributes = message.message_attributes
    new.mark_sent()
    return new


def _check_queue(parameter: str, arn: str) -> None:
    if _queue(arn) is None:
        raise _not_found(
            f"The resource that you specified for the {parameter} parameter doesn't exist."
        )


def _is_dead_letter_queue(arn: str) -> bool:
    _, _, _, region, account, _ = arn.split(":")
    queues = sqs_backends[account][region].queues.values()
    targets = [each.dead_letter_queue for each in queues if each.dead_letter_queue is not None]
    return any(target.queue_arn == arn for target in targets)


def _queue(arn: str) -> Moto:
    """Find a queue, or None."""
    _, _, _, region, account, name = arn.split(":")
    return sqs_backends[account][region].queues.get(name)


def _not_found(message: str) -> SQSException:
    return SQSException("ResourceNotFoundException", message)
