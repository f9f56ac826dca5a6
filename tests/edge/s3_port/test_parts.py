"""One contract for every S3 port: copies in parts."""

from dataclasses import replace

from support.s3_worlds import PART_BYTES, World, copy_of

from worker.core.multipart import copy_in_parts
from worker.core.port import (
    Aborted,
    AbortMultipartUpload,
    CompleteMultipartUpload,
    Copied,
    CreateMultipartUpload,
    DeleteObject,
    Fault,
    FaultKind,
    GetObjectTagging,
    Location,
    NotFound,
    Part,
    PreconditionFailed,
    Replies,
    Tags,
    Together,
    UploadCreated,
    UploadPartCopy,
)


def begin_upload(world: World, here: Location, there: Location, size: int) -> tuple[str, str]:
    """Put a file and open an upload for it; returns its ETag and the upload's id."""
    etag = world.put(here, "p", size)
    created = world.ask(CreateMultipartUpload(there, world.head(here), ()))
    assert isinstance(created, UploadCreated)
    return etag, created.upload_id


def part_of(
    here: Location, etag: str, there: Location, upload: str, number: int, size: int
) -> UploadPartCopy:
    """Ask for a part of at most 5 MiB."""
    first = (number - 1) * PART_BYTES
    last = min(number * PART_BYTES, size) - 1
    return UploadPartCopy(here, etag, there, upload, number, first, last)


def test_a_copy_in_parts_keeps_all_that_a_plain_copy_keeps(
    world: World, here: Location, there: Location
) -> None:
    """Bytes, headers, metadata and tags, odd ones among them; the ETag is foretold."""
    size = PART_BYTES + 7
    headers = (("ContentType", "text/x-odd"), ("CacheControl", "max-age=1"))
    tags = (("t", "1"), ("u", "2"))
    etag = world.put(here, "p", size, headers=headers, metadata=(("m", "1"),), tags=tags)
    before = world.head(here)
    steps = copy_in_parts(copy_of(here, etag, there), before, PART_BYTES)
    try:
        request = next(steps)
        while True:
            request = steps.send(world.ask(request))
    except StopIteration as stop:
        copied, foretold = stop.value
    assert isinstance(copied, Copied)
    after = world.head(there)
    assert after.etag == copied.etag == foretold
    assert (after.size, after.headers, after.metadata) == (size, before.headers, before.metadata)
    kept = world.ask(GetObjectTagging(there))
    assert isinstance(kept, Tags)
    assert set(kept.pairs) == set(tags)


def test_parts_are_copied_together_in_their_order(
    world: World, here: Location, there: Location
) -> None:
    """A Together's replies stand as its requests do."""
    size = 2 * PART_BYTES + 1
    etag, upload = begin_upload(world, here, there, size)
    wave = tuple(part_of(here, etag, there, upload, number, size) for number in (1, 2, 3))
    answer = world.ask(Together(wave))
    assert isinstance(answer, Replies)
    assert [part.number for part in answer.replies if isinstance(part, Part)] == [1, 2, 3]
    parts = tuple(part for part in answer.replies if isinstance(part, Part))
    assert isinstance(world.ask(CompleteMultipartUpload(there, upload, parts, None)), Copied)
    assert world.head(there).size == size


def test_nothing_together_is_no_reply_at_once(world: World) -> None:
    """An empty Together does not hang."""
    assert world.ask(Together(())) == Replies(())


def test_a_stale_source_stops_a_part(world: World, here: Location, there: Location) -> None:
    """412; and 404 once the source is gone."""
    etag, upload = begin_upload(world, here, there, 100)
    stale = part_of(here, "other", there, upload, 1, 100)
    assert world.ask(stale) == PreconditionFailed()
    world.ask(DeleteObject(here, etag))
    assert world.ask(part_of(here, etag, there, upload, 1, 100)) == NotFound()


def test_joining_has_the_conditions_of_a_copy(
    world: World, here: Location, there: Location
) -> None:
    """412 for what is there, done over what was named; a refused upload stays open."""
    etag, upload = begin_upload(world, here, there, 100)
    part = world.ask(part_of(here, etag, there, upload, 1, 100))
    assert isinstance(part, Part)
    other = world.put(there, "other")
    joining = CompleteMultipartUpload(there, upload, (part,), None)
    assert world.ask(joining) == PreconditionFailed()
    assert world.ask(replace(joining, destination_etag="stale")) == PreconditionFailed()
    assert world.head(there).etag == other
    assert isinstance(world.ask(replace(joining, destination_etag=other)), Copied)
    assert world.head(there).size == 100


def test_an_aborted_upload_is_gone(world: World, here: Location, there: Location) -> None:
    """Once aborted; then there is none to abort or to join."""
    etag, upload = begin_upload(world, here, there, 100)
    part = world.ask(part_of(here, etag, there, upload, 1, 100))
    assert isinstance(part, Part)
    assert world.ask(AbortMultipartUpload(there, upload)) == Aborted()
    assert world.ask(AbortMultipartUpload(there, upload)) == NotFound()
    assert world.ask(CompleteMultipartUpload(there, upload, (part,), None)) == NotFound()
    assert not world.is_there(there)


def test_a_part_too_small_is_refused(world: World, here: Location, there: Location) -> None:
    """EntityTooSmall: all but the last have 5 MiB at least."""
    etag, upload = begin_upload(world, here, there, 100)
    parts = []
    for number, (first, last) in enumerate([(0, 49), (50, 99)], start=1):
        part = world.ask(UploadPartCopy(here, etag, there, upload, number, first, last))
        assert isinstance(part, Part)
        parts.append(part)
    reply = world.ask(CompleteMultipartUpload(there, upload, tuple(parts), None))
    assert isinstance(reply, Fault)
    assert (reply.kind, reply.code) == (FaultKind.REFUSED, "EntityTooSmall")
