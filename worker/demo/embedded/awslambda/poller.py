"""Runs functions: for whoever invokes them, and for the queues that are mapped to them."""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.sqs.models import sqs_backends

from worker.demo.embedded.awslambda import mappings
from worker.demo.embedded.awslambda.environments import Environments, Reply
from worker.demo.embedded.awslambda.functions import is_active
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

LANES: Final = 2
"""Batches of one mapping at the same time: the least MaximumConcurrency, and enough to see races.
On AWS five pollers begin, and more join."""
_LOOK_SECONDS: Final = 0.05
_MOST_A_RECEIVE: Final = 10
_POLLING: Final = {"Enabled", "Updating"}

log = logging.getLogger(__name__)
Handler = Callable[..., Moto]


@contextmanager
def running(layer: "Layer", variables: Mapping[str, str]) -> Iterator[None]:
    """Run functions for as long as the block lasts; `variables` lead them to this AWS."""
    environments = Environments(variables)
    layer.patches.wrap(
        LambdaFunction, "_invoke_lambda", lambda _: invocations_run(layer, environments)
    )
    manager = Manager(layer, environments)
    manager.thread.start()
    try:
        yield
    finally:
        layer.closing.set()
        environments.close()
        manager.join()
        environments.remove()


def invocations_run(layer: "Layer", environments: Environments) -> Handler:
    """Run the function's own code for Invoke, and for S3 and SNS; moto would need docker."""

    def _invoke_lambda(self: Moto, event: Moto = None) -> tuple[str, bool, str]:
        reply = run(layer, environments, self, event)
        return json.dumps(reply.payload), reply.failed, reply.output

    return _invoke_lambda


def run(layer: "Layer", environments: Environments, function: Moto, event: Moto) -> Reply:
    """Invoke a function; what it prints goes to its log group, as on AWS."""
    reply = environments.invoke(function, event)
    if not layer.closing.is_set():
        function.logs_backend.ensure_log_group(function.logs_group_name)
        function.save_logs(reply.output or "(no output)")
    return reply


class Manager:
    """Gives each mapping its lanes, for as long as the mapping is there."""

    def __init__(self, layer: "Layer", environments: Environments) -> None:
        self._layer, self._environments = layer, environments
        self._lanes: dict[tuple[str, int], threading.Thread] = {}
        self.thread = threading.Thread(target=self._manage, daemon=True)

    def join(self) -> None:
        """Wait until nothing runs any more."""
        self.thread.join()
        for each in self._lanes.values():
            each.join()

    def _manage(self) -> None:
        while not self._layer.closing.wait(_LOOK_SECONDS):
            for backend, mapping in _mappings():
                for number in range(LANES):
                    lane = self._lanes.get((mapping.uuid, number))
                    if lane is None or not lane.is_alive():
                        self._begin(backend, mapping, number)

    def _begin(self, backend: Moto, mapping: Moto, number: int) -> None:
        lane = Lane(self._layer, self._environments, backend, mapping)
        thread = threading.Thread(target=lane.poll, daemon=True)
        self._lanes[mapping.uuid, number] = thread
        thread.start()


class Lane:
    """Takes one batch of a mapping's queue after another to its function.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """

    def __init__(
        self, layer: "Layer", environments: Environments, backend: Moto, mapping: Moto
    ) -> None:
        self._layer, self._environments = layer, environments
        self._backend, self._mapping = backend, mapping

    def poll(self) -> None:
        """Go on until the mapping is deleted or the server stops."""
        while mappings.state(self._layer, self._mapping):
            function = self._function()
            queue = _queue(self._mapping.event_source_arn)
            ready = function is not None and queue is not None and self._may_receive()
            batch = self._gather(queue) if ready else []
            if batch:
                self._process(function, queue, batch)
            elif self._layer.closing.wait(_LOOK_SECONDS):
                return

    def _may_receive(self) -> bool:
        return (
            mappings.state(self._layer, self._mapping) in _POLLING
            and not self._layer.closing.is_set()
        )

    def _function(self) -> Moto:
        found = self._backend.get_function_by_arn(self._mapping.function_arn)
        return found if found is not None and is_active(self._layer, found) else None

    def _gather(self, queue: Moto) -> list[Moto]:
        """Receive until the batch is full or its window is over; leased one by one."""
        batch: list[Moto] = []
        until = 0.0
        while self._may_receive() and len(batch) < self._mapping.batch_size:
            left = self._mapping.batch_size - len(batch)
            batch += sqs_backends[queue.account_id][queue.region].receive_message(
                queue.name, min(left, _MOST_A_RECEIVE), 0, queue.visibility_timeout, ["All"]
            )
            if batch and not until:
                until = self._layer.clock() + (self._mapping.max_batch_window or 0)
            if not batch or self._layer.clock() >= until:
                break
            self._layer.closing.wait(_LOOK_SECONDS)
        return batch

    def _process(self, function: Moto, queue: Moto, batch: list[Moto]) -> None:
        event = {"Records": [record(message, queue) for message in batch]}
        reply = run(self._layer, self._environments, function, event)
        partial = "ReportBatchItemFailures" in (self._mapping.function_response_types or [])
        failed = failures(reply, partial=partial)
        if failed is None or not failed <= {message.id for message in batch}:
            log.info("batch of %d comes back: %s", len(batch), reply.payload)
            return
        for message in batch:
            if message.id not in failed:
                queue.delete_message(message.receipt_handle)


def record(message: Moto, queue: Moto) -> dict[str, Moto]:
    """Build one record of the event that a queue's batch is."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }


def failures(reply: Reply, *, partial: bool) -> set[str] | None:
    """Read which messages failed; None is the whole batch: an error, or an answer AWS rejects.

    An answer without `batchItemFailures`, or with none in it, is success of all.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if reply.failed:
        return None
    if not partial or reply.payload is None:
        return set()
    try:
        found = reply.payload.get("batchItemFailures") or []
        return {_identifier(each) for each in found}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _identifier(failure: Mapping[str, str]) -> str:
    if not failure["itemIdentifier"]:
        raise ValueError(failure)
    return failure["itemIdentifier"]


def _mappings() -> list[tuple[Moto, Moto]]:
    backends: list[LambdaBackend] = [
        backend for account in lambda_backends.values() for backend in account.values()
    ]
    return [
        (backend, mapping)
        for backend in backends
        for mapping in list(backend._event_source_mappings.values())  # noqa: SLF001 # moto's only place
    ]


def _queue(arn: str) -> Moto:
    """Find a queue, or None."""
    _, _, _, region, account, name = arn.split(":")
    return sqs_backends[account][region].queues.get(name)
