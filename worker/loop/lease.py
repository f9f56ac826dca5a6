"""Keeps every received message invisible from its receipt until its verdict is carried out.

One lease a message, renewed on its own times. Work that outlives its lease is harmless (the move's
conditions see to that), but it is done twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from worker.loop.queue_port import OWN_FAULTS

log = structlog.get_logger()

LONGEST_LEASE_SECONDS = 12 * 3600.0 - 30.0
"""SQS ends a message's invisibility 12 h after its receipt, whatever is extended (rule 20), and
refuses to extend beyond: the last renewal and its retries must arrive while its sum still fits."""

SHORT_TIMEOUT_SECONDS = 10
"""Below this, half the timeout leaves a slow call too little time: renew after a third."""

RETRIES = 8
"""So many renewals that fail for the network's sake fit in before a lease runs out."""

BATCH_MOST = 10
"""SQS's limit on a ChangeMessageVisibilityBatch."""


@dataclass(slots=True, eq=False)
class Lease:
    """One message's claim; times in seconds of a monotonic clock."""

    receipt: str
    received_at: float
    timeout: int
    due: float = field(init=False)
    lost: bool = False
    renewing: bool = False

    def __post_init__(self) -> None:
        self.due = self.received_at + renewal_seconds(self.timeout)

    def renew_receipt(self, receipt: str, received_at: float, timeout: int) -> None:
        """Take over a later delivery of the same message: its receipt is the one that counts."""
        self.receipt, self.received_at, self.timeout = receipt, received_at, timeout
        self.lost = False
        self.due = received_at + renewal_seconds(timeout)

    def extension(self, now: float) -> int:
        """Return for how many seconds more SQS will hold the message; 0 or less: it will not."""
        return int(min(self.timeout, self.received_at + LONGEST_LEASE_SECONDS - now))


def renewal_seconds(timeout: int) -> float:
    """Return after how long a lease of `timeout` seconds is renewed: well before its end."""
    return timeout / (3 if timeout < SHORT_TIMEOUT_SECONDS else 2)


Renew = Callable[[Sequence[tuple[str, int]]], Awaitable[Sequence[str | None]]]
"""Takes (receipt, seconds) pairs; returns, for each, None or SQS's code for its refusal."""


class Leases:
    """Renews the leases that it was given until they end."""

    def __init__(self, renew: Renew, clock: Callable[[], float]) -> None:
        self._renew = renew
        self._clock = clock
        self._leases: set[Lease] = set()
        self._renewals: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._renewed = asyncio.Event()
        self.lost_count = 0

    def begin(self, lease: Lease) -> Lease:
        """Keep this lease alive from now on."""
        self._leases.add(lease)
        self._changed.set()
        return lease

    async def end(self, lease: Lease) -> None:
        """Let a lease go; a renewal under way comes home first, or it could undo a verdict."""
        self._leases.discard(lease)
        while lease.renewing:
            self._renewed.clear()
            await self._renewed.wait()

    async def run(self) -> None:
        """Renew what is due, for ever; cancel it when the last lease has ended."""
        try:
            while True:
                self._changed.clear()
                now = self._clock()
                due = [lease for lease in self._idle() if lease.due <= now]
                held = [lease for lease in due if self._extends(lease, now)]
                for first in range(0, len(held), BATCH_MOST):
                    self._start(held[first : first + BATCH_MOST])
                await self._until_next()
        finally:
            for renewal in self._renewals:
                renewal.cancel()

    def _idle(self) -> list[Lease]:
        return [lease for lease in self._leases if not lease.renewing]

    async def _until_next(self) -> None:
        due = min((lease.due for lease in self._idle()), default=None)
        with suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                await self._changed.wait()

    def _start(self, batch: list[Lease]) -> None:
        """Renew a batch beside the others: a call that hangs must not let their leases run out."""
        for lease in batch:
            lease.renewing = True
        renewal = asyncio.create_task(self._renew_batch(batch))
        self._renewals.add(renewal)
        renewal.add_done_callback(lambda done: self._finish(done, batch))

    def _finish(self, renewal: asyncio.Task[None], batch: list[Lease]) -> None:
        self._renewals.discard(renewal)
        for lease in batch:
            lease.renewing = False
        self._renewed.set()
        self._changed.set()

    async def _renew_batch(self, batch: list[Lease]) -> None:
        now = self._clock()
        asked = [(lease.receipt, lease.extension(now)) for lease in batch]
        try:
            answers = await self._renew(asked)
            for lease, (receipt, _), refusal in zip(batch, asked, answers, strict=True):
                if lease.receipt == receipt:  # else the answer is about an older delivery
                    self._note(lease, refusal, now)
        except Exception as error:  # noqa: BLE001 - whatever it was, the leases must go on
            log.warning("lease-renewal-failed", leases=len(batch), error=str(error))
            for lease in batch:
                lease.due = self._clock() + renewal_seconds(lease.timeout) / RETRIES

    def _extends(self, lease: Lease, now: float) -> bool:
        if lease.extension(now) > 0:
            return True
        self._lose(lease, "held for 12 hours, SQS's limit")
        return False

    def _note(self, lease: Lease, refusal: str | None, now: float) -> None:
        if refusal is None:
            lease.due = now + renewal_seconds(lease.timeout)
        elif refusal in OWN_FAULTS:
            lease.due = self._clock() + renewal_seconds(lease.timeout) / RETRIES
        else:
            self._lose(lease, refusal)

    def _lose(self, lease: Lease, why: str) -> None:
        lease.lost = True
        self._leases.discard(lease)
        self.lost_count += 1
        log.warning("lease-lost", why=why, receipt=lease.receipt[:20])
