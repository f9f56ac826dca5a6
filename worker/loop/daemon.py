"""The daemon: receives, moves and acknowledges until it is told to stop, then drains.

Shutdown order: stop receiving, let the open poll come home and release what it brought, finish the
work while its leases stay alive, acknowledge, close.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from worker.core.port import Fault, FaultKind, Replies, Reply
from worker.errors import ExitCode
from worker.host.stop import Stop, StopReason, StopRequest
from worker.loop.handler import Delivery, Handler
from worker.loop.lease import Lease, Leases
from worker.loop.metrics import Metrics
from worker.loop.outage import Outage
from worker.loop.pace import Pace
from worker.loop.queue_port import Queue, Received
from worker.loop.receiver import Receiver
from worker.loop.s3_calls import S3, S3Calls
from worker.loop.settle import BATCH_MOST, Settle
from worker.loop.workload import Workload
from worker.settings import Settings

log = structlog.get_logger()

STALLED_POLL_SECONDS = 120.0
"""An open poll older than this is a hung one: two tries of 30 s have long been over."""

STALLED_WORK_SECONDS = 900.0
"""A message in hand, and no reply from S3 for so long: even a 5 GiB copy is done sooner."""

GIVE_UP_SECONDS = 2.0
"""For releasing what is unfinished when the drain's time is over; what SQS misses comes back."""


