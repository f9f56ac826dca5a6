"""Large objects are copied in parts that S3 takes, and nothing is left lying about."""

import hashlib
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.conditions import Behaviour
from support.store import Content
from support.twin import S3Twin, drive

from worker.core.move import SINGLE_COPY_MAX_BYTES
from worker.core.multipart import (
    MAX_PARTS,
    MEBIBYTE,
    PART_MIN_BYTES,
    PARTS_AT_ONCE,
    copy_in_parts,
    joined_etag,
    part_ranges,
)
from worker.core.port import (
    AbortMultipartUpload,
    CompleteMultipartUpload,
    Copied,
    CopyObject,
    CreateMultipartUpload,
    Fault,
    FaultKind,
    GetObjectTagging,
    HeadObject,
    Location,
    NotFound,
    ObjectInfo,
    Part,
    PreconditionFailed,
    Reply,
    Request,
    Together,
)

SOURCE, DESTINATION = Location("in", "uploads/big"), Location("out", "processed/big")
LARGEST_OBJECT_BYTES = 50 * 1000**4
TIMED_OUT = Fault(FaultKind.UNAVAILABLE, "S3", "RequestTimeout")


@given(st.integers(1, LARGEST_OBJECT_BYTES), st.integers(1, SINGLE_COPY_MAX_BYTES))
def test_parts_cover_the_object_exactly(size: int, part_size: int) -> None:
    """End to end without gap or overlap, at most 10,000 of them, each one that S3 can copy."""
    if size / part_size > MAX_PARTS * 4:
        part_size = -(-size // (MAX_PARTS * 4))
    ranges = list(part_ranges(size, part_size))
    assert len(ranges) <= MAX_PARTS
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size - 1
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(ranges))
    assert all(last - first < SINGLE_COPY_MAX_BYTES for first, last in ranges)
    assert all(last - first + 1 >= part_size for first, last in ranges[:-1])


def test_the_largest_object_fits_with_the_usual_parts() -> None:
    """50 TB in parts of 64 MiB at least: they grow to what 10,000 of them can hold."""
    ranges = list(part_ranges(LARGEST_OBJECT_BYTES, PART_MIN_BYTES))
    assert len(ranges) == 9999
    assert ranges[0] == (0, 4769 * MEBIBYTE - 1)


def test_just_as_many_parts_as_fit_keep_their_size() -> None:
    """10,000 parts of the usual size are allowed; one byte more makes each of them larger."""
    full = MAX_PARTS * PART_MIN_BYTES
    assert len(list(part_ranges(full, PART_MIN_BYTES))) == MAX_PARTS
    assert next(part_ranges(full + 1, PART_MIN_BYTES)) == (0, PART_MIN_BYTES + MEBIBYTE - 1)


def test_a_joined_etag_is_the_md5_of_the_parts_md5s() -> None:
    """As S3 makes it: the sum of the sums, then the number of parts."""
    sums = [hashlib.md5(text, usedforsecurity=False) for text in (b"first", b"second")]
    parts = tuple(Part(number, each.hexdigest()) for number, each in enumerate(sums, start=1))
    assert joined_etag(parts) == "018d78427d06dd29caa19b06085b7e7e-2"


def test_parts_under_kms_tell_no_joined_etag() -> None:
    """Their ETags are no MD5 sums."""
    assert joined_etag((Part(1, "kms-0"),)) is None


def big(twin: S3Twin, size: int) -> tuple[CopyObject, ObjectInfo]:
    """Upload a large file; return the copy that is asked for, and what HeadObject says of it."""
    stored = twin.put(SOURCE, "big", size, metadata=(("owner", "ann"),), tags=(("team", "x"),))
    info = twin.perform(HeadObject(SOURCE))
    assert isinstance(info, ObjectInfo)
    return CopyObject(SOURCE, stored.etag, DESTINATION, None, "STANDARD_IA"), info


def test_a_copy_in_parts_carries_all_that_a_plain_one_does() -> None:
    """Bytes, metadata, tags, and the storage class that was asked for."""
    twin = S3Twin()
    request, info = big(twin, 200 * MEBIBYTE + 1)
    reply, etag = drive(copy_in_parts(request, info, PART_MIN_BYTES), twin.perform)
    copy = twin[DESTINATION]
    assert reply == Copied(copy.etag)
    assert etag == copy.etag
    assert copy.etag.endswith("-4")
    assert copy.content == Content.of("big", 200 * MEBIBYTE + 1)
    assert (copy.metadata, copy.tags) == ((("owner", "ann"),), (("team", "x"),))
    assert copy.storage_class == "STANDARD_IA"
    assert twin.store.uploads == ()


