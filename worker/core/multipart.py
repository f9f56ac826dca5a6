"""Copying an object too large for CopyObject: in parts, under the same conditions. Sans-I/O."""

import hashlib
from collections.abc import Iterator

from worker.core.port import (
    AbortMultipartUpload,
    CompleteMultipartUpload,
    Copied,
    CopyObject,
    CreateMultipartUpload,
    GetObjectTagging,
    NotFound,
    ObjectInfo,
    Part,
    PreconditionFailed,
    Replies,
    Reply,
    Steps,
    Tags,
    Together,
    UploadCreated,
    UploadPartCopy,
)

MEBIBYTE = 1024**2

PART_MIN_BYTES = 64 * MEBIBYTE
"""Parts no smaller than this: few requests, and still many parts to copy side by side."""

MAX_PARTS = 10_000
"""S3's limit on the parts of one upload ("Amazon S3 multipart upload limits")."""

PARTS_AT_ONCE = 16
"""How many parts are under way together; more would crowd out the small objects."""


def copy_in_parts(
    request: CopyObject, source: ObjectInfo, part_size: int
) -> Steps[tuple[Reply, str | None]]:
    """Do what `request` says, in parts of at least `part_size` bytes.

    Returns CopyObject's replies, and the ETag that the copy has if it is there in spite of the
    reply (None if it cannot be). Whatever goes wrong, the upload is aborted.
    """
    tags = yield GetObjectTagging(request.source)
    if not isinstance(tags, Tags):
        return tags, None
    created = yield CreateMultipartUpload(
        request.destination, source, tags.pairs, request.storage_class, request.encryption
    )
    if not isinstance(created, UploadCreated):
        return created, None
    copied = yield from _copy_parts(request, source.size, part_size, created.upload_id)
    if not isinstance(copied, tuple):
        yield AbortMultipartUpload(request.destination, created.upload_id)
        return copied, None
    completed = yield CompleteMultipartUpload(
        request.destination, created.upload_id, copied, request.destination_etag
    )
    if isinstance(completed, NotFound):
        # An earlier try may have completed it and lost its reply: the caller must look.
        return PreconditionFailed(), joined_etag(copied)
    if not isinstance(completed, Copied):
        yield AbortMultipartUpload(request.destination, created.upload_id)
    return completed, joined_etag(copied)


def _copy_parts(
    request: CopyObject, size: int, part_size: int, upload_id: str
) -> Steps[tuple[Part, ...] | Reply]:
    parts: list[Part] = []
    for wave in _waves(request, size, part_size, upload_id):
        answer = yield Together(wave)
        for reply in answer.replies if isinstance(answer, Replies) else (answer,):
            if not isinstance(reply, Part):
                return reply
            parts.append(reply)
    return tuple(parts)


def _waves(
    request: CopyObject, size: int, part_size: int, upload_id: str
) -> Iterator[tuple[UploadPartCopy, ...]]:
    ranges = list(part_ranges(size, part_size))
    for first in range(0, len(ranges), PARTS_AT_ONCE):
        yield tuple(
            UploadPartCopy(
                source=request.source,
                source_etag=request.source_etag,
                destination=request.destination,
                upload_id=upload_id,
                number=first + offset,
                first_byte=first_byte,
                last_byte=last_byte,
            )
            for offset, (first_byte, last_byte) in enumerate(
                ranges[first : first + PARTS_AT_ONCE], start=1
            )
        )


def part_ranges(size: int, part_size: int) -> Iterator[tuple[int, int]]:
    """Cut `size` bytes into (first, last) ranges, both inclusive: at most 10,000, in whole MiB."""
    needed = -(-size // MAX_PARTS)
    step = max(part_size, -(-needed // MEBIBYTE) * MEBIBYTE)
    for first in range(0, size, step):
        yield first, min(first + step, size) - 1


def joined_etag(parts: tuple[Part, ...]) -> str | None:
    """Return the ETag S3 gives the joined parts; None where their ETags are no MD5 sums (KMS)."""
    try:
        sums = b"".join(bytes.fromhex(part.etag) for part in parts)
    except ValueError:
        return None
    return f"{hashlib.md5(sums, usedforsecurity=False).hexdigest()}-{len(parts)}"
