"""The Lambda twin: the daemon's own pipeline behind an SQS event source mapping.

Set `worker.lambda_handler.handler` as the function's handler and ReportBatchItemFailures on its
mapping. Messages that are not settled are reported back; SQS shows them again when their visibility
timeout is over, and redrives them to the dead-letter queue in its own time.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from random import SystemRandom
from typing import Any, Protocol

import structlog

from worker import log as logs
from worker.aws.clients import Clients
from worker.aws.s3 import BotoS3
from worker.core.drive import drive
from worker.core.move import Result
from worker.core.pipeline import Envelope, Handled, Rules, handle
from worker.core.port import S3Port
from worker.core.verdict import Ack
from worker.loop.handler import audit_fields
from worker.settings import read_settings

log = structlog.get_logger()

RESERVE_SECONDS = 10.0
"""No record is begun with less time left: a move takes well under a second, a large one more, and a
batch that outlives its function is redelivered whole (rule 48)."""

PARTS_AT_ONCE = 16


class LambdaContext(Protocol):
    """What Lambda tells a function about its own invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still run."""


@dataclass(frozen=True, slots=True)
class Twin:
    """Rules and an S3 port: all that handling takes."""

    rules: Rules
    s3: S3Port

    def respond(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle a batch; returns SQS's partial batch response.

        Raises ValueError for an event that is no SQS batch: then the trigger is set up wrongly.
        """
        left_over: list[str] = []
        moved = 0
        for record in _sqs_records(event):
            if context.get_remaining_time_in_millis() < RESERVE_SECONDS * 1000:
                left_over.append(record["messageId"])
                log.warning("no-time-left", message=record["messageId"])
                continue
            try:
                handled = self._handle(record)
            except Exception:
                # One message's surprise must not bring the whole batch back.
                log.exception("unexpected", message=record["messageId"])
                left_over.append(record["messageId"])
                continue
            moved += sum(audit.outcome.result is Result.MOVED for audit in handled.audits)
            if not isinstance(handled.verdict, Ack):
                left_over.append(record["messageId"])
        log.info("batch", moved=moved, left_over=len(left_over))
        return {"batchItemFailures": [{"itemIdentifier": name} for name in left_over]}

    def _handle(self, record: Mapping[str, Any]) -> Handled:
        attempt = int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))
        envelope = Envelope(record["body"], attempt)
        steps = handle(envelope, self.rules, time.monotonic, SystemRandom().random())
        handled = drive(steps, self.s3)
        for audit in handled.audits:
            log.info("object", **audit_fields(audit), attempt=attempt)
        if not isinstance(handled.verdict, Ack):
            log.warning("message-comes-back", message=record["messageId"], why=handled.verdict.why)
        return handled


def _sqs_records(event: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not all(map(_is_sqs_record, records)):
        raise ValueError(
            "this function takes batches of SQS messages; set the queue as its trigger"
            f" (it was sent {str(event)[:200]})"
        )
    return records


def _is_sqs_record(record: object) -> bool:
    return isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs"


@cache
def _twin() -> Twin:
    """Compose the twin from the environment, once an execution environment."""
    settings = read_settings(os.environ, needs_queue=False)
    logs.configure(settings.log_level, "json", sys.stdout)
    client = Clients(settings.region).s3(PARTS_AT_ONCE)
    return Twin(settings.rules, BotoS3(client, ThreadPoolExecutor(PARTS_AT_ONCE), time.sleep))


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve one invocation ("Using Lambda with Amazon SQS" in the AWS Lambda developer guide)."""
    return _twin().respond(event, context)