class Daemon:
    """One worker process. `clock` in monotonic seconds, `jitter` returns [0, 1)."""

    def __init__(
        self,
        settings: Settings,
        queue: Queue,
        s3: S3,
        stop: StopRequest,
        *,
        has_dlq: bool,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self.settings, self.stop, self.clock = settings, stop, clock
        self.metrics = Metrics()
        self.outage, self.queue_outage = Outage(clock, jitter), Outage(clock, jitter)
        self.pace = Pace.full(settings.concurrency)
        self.workload = Workload(lambda: self.pace.limit(clock()))
        visibility = settings.visibility_timeout
        settle = Settle(queue, self.workload, visibility)
        self.settle, self.leases = settle, Leases(settle.change_visibility, clock)
        self.handler = self._handler(s3, jitter, has_dlq=has_dlq)
        self.receiver = Receiver(
            queue=queue,
            start=self._start,
            workload=self.workload,
            outages=(self.outage, self.queue_outage),
            clock=clock,
            jitter=jitter,
            wait_seconds=settings.wait_time_seconds,
            visibility=visibility,
        )
        self._in_hand: dict[str, Delivery] = {}
        self._tasks: dict[Delivery, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def _handler(self, s3: S3, jitter: Callable[[], float], *, has_dlq: bool) -> Handler:
        return Handler(
            rules=self.settings.rules,
            calls=S3Calls(s3, self.workload),
            settle=self.settle,
            leases=self.leases,
            outage=self.outage,
            queue_outage=self.queue_outage,
            metrics=self.metrics,
            clock=self.clock,
            jitter=jitter,
            has_dlq=has_dlq,
        )

    async def run(self) -> ExitCode:
        """Work until the stop request; returns how the drain ended, raises AccessLostError."""
        self._loop = asyncio.get_running_loop()
        leasing = asyncio.create_task(self.leases.run(), name="leases")
        receiving = asyncio.create_task(self.receiver.run(), name="receiver")
        stopping = asyncio.create_task(self.stop.wait(), name="stop")
        running: set[asyncio.Task[Any]] = {receiving, leasing, stopping}
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done():
                self.stop.request(
                    StopReason.ACCESS_LOST, within_seconds=self.settings.drain_seconds
                )
            drained = await self._until_aborted(self._drain(receiving, await stopping))
            for task in (receiving, leasing):
                if task.done() and not task.cancelled():
                    task.result()  # raises what ended it
            return drained
        finally:
            for task in running:
                task.cancel()

    def note_reply(self, reply: Reply) -> None:
        """Slow down when S3 asks to; called from any thread, with the reply to every try."""
        replies = reply.replies if isinstance(reply, Replies) else (reply,)
        throttled = any(
            isinstance(each, Fault) and each.kind is FaultKind.THROTTLED for each in replies
        )
        if throttled and self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._throttled)

    def reload(self, settings: Settings) -> None:
        """Take over what may change while running: rules, times; not what connections rest on."""
        self.settings = settings
        self.handler.rules = settings.rules
        self.receiver.wait_seconds = settings.wait_time_seconds
        self.receiver.visibility = settings.visibility_timeout

    def is_stalled(self) -> str | None:
        """Say what has not moved for too long; None while all goes on."""
        now = self.clock()
        since = self.receiver.polling_since
        if since is not None and now - since > STALLED_POLL_SECONDS:
            return "the poll"
        held = self.outage.held + self.queue_outage.held >= self.workload.active
        if self._in_hand and not held and now - self._last_work() > STALLED_WORK_SECONDS:
            return "the work"
        return None

    def facts(self) -> dict[str, object]:
        """Return what is under way, for the summary line and for systemd's status."""
        outages = (self.outage, self.queue_outage)
        return {
            "in_hand": len(self._in_hand),
            "moving": self.workload.active,
            "limit": self.pace.limit(self.clock()),
            "polls": self.receiver.polls,
            "leases_lost": self.leases.lost_count,
            "outage": next((each.cause for each in outages if each.is_open), None),
        }

    def _last_work(self) -> float:
        newest = max(delivery.lease.received_at for delivery in self._in_hand.values())
        return max(self.handler.last_progress, newest)

    def _throttled(self) -> None:
        self.metrics.count("throttled")
        self.pace = self.pace.throttled(self.clock())

    def _start(self, message: Received, received_at: float, visibility: int) -> None:
        """Begin with a message, or give the one in hand its newer receipt (rule 20)."""
        self.metrics.count("received")
        known = self._in_hand.get(message.message_id)
        if known and not known.settling:
            self.metrics.count("redelivered-in-hand")
            known.lease.renew_receipt(message.receipt, received_at, visibility)
            self.leases.begin(known.lease)
            return
        lease = Lease(message.receipt, received_at, visibility)
        delivery = Delivery(message, self.leases.begin(lease))
        self.workload.enter()
        self._in_hand[message.message_id] = delivery
        task = asyncio.create_task(self.handler.handle(delivery))
        self._tasks[delivery] = task
        task.add_done_callback(lambda _: self._finish(delivery))

    def _finish(self, delivery: Delivery) -> None:
        del self._tasks[delivery]
        self.workload.leave()
        if self._in_hand.get(delivery.message.message_id) is delivery:
            del self._in_hand[delivery.message.message_id]

    async def _until_aborted(self, drain: Coroutine[Any, Any, ExitCode]) -> ExitCode:
        """Drain, but end at once when asked a second time."""
        draining = asyncio.create_task(drain)
        aborted = asyncio.create_task(self.stop.wait_aborted())
        await asyncio.wait({draining, aborted}, return_when=asyncio.FIRST_COMPLETED)
        aborted.cancel()
        if draining.done():
            return draining.result()
        draining.cancel()
        return ExitCode.DRAIN_CUT_SHORT

    async def _drain(self, receiving: asyncio.Task[None], stop: Stop) -> ExitCode:
        seconds = round(self.stop.seconds_left(), 1)
        log.info("draining", reason=stop.reason, in_hand=len(self._in_hand), seconds=seconds)
        receiving.cancel()
        self.receiver.stop_helping()
        self.outage.end()
        self.queue_outage.end()
        late = asyncio.create_task(self._release_late())
        work = asyncio.gather(late, *self._tasks.values(), return_exceptions=True)
        deadline = asyncio.create_task(self.stop.wait_deadline())
        both: set[asyncio.Future[Any]] = {work, deadline}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        deadline.cancel()
        in_time = work.done()  # giving up ends it, too
        unfinished = [] if in_time else await self._give_up()
        log.info("drained", unfinished=unfinished, **self.facts())
        return ExitCode.DONE if in_time else ExitCode.DRAIN_CUT_SHORT

    async def _release_late(self) -> None:
        """Hand back what the last poll brought: it was not started."""
        late = await self.receiver.close()
        if late:
            self.metrics.count("released-unstarted", len(late))
            await self.settle.change_visibility([(message.receipt, 0) for message in late])

    async def _give_up(self) -> list[str]:
        """Release what could not be finished in time; the move's conditions make that harmless.

        Returns the messages' ids. SQS gets a moment for it and no more: the time is over.
        """
        given_up = list(self._tasks)
        for task in self._tasks.values():
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_SECONDS):
                # A renewal under way must not undo its release.
                await asyncio.gather(*(self.leases.end(each.lease) for each in given_up))
                changes = [(each.lease.receipt, 0) for each in given_up]
                batches = [
                    changes[first : first + BATCH_MOST]
                    for first in range(0, len(changes), BATCH_MOST)
                ]
                releases = map(self.settle.change_visibility, batches)
                await asyncio.gather(*releases, return_exceptions=True)
        return [each.message.message_id for each in given_up]
