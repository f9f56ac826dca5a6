"""The in-memory S3 that the explorations rest on refuses what AWS refuses, in AWS's order."""

import pytest
from support.conditions import Behaviour
from support.store import Content
from support.twin import Pending, S3Twin

from worker.core.port import (
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
    HeadObject,
    Location,
    NotFound,
    ObjectInfo,
    Part,
    PreconditionFailed,
    Replies,
    Reply,
    UploadCreated,
    UploadPartCopy,
)

HERE, THERE = Location("in", "a"), Location("out", "a")
STALE = "stale"


@pytest.mark.parametrize(
    ("here", "there", "source_etag", "destination_etag", "reply"),
    [
        (None, None, STALE, None, NotFound()),
        (None, "z", STALE, STALE, NotFound()),
        ("a", None, STALE, None, PreconditionFailed()),
        ("a", "z", "right", None, PreconditionFailed()),
        ("a", "z", "right", STALE, PreconditionFailed()),
        ("a", None, "right", STALE, NotFound()),
    ],
)
def test_a_copy_is_refused_by_either_end(
    here: str | None,
    there: str | None,
    source_etag: str,
    destination_etag: str | None,
    reply: Reply,
) -> None:
    """The source's 404, its 412, then the destination's 412; IfMatch on nothing is a 404."""
    twin = S3Twin()
    for place, label in ((HERE, here), (THERE, there)):
        if label:
            twin.put(place, label)
    if source_etag == "right":
        source_etag = twin[HERE].etag
    before = twin.store
    assert twin.perform(CopyObject(HERE, source_etag, THERE, destination_etag)) == reply
    assert twin.store == before


def test_a_copy_reads_first_and_commits_later() -> None:
    """What is uploaded in between is neither copied nor noticed at the source."""
    twin = S3Twin()
    pending = twin.begin(CopyObject(HERE, twin.put(HERE, "a").etag, THERE, None))
    assert isinstance(pending, Pending)
    twin.put(HERE, "b")
    assert isinstance(twin.commit(pending), Copied)
    assert twin[THERE].content == Content.of("a", 1)
    assert twin.commit(pending) == PreconditionFailed()


def test_rule_22_a_delete_keeps_its_condition() -> None:
    """404 for nothing, 412 for something else; of several, each has its own answer."""
    twin = S3Twin()
    stored = twin.put(HERE, "a")
    several = DeleteObjects(
        (DeleteObject(THERE, stored.etag), DeleteObject(HERE, STALE)),
    )
    assert twin.perform(several) == Replies((NotFound(), PreconditionFailed()))
    assert twin.perform(DeleteObject(HERE, stored.etag)) == Deleted()
    assert HERE not in twin


def test_a_missing_bucket_is_no_missing_object() -> None:
    """It is a fault that a person must mend."""
    twin = S3Twin(behaviour=Behaviour(buckets=frozenset({"in"})))
    reply = twin.submit(HeadObject(THERE)).result()
    assert isinstance(reply, Fault)
    assert (reply.kind, reply.code) == (FaultKind.ACCESS, "NoSuchBucket")


def test_a_copy_stops_at_5_gib() -> None:
    """One byte more is refused, for good."""
    twin = S3Twin()
    stored = twin.put(HERE, "a", 5 * 1024**3 + 1)
    reply = twin.perform(CopyObject(HERE, stored.etag, THERE, None))
    assert isinstance(reply, Fault)
    assert reply.kind is FaultKind.REFUSED


def test_seconds_are_whole() -> None:
    """S3 tells no fractions."""
    twin = S3Twin(clock=lambda: 7.9)
    twin.put(HERE, "a")
    info = twin.perform(HeadObject(HERE))
    assert isinstance(info, ObjectInfo)
    assert info.last_modified == 7.0


def open_upload(twin: S3Twin, size: int) -> tuple[str, str]:
    """Upload a file and open a multipart upload; return its ETag and the upload's id."""
    stored = twin.put(HERE, "a", size)
    info = twin.perform(HeadObject(HERE))
    assert isinstance(info, ObjectInfo)
    created = twin.perform(CreateMultipartUpload(THERE, info, ()))
    assert isinstance(created, UploadCreated)
    return stored.etag, created.upload_id


def test_parts_have_their_rules() -> None:
    """A range within the source, a stale ETag refused, a small part only at the end."""
    twin = S3Twin()
    etag, upload_id = open_upload(twin, 3)

    def copy(number: int, first: int, last: int, source_etag: str = etag) -> Reply:
        return twin.perform(
            UploadPartCopy(HERE, source_etag, THERE, upload_id, number, first, last)
        )

    assert isinstance(copy(1, 0, 3), Fault)
    assert isinstance(copy(0, 0, 0), Fault)
    assert copy(1, 0, 0, STALE) == PreconditionFailed()
    parts = (copy(1, 0, 0), copy(2, 1, 2))
    known = tuple(part for part in parts if isinstance(part, Part))
    assert len(known) == 2
    for given, code in ((known, "EntityTooSmall"), ((), "InvalidPart")):
        reply = twin.perform(CompleteMultipartUpload(THERE, upload_id, given, None))
        assert isinstance(reply, Fault)
        assert reply.code == code


def test_a_finished_upload_is_gone() -> None:
    """Completing or aborting it again is a 404; a part of it is worth another try."""
    twin = S3Twin()
    etag, upload_id = open_upload(twin, 1)
    copy = UploadPartCopy(HERE, etag, THERE, upload_id, 1, 0, 0)
    part = twin.perform(copy)
    assert isinstance(part, Part)
    complete = CompleteMultipartUpload(THERE, upload_id, (part,), None)
    assert isinstance(twin.perform(complete), Copied)
    assert twin.perform(complete) == NotFound()
    assert twin.perform(AbortMultipartUpload(THERE, upload_id)) == NotFound()
    late = twin.perform(copy)
    assert isinstance(late, Fault)
    assert late.code == "NoSuchUpload"


def test_under_kms_no_etag_comes_twice() -> None:
    """They name an upload, not its bytes."""
    twin = S3Twin(behaviour=Behaviour(kms_buckets=frozenset({"in"})))
    assert twin.put(HERE, "a").etag != twin.put(HERE, "a").etag
