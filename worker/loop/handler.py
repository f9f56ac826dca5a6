"""One delivered message: driven through the pipeline, audited, its verdict carried out."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from worker.core.move import Result
from worker.core.pipeline import Audit, Envelope, Handled, Rules, handle
from worker.core.port import FaultKind, Reply, Request
from worker.core.verdict import Ack, Retry, Verdict, invisible_seconds
from worker.loop.lease import Lease, Leases
from worker.loop.metrics import Metrics
from worker.loop.outage import Outage
from worker.loop.queue_port import QueueUnavailableError, Received
from worker.loop.s3_calls import S3Calls
from worker.loop.settle import Settle

log = structlog.get_logger()

EVERYBODYS_FAULTS = frozenset(set(FaultKind) - {FaultKind.REFUSED, FaultKind.ARCHIVED})
"""Faults that may hit every object; the others are about one object."""

ANSWERS = frozenset(
    {Result.MOVED, Result.ALREADY_MOVED, Result.SUPERSEDED, Result.MISSING, Result.CONFLICT}
)
"""Outcomes that show S3 at work: not everything fails."""

BODY_SHOWN_CHARS = 2_000
"""Of a message that is dropped on the operator's wish, so that the log still holds it."""


@dataclass(slots=True, eq=False)
class Delivery:
    """A message in hand. A redelivery brings its lease a newer receipt.

    `settling`: its verdict is being carried out, so what SQS delivers from now on is to be handled
    anew.
    """

    message: Received
    lease: Lease
    settling: bool = False


@dataclass(slots=True, eq=False)
class Handler:
    """Handles deliveries; `clock` in seconds, `jitter` returns [0, 1). `rules` may be replaced.

    `outage` is about S3, `queue_outage` about settling messages.
    """

    rules: Rules
    calls: S3Calls
    settle: Settle
    leases: Leases
    outage: Outage
    queue_outage: Outage
    metrics: Metrics
    clock: Callable[[], float]
    jitter: Callable[[], float]
    has_dlq: bool
    last_progress: float = field(default=0.0)

    async def handle(self, delivery: Delivery) -> None:
        """Bring a message to its verdict. In any case it is settled, or comes back."""
        try:
            handled = await self._process(delivery)
            self._write_audits(delivery, handled)
            await self._conclude(delivery, handled.verdict)
        except QueueUnavailableError as error:
            # The lease runs out, the message comes back, and the move is found done.
            self.metrics.count("settle-failed")
            log.warning("settle-failed", message=delivery.message.message_id, error=str(error))
        except Exception:
            self.metrics.count("unexpected")
            log.exception("unexpected", message=delivery.message.message_id)
        finally:
            delivery.settling = True  # what SQS delivers from now on finds nobody at work here
            self.last_progress = self.clock()
            await self.leases.end(delivery.lease)

    async def _process(self, delivery: Delivery) -> Handled:
        """Drive the message; while everything fails, hold it and let it serve as a probe."""
        while True:
            handled = await self._drive(delivery)
            if any(audit.outcome.result in ANSWERS for audit in handled.audits):
                self.outage.succeeded()
                return handled
            faults = [fault for fault in handled.faults if fault.kind in EVERYBODYS_FAULTS]
            if not faults:
                return handled
            self.outage.failed(str(faults[0]))
            if not self.outage.is_open or self.outage.ending:
                return handled
            if not await self.outage.turn():
                return handled

    async def _drive(self, delivery: Delivery) -> Handled:
        message = delivery.message
        envelope = Envelope(message.body, message.receive_count)
        steps = handle(envelope, self.rules, self.clock, self.jitter())
        try:
            request = next(steps)
            while True:
                request = steps.send(await self._ask(request))
        except StopIteration as end:
            handled: Handled = end.value
            return handled

    async def _ask(self, request: Request) -> Reply:
        reply = await self.calls.ask(request)
        self.last_progress = self.clock()
        return reply

    async def _conclude(self, delivery: Delivery, verdict: Verdict) -> None:
        """Carry the verdict out; while SQS refuses them all, hold the message and try again.

        Let go, it would come back, be found done, be refused again, and end in the DLQ.
        """
        delivery.settling = True
        self.metrics.count(f"verdict-{type(verdict).__name__.lower()}")
        self.metrics.took(self.clock() - delivery.lease.received_at)
        while True:
            await self.leases.end(delivery.lease)
            try:
                await self._carry_out(delivery, verdict)
            except QueueUnavailableError as error:
                self.queue_outage.failed(str(error))
                if not self.queue_outage.is_open:
                    raise
                self.leases.begin(delivery.lease)
                if not await self.queue_outage.turn():
                    raise
            else:
                self.queue_outage.succeeded()
                return

    async def _carry_out(self, delivery: Delivery, verdict: Verdict) -> None:
        count = delivery.message.receive_count
        if isinstance(verdict, Ack):
            await self.settle.acknowledge(delivery.lease.receipt)
            return
        seconds = invisible_seconds(verdict, count, self.jitter(), has_dlq=self.has_dlq)
        if self.outage.ending and isinstance(verdict, Retry):
            seconds = 0  # we leave: somebody else may try at once
        await self.settle.release(delivery.lease.receipt, seconds)
        log.warning(
            "message-comes-back",
            verdict=type(verdict).__name__.lower(),
            message=delivery.message.message_id,
            attempt=count,
            after_seconds=seconds,
            why=verdict.why,
        )

    def _write_audits(self, delivery: Delivery, handled: Handled) -> None:
        for audit in handled.audits:
            self.metrics.count(_counter(audit))
            log.info("object", **audit_fields(audit), attempt=delivery.message.receive_count)
            if audit.outcome.result is Result.MALFORMED and isinstance(handled.verdict, Ack):
                body = delivery.message.body[:BODY_SHOWN_CHARS]
                log.warning("message-dropped", why=audit.outcome.detail, body=body)


def _counter(audit: Audit) -> str:
    result = audit.outcome.result.value
    return f"{result}-{audit.outcome.detail}" if result == "skipped" else result


def audit_fields(audit: Audit) -> dict[str, object]:
    """Return an audit as the fields of its log line; what is unknown is left away."""
    outcome = audit.outcome
    fields = {
        "outcome": outcome.result.value,
        "source": audit.source and str(audit.source),
        "destination": outcome.destination and str(outcome.destination),
        "etag": audit.etag,
        "bytes": audit.size,
        "version_id": audit.version_id,
        "detail": outcome.detail or None,
        "seconds": round(audit.seconds, 4),
    }
    return {name: value for name, value in fields.items() if value is not None}
