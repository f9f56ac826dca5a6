"""The S3 port as the event loop uses it; deletes of sources travel together."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from worker.core.port import (
    DeleteObject,
    DeleteObjects,
    Fault,
    FaultKind,
    Replies,
    Reply,
    Request,
)
from worker.loop.batch import Batch
from worker.loop.workload import Workload

log = structlog.get_logger()

DELETES_MOST = 100
"""DeleteObjects takes 1,000; a hundred makes the calls as rare as need be, and answers sooner."""


class S3(Protocol):
    """Whoever carries requests out. It never raises for what S3 said: that is a reply."""

    async def perform(self, request: Request, /) -> Reply:
        """Carry one request out."""


class S3Calls:
    """Asks S3 on behalf of the moves of one event loop."""

    def __init__(self, s3: S3, workload: Workload) -> None:
        self._s3 = s3
        self._deletes: Batch[DeleteObject, Reply] = Batch(self._delete, DELETES_MOST, workload)

    async def ask(self, request: Request) -> Reply:
        """Carry one request out. Raises nothing: an executor's own fault is a reply, too."""
        try:
            if isinstance(request, DeleteObject) and fits_a_batch(request.location.key):
                return await self._deletes.add(request)
            return await self._s3.perform(request)
        except Exception as error:
            # As a fault it counts for the breaker: if it hits every object, none is used up.
            log.exception("s3-call-failed", operation=type(request).__name__)
            name = type(error).__name__
            return Fault(FaultKind.UNAVAILABLE, type(request).__name__, name, str(error))

    async def _delete(self, deletes: Sequence[DeleteObject]) -> Sequence[Reply]:
        """Delete several: together by bucket; a key with a second ETag goes alone with that."""
        once = {delete.location: delete for delete in deletes}
        groups: dict[object, list[DeleteObject]] = {}
        for delete in dict.fromkeys(deletes):
            is_first = delete == once[delete.location]
            groups.setdefault(delete.location.bucket if is_first else delete, []).append(delete)
        answers = await asyncio.gather(*map(self._delete_together, groups.values()))
        replies = {delete: reply for answer in answers for delete, reply in answer.items()}
        return [replies[delete] for delete in deletes]

    async def _delete_together(self, deletes: Sequence[DeleteObject]) -> dict[DeleteObject, Reply]:
        if len(deletes) == 1:
            return {deletes[0]: await self._s3.perform(deletes[0])}
        answer = await self._s3.perform(DeleteObjects(tuple(deletes)))
        if isinstance(answer, Fault) and answer.kind is FaultKind.REFUSED:
            # One entry may have spoilt the whole: let each find out for itself.
            alone = await asyncio.gather(*map(self._s3.perform, deletes))
            return dict(zip(deletes, alone, strict=True))
        replies = answer.replies if isinstance(answer, Replies) else (answer,) * len(deletes)
        return dict(zip(deletes, replies, strict=True))


def fits_a_batch(key: str) -> bool:
    """Tell whether DeleteObjects' XML can carry a key: one odd key would spoil them all (23a)."""
    return key.isprintable() and key == key.strip()
