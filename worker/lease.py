"""Keeps every received message invisible from its receipt until its verdict is carried out.

One lease a message, renewed on its own times. Work that outlives its lease is harmless (the move's
conditions see to that), but it is done twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

LONGEST_LEASE_SECONDS = 12 * 3600.0
"""SQS ends a message's invisibility 12 h after its receipt, whatever is extended (rule 20)."""

SHORT_TIMEOUT_SECONDS = 10
"""Below this, half the timeout leaves a slow call too little time: renew after a third."""

RETRY_SECONDS = 1.0
"""After a renewal that failed for the network's sake; there is time for several before expiry."""

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

    def renew_receipt(self, receipt: str, received_at: float) -> None:
        """Take over a later delivery of the same message: its receipt is the one that counts."""
        self.receipt, self.received_at, self.lost = receipt, received_at, False
        self.due = received_at + renewal_seconds(self.timeout)

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
        while True:
            self._changed.clear()
            now = self._clock()
            due = [lease for lease in self._leases if lease.due <= now]
            for first in range(0, len(due), BATCH_MOST):
                await self._renew_batch(due[first : first + BATCH_MOST], now)
            await self._until_next()

    async def _until_next(self) -> None:
        wait = min((lease.due for lease in self._leases), default=None)
        try:
            await asyncio.wait_for(
                self._changed.wait(), None if wait is None else max(0.0, wait - self._clock())
            )
        except TimeoutError:
            return

    async def _renew_batch(self, batch: list[Lease], now: float) -> None:
        held = [lease for lease in batch if lease in self._leases and self._extends(lease, now)]
        if not held:
            return
        for lease in held:
            lease.renewing = True
        try:
            answers = await self._renew([(lease.receipt, lease.extension(now)) for lease in held])
        except Exception as error:  # noqa: BLE001 - whatever it was, the leases must go on
            log.warning("lease-renewal-failed", leases=len(held), error=str(error))
            for lease in held:
                lease.due = now + min(RETRY_SECONDS, renewal_seconds(lease.timeout))
        else:
            for lease, refusal in zip(held, answers, strict=True):
                self._note(lease, refusal, now)
        finally:
            for lease in held:
                lease.renewing = False
            self._renewed.set()

    def _extends(self, lease: Lease, now: float) -> bool:
        if lease.extension(now) > 0:
            return True
        self._lose(lease, "held for 12 hours, SQS's limit")
        return False

    def _note(self, lease: Lease, refusal: str | None, now: float) -> None:
        if refusal is None:
            lease.due = now + renewal_seconds(lease.timeout)
        else:
            self._lose(lease, refusal)

    def _lose(self, lease: Lease, why: str) -> None:
        lease.lost = True
        self._leases.discard(lease)
        self.lost_count += 1
        log.warning("lease-lost", why=why, receipt=lease.receipt[:20])
