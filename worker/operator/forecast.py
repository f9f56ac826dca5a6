"""What a move would do now: the real move, told what S3 would say. Pure, and it only looks.

`forecast` drives `worker.core.move.move` and passes on nothing but HeadObject; every other request
is answered from what is there, by S3's rules for conditions. So it decides as the move decides.
"""

from dataclasses import dataclass

from worker.core.move import MoveRules, Outcome, move
from worker.core.plan import Move
from worker.core.port import (
    Aborted,
    AbortMultipartUpload,
    CompleteMultipartUpload,
    Copied,
    CopyObject,
    CreateMultipartUpload,
    Deleted,
    DeleteObject,
    DeleteObjects,
    Fault,
    FaultKind,
    GetObjectTagging,
    HeadObject,
    Location,
    NotFound,
    ObjectInfo,
    Part,
    PreconditionFailed,
    Replies,
    Reply,
    Request,
    Steps,
    Tags,
    UploadCreated,
    UploadPartCopy,
)

ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes that must be restored before they can be copied ("Restoring an archived object").

GLACIER_IR is none of them: it is read at once.
"""

FORESEEN = "foreseen"
"""The ETag of a part, and the id of an upload, that there will not be."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the move would come to now.

    `copies`: there would be a copy; else the file is at its destination already, or stays.
    `replaces`: the ETag of the file that the copy would write over.
    `storage_class` of the source, if it was seen.
    """

    outcome: Outcome
    copies: bool = False
    replaces: str | None = None
    storage_class: str | None = None


class _Seen:
    """What the forecast has found out on its way."""

    def __init__(self, source: Location) -> None:
        self.source = source
        self.copies = False
        self.replaces: str | None = None
        self.storage_class: str | None = None

    @property
    def archived(self) -> Fault | None:
        """What S3 would say to a copy of this source, if it is in an archive."""
        if self.storage_class not in ARCHIVES:
            return None
        message = f"{self.source} is in {self.storage_class}; restore it first"
        return Fault(FaultKind.ARCHIVED, "CopyObject", "InvalidObjectState", message)


def forecast(task: Move, rules: MoveRules) -> Steps[Forecast]:
    """Say what `move(task, rules)` would come to; yields only HeadObject requests.

    An archived source counts as not restored, and a copy in parts that an earlier run has left is
    known by its checksum alone: looking tells no more.
    """
    seen = _Seen(task.source)
    steps = move(task, rules)
    try:
        request = next(steps)
        while True:
            request = steps.send((yield from _answer(request, seen)))
    except StopIteration as end:
        outcome: Outcome = end.value
        return Forecast(outcome, seen.copies, seen.replaces, seen.storage_class)


def _answer(request: Request, seen: _Seen) -> Steps[Reply]:
    match request:
        case HeadObject(location):
            return (yield from _look(location, seen))
        case CopyObject():
            return (yield from _copy(request, seen))
        case UploadPartCopy(number=number):
            # A move in parts has looked at its source, and at its ETag, before.
            return seen.archived or Part(number, FORESEEN)
        case CompleteMultipartUpload(destination, _, parts, destination_etag):
            return (yield from _write(destination, destination_etag, parts[0].etag, seen))
        case (
            DeleteObject() | DeleteObjects()
        ):  # a move deletes one; batches are made below the port
            return Deleted()
        case GetObjectTagging():
            return Tags(())
        case CreateMultipartUpload():
            return UploadCreated(FORESEEN)
        case AbortMultipartUpload():
            return Aborted()
        case together:
            replies = []
            for each in together.requests:
                reply = yield from _answer(each, seen)
                replies.append(reply)
            return Replies(tuple(replies))


def _look(location: Location, seen: _Seen) -> Steps[Reply]:
    there = yield HeadObject(location)
    if isinstance(there, ObjectInfo) and location == seen.source:
        seen.storage_class = there.storage_class
    return there


def _copy(request: CopyObject, seen: _Seen) -> Steps[Reply]:
    there = yield from _look(request.source, seen)
    if not isinstance(there, ObjectInfo):
        return there
    if there.etag != request.source_etag:
        return PreconditionFailed()
    return seen.archived or (
        yield from _write(request.destination, request.destination_etag, there.etag, seen)
    )


def _write(destination: Location, wanted: str | None, etag: str, seen: _Seen) -> Steps[Reply]:
    there = yield HeadObject(destination)
    if isinstance(there, ObjectInfo) and there.etag != wanted:
        return PreconditionFailed()
    if isinstance(there, NotFound) and wanted is not None:
        return there
    if not isinstance(there, ObjectInfo | NotFound):
        return there
    seen.copies, seen.replaces = True, wanted
    return Copied(etag)
