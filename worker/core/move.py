"""The guarded move: copy, then delete, with a condition on either end. Sans-I/O.

`move` is a generator that yields S3 requests and is sent replies, so that the daemon, Lambda, the
sweep and the exhaustive test all drive this very code. docs/move-protocol.md tells the protocol and
what it promises; "step n" in the comments is one of its steps.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath

from worker.core.multipart import PART_MIN_BYTES, copy_in_parts
from worker.core.plan import MAX_KEY_BYTES, Move
from worker.core.port import (
    Conflict,
    Copied,
    CopyObject,
    Deleted,
    DeleteObject,
    Fault,
    FaultKind,
    HeadObject,
    Location,
    NotFound,
    ObjectInfo,
    PreconditionFailed,
    Reply,
    Steps,
)

MAX_ROUNDS = 8
"""How often one run looks and copies again while others keep writing; then the message waits."""

SINGLE_COPY_MAX_BYTES = 5 * 1024**3
"""CopyObject's limit ("Copying objects" in the S3 user guide); above it, parts."""


class OnConflict(StrEnum):
    """What to do when the destination already holds another file of that name."""

    REPLACE = "replace"
    KEEP_BOTH = "keep-both"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class MoveRules:
    """How moves are made. Sizes in bytes; either `preserve_…` costs a HeadObject an object."""

    on_conflict: OnConflict = OnConflict.REPLACE
    preserve_storage_class: bool = False
    preserve_encryption: bool = False
    multipart_threshold: int = SINGLE_COPY_MAX_BYTES
    part_size: int = PART_MIN_BYTES


