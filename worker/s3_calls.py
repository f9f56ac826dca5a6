"""The S3 port as the event loop uses it; deletes of sources travel together."""

import asyncio
from collections.abc import Sequence

from worker.batch import Batch
from worker.port import DeleteObject, DeleteObjects, Replies, Reply, Request, S3Port
from worker.workload import Workload

DELETES_MOST = 100
"""DeleteObjects takes 1,000; a hundred makes the calls as rare as need be, and answers sooner."""


class S3Calls:
    """Asks S3 on behalf of the moves of one event loop."""

    def __init__(self, s3: S3Port, workload: Workload) -> None:
        self._s3 = s3
        self._deletes: Batch[DeleteObject, Reply] = Batch(self._delete, DELETES_MOST, workload)

    async def ask(self, request: Request) -> Reply:
        """Carry one request out."""
        if isinstance(request, DeleteObject) and fits_a_batch(request.location.key):
            return await self._deletes.add(request)
        return await asyncio.wrap_future(self._s3.submit(request))

    async def _delete(self, deletes: Sequence[DeleteObject]) -> Sequence[Reply]:
        """Delete several; a key that stands twice (with two ETags) goes alone the second time."""
        once = {delete.location: delete for delete in deletes}
        together = asyncio.create_task(self._delete_together(tuple(once.values())))
        alone = {
            delete: await asyncio.wrap_future(self._s3.submit(delete))
            for delete in deletes
            if delete is not once[delete.location]
        }
        replies = await together
        return [alone.get(delete) or replies[delete] for delete in deletes]

    async def _delete_together(
        self, deletes: tuple[DeleteObject, ...]
    ) -> dict[DeleteObject, Reply]:
        if len(deletes) == 1:
            return {deletes[0]: await asyncio.wrap_future(self._s3.submit(deletes[0]))}
        answer = await asyncio.wrap_future(self._s3.submit(DeleteObjects(deletes)))
        replies = answer.replies if isinstance(answer, Replies) else (answer,) * len(deletes)
        return dict(zip(deletes, replies, strict=True))


def fits_a_batch(key: str) -> bool:
    """Tell whether DeleteObjects' XML can carry a key: one odd key would spoil them all (23a)."""
    return key.isprintable() and key == key.strip()