def test_parts_go_in_waves() -> None:
    """At most so many at once, numbered from 1 to the end across the waves."""
    twin = S3Twin()
    request, info = big(twin, 33 * PART_MIN_BYTES)
    drive(copy_in_parts(request, info, PART_MIN_BYTES), twin.perform)
    waves = [each for each in twin.requests if isinstance(each, Together)]
    assert [len(wave.requests) for wave in waves] == [PARTS_AT_ONCE, PARTS_AT_ONCE, 1]
    (complete,) = [each for each in twin.requests if isinstance(each, CompleteMultipartUpload)]
    assert [part.number for part in complete.parts] == list(range(1, 34))


@pytest.mark.parametrize(
    ("operation", "aborts"),
    [
        (GetObjectTagging, 0),
        (CreateMultipartUpload, 0),
        (Together, 1),
        (CompleteMultipartUpload, 1),
    ],
)
def test_whatever_fails_leaves_no_upload_behind(operation: type[Request], aborts: int) -> None:
    """The reply is handed on, and what was begun is aborted."""
    twin = S3Twin()
    request, info = big(twin, 2 * PART_MIN_BYTES)

    def perform(asked: Request) -> Reply:
        return TIMED_OUT if isinstance(asked, operation) else twin.perform(asked)

    reply, _ = drive(copy_in_parts(request, info, PART_MIN_BYTES), perform)
    assert reply == TIMED_OUT
    assert twin.counts[AbortMultipartUpload.__name__] == aborts
    assert twin.store.uploads == ()
    assert DESTINATION not in twin


def test_a_source_that_changes_midway_is_not_mixed() -> None:
    """A part of another upload is refused, and the upload aborted."""
    twin = S3Twin()
    request, info = big(twin, 17 * PART_MIN_BYTES)

    def perform(asked: Request) -> Reply:
        reply = twin.perform(asked)
        if isinstance(asked, Together):
            twin.put(SOURCE, "another", 17 * PART_MIN_BYTES)
        return reply

    assert drive(copy_in_parts(request, info, PART_MIN_BYTES), perform) == (
        PreconditionFailed(),
        None,
    )
    assert twin.store.uploads == ()
    assert DESTINATION not in twin


def test_a_taken_destination_refuses_the_parts() -> None:
    """The condition is the plain copy's; the ETag tells whether what is there is our own copy."""
    twin = S3Twin()
    request, info = big(twin, 2 * PART_MIN_BYTES)
    twin.put(DESTINATION, "older")
    reply, etag = drive(copy_in_parts(request, info, PART_MIN_BYTES), twin.perform)
    assert reply == PreconditionFailed()
    assert etag
    assert etag.endswith("-2")
    assert twin.store.uploads == ()
    assert twin[DESTINATION].content == Content.of("older", 1)


def test_an_older_file_is_replaced_by_the_parts_under_its_own_etag() -> None:
    """The condition goes with the completion; another file than the one seen refuses it."""
    twin = S3Twin()
    request, info = big(twin, 2 * PART_MIN_BYTES)
    over = replace(request, destination_etag=twin.put(DESTINATION, "older").etag)
    reply, etag = drive(copy_in_parts(over, info, PART_MIN_BYTES), twin.perform)
    assert reply == Copied(etag or "")
    assert twin[DESTINATION].content == Content.of("big", 2 * PART_MIN_BYTES)
    again, _ = drive(copy_in_parts(over, info, PART_MIN_BYTES), twin.perform)
    assert again == PreconditionFailed()


def test_an_upload_that_vanished_may_have_been_completed() -> None:
    """The reply to an earlier try may have been lost: the caller is told to look."""
    twin = S3Twin()
    request, info = big(twin, 2 * PART_MIN_BYTES)

    def perform(asked: Request) -> Reply:
        reply = twin.perform(asked)
        return NotFound() if isinstance(asked, CompleteMultipartUpload) else reply

    reply, etag = drive(copy_in_parts(request, info, PART_MIN_BYTES), perform)
    assert reply == PreconditionFailed()
    assert etag == twin[DESTINATION].etag


def test_under_kms_a_copy_in_parts_has_an_etag_that_nobody_can_foretell() -> None:
    """It is whole all the same."""
    twin = S3Twin(behaviour=Behaviour(kms_buckets=frozenset({"out"})))
    request, info = big(twin, 2 * PART_MIN_BYTES)
    reply, etag = drive(copy_in_parts(request, info, PART_MIN_BYTES), twin.perform)
    assert reply == Copied(twin[DESTINATION].etag)
    assert etag is None