class Result(StrEnum):
    """What became of one entry of a message."""

    MOVED = "moved"
    ALREADY_MOVED = "already-moved"
    SUPERSEDED = "superseded"  # a newer upload is there, and its own event will move it
    MISSING = "missing"  # neither at the source nor at the destination
    CONFLICT = "conflict"  # another file has the name, and ON_CONFLICT=reject
    ARCHIVED = "archived"  # GLACIER and its kin: restore it first
    UNMOVABLE = "unmovable"  # S3 would refuse it for ever
    FAILED = "failed"  # not this time; `fault` says why
    SKIPPED = "skipped"  # none of ours
    MALFORMED = "malformed"  # no S3 event at all


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended; `destination` is where the object rests, which keep-both may have changed."""

    result: Result
    destination: Location | None = None
    detail: str = ""
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _AtRest:
    """The object is whole at this place; its source may go."""

    place: Location


@dataclass(frozen=True, slots=True)
class _CopyOver:
    """Copy again, over what has this ETag; None: over nothing."""

    etag: str | None


def move(task: Move, rules: MoveRules) -> Steps[Outcome]:
    """Move one object so that at no moment, whoever else writes, a file is lost.

    Yields requests of `worker.core.port`, is sent their replies, returns the Outcome; raises
    nothing.
    """
    source: ObjectInfo | None = None
    if _must_look_first(task, rules):
        seen = yield HeadObject(task.source)
        if isinstance(seen, NotFound):
            return (yield from _gone(task))
        if not isinstance(seen, ObjectInfo):
            return failed(seen)
        if task.etag not in {None, seen.etag}:
            return Outcome(Result.SUPERSEDED)
        task, source = replace(task, etag=seen.etag, size=seen.size), seen
    placed = yield from _place(task, source, rules)
    if isinstance(placed, Outcome):
        return placed
    return (yield from _delete_source(task, placed.place))


def failed(reply: Reply) -> Outcome:
    """Turn a reply that ends a move into its outcome."""
    if not isinstance(reply, Fault):
        reply = Fault(FaultKind.UNAVAILABLE, "S3", type(reply).__name__, "an unexpected reply")
    result = Result.ARCHIVED if reply.kind is FaultKind.ARCHIVED else Result.FAILED
    return Outcome(result, detail=str(reply), fault=reply)


def _must_look_first(task: Move, rules: MoveRules) -> bool:
    unknown = task.etag is None or task.size is None
    keep = rules.preserve_storage_class or rules.preserve_encryption
    return unknown or keep or _goes_in_parts(task, rules)


def _goes_in_parts(task: Move, rules: MoveRules) -> bool:
    return (task.size or 0) > rules.multipart_threshold


def _place(task: Move, source: ObjectInfo | None, rules: MoveRules) -> Steps[_AtRest | Outcome]:
    """Bring the object to its destination: steps 1 to 3."""
    over: str | None = None  # the ETag that the next copy may replace; step 1: there must be none
    ours: str | None = None  # the ETag of these very bytes when they are joined from parts
    for _ in range(MAX_ROUNDS):
        copied, in_parts_etag = yield from _copy(task, source, over, rules)
        ours = in_parts_etag or ours
        if isinstance(copied, Copied):
            return _AtRest(task.destination)
        if isinstance(copied, NotFound) and over is None:
            return (yield from _gone(task))
        # With an ETag to replace, a 404 may as well be the destination's: someone took it away.
        if not isinstance(copied, PreconditionFailed | Conflict | NotFound):
            return failed(copied)
        looked = yield from _look(task, source, ours, rules)
        if not isinstance(looked, _CopyOver):
            return looked
        over = looked.etag
    return failed(Fault(FaultKind.UNAVAILABLE, "CopyObject", "Contended", "others keep writing"))


def _copy(
    task: Move, source: ObjectInfo | None, over: str | None, rules: MoveRules
) -> Steps[tuple[Reply, str | None]]:
    """Copy once, whole or in parts; for parts, also tell the ETag that the copy has if it is."""
    request = CopyObject(
        source=task.source,
        source_etag=task.etag or "",
        destination=task.destination,
        destination_etag=over,
        storage_class=source.storage_class if source and rules.preserve_storage_class else None,
        encryption=source.encryption if source and rules.preserve_encryption else None,
    )
    if source and _goes_in_parts(task, rules):
        return (yield from copy_in_parts(request, source, rules.part_size))
    return (yield request), None


def _look(
    task: Move, source: ObjectInfo | None, ours: str | None, rules: MoveRules
) -> Steps[_CopyOver | _AtRest | Outcome]:
    """Step 2: see what stands in the way, the destination first."""
    there = yield HeadObject(task.destination)
    if not isinstance(there, ObjectInfo | NotFound):
        return failed(there)
    here = yield HeadObject(task.source)
    if isinstance(here, NotFound):
        return (yield from _gone(task))
    if not isinstance(here, ObjectInfo):
        return failed(here)
    if here.etag != task.etag:
        return Outcome(Result.SUPERSEDED)
    if isinstance(there, NotFound):
        return _CopyOver(None)
    if _is_copy_of(there, here, ours, rules.on_conflict):
        return _AtRest(task.destination)
    if rules.on_conflict is OnConflict.REPLACE:
        return _CopyOver(there.etag)
    if rules.on_conflict is OnConflict.KEEP_BOTH:
        return (yield from _place_beside(task, source, rules))
    return Outcome(Result.CONFLICT, detail=f"{task.destination} holds another file")


def _is_copy_of(
    there: ObjectInfo, here: ObjectInfo, ours: str | None, on_conflict: OnConflict
) -> bool:
    """Tell whether what is there is an earlier copy of what is here, so that here may go.

    The same bytes are not enough: an upload of the same bytes may bring other metadata. Tags do
    not show in HeadObject; so when replacing, only a copy younger than its source counts (S3 tells
    whole seconds), and in doubt the object is copied once more, which is always safe.
    """
    same_checksum = here.checksum is not None and here.checksum == there.checksum
    same_bytes = there.etag in {here.etag, ours} or (here.size == there.size and same_checksum)
    same_extras = (here.headers, here.metadata) == (there.headers, there.metadata)
    younger = there.last_modified > here.last_modified
    return same_bytes and same_extras and (younger or on_conflict is not OnConflict.REPLACE)


def _place_beside(
    task: Move, source: ObjectInfo | None, rules: MoveRules
) -> Steps[_AtRest | Outcome]:
    """Keep both: take a name of this very upload's own, which nobody else can hold rightly."""
    path = PurePosixPath(task.destination.key)
    mark = task.sequencer or task.etag
    key = f"{task.destination.key.removesuffix(path.suffix)}.{mark}{path.suffix}"
    if len(key.encode()) > MAX_KEY_BYTES:
        return Outcome(Result.UNMOVABLE, detail=f"no room in the key to keep both: {key}")
    beside = replace(task, destination=Location(task.destination.bucket, key))
    return (yield from _place(beside, source, replace(rules, on_conflict=OnConflict.REJECT)))


def _delete_source(task: Move, place: Location) -> Steps[Outcome]:
    """Step 4. A newer upload (412), or one already gone (404), leaves the move just as done."""
    reply = yield DeleteObject(task.source, task.etag or "")
    if isinstance(reply, Deleted | NotFound | PreconditionFailed):
        return Outcome(Result.MOVED, place)
    if isinstance(reply, Conflict):
        reply = Fault(FaultKind.UNAVAILABLE, "DeleteObject", "ConditionalRequestConflict")
    return failed(reply)


def _gone(task: Move) -> Steps[Outcome]:
    """Tell an object that was moved before from one that its owner took away."""
    there = yield HeadObject(task.destination)
    if isinstance(there, ObjectInfo):
        return Outcome(Result.ALREADY_MOVED, task.destination)
    if isinstance(there, NotFound):
        return Outcome(Result.MISSING, detail=f"{task.source} is gone, and was not moved")
    return failed(there)
