"""What S3's copies have in common: their sources' and destinations' conditions, and ETags.

AWS pages: "Add preconditions to S3 operations with conditional requests" in the S3 user guide,
CopyObject, UploadPartCopy and CompleteMultipartUpload in the API reference; rules 21 to 23c.
"""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from support.store import Store, StoredObject
from worker.core.port import (
    CopyObject,
    Encryption,
    Fault,
    FaultKind,
    Location,
    NotFound,
    PreconditionFailed,
    Reply,
    UploadPartCopy,
)

GIBIBYTE = 1024**3
ARCHIVE_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


@dataclass(frozen=True, slots=True)
class Guards:
    """Which conditions the store keeps. AWS keeps all; others are known to say 200 and ignore."""

    copy_source: bool = True  # CopySourceIfMatch of CopyObject
    part_source: bool = True  # CopySourceIfMatch of UploadPartCopy
    destination_absent: bool = True  # IfNoneMatch: *
    destination_match: bool = True  # IfMatch of CopyObject and CompleteMultipartUpload
    delete: bool = True  # IfMatch of DeleteObject


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What kind of S3 it is. Sizes in bytes.

    `kms_buckets`: encrypted with KMS by default, where an ETag is no MD5 sum and never the same
    twice. `buckets` None: every bucket exists. `checksums`: S3 keeps a full-object CRC64NVME.
    """

    guards: Guards = field(default_factory=Guards)
    checksums: bool = True
    kms_buckets: frozenset[str] = frozenset()
    buckets: frozenset[str] | None = None
    copy_limit: int = 5 * GIBIBYTE
    smallest_part: int = 5 * 1024**2


Done: TypeAlias = tuple[Store, Reply]

AWS = Behaviour()


def copy_source_of(
    store: Store, request: CopyObject | UploadPartCopy, behaviour: Behaviour, *, guarded: bool
) -> StoredObject | Reply:
    """Read a copy's source: 404, then 412 if `guarded`, then 403 for an archived one."""
    operation = type(request).__name__
    if fault := bucket_fault(request.source, operation, behaviour):
        return fault
    source = store.get(request.source)
    if not source:
        return NotFound()
    if guarded and source.etag != request.source_etag:
        return PreconditionFailed()
    if source.storage_class in ARCHIVE_CLASSES:
        return Fault(FaultKind.ARCHIVED, operation, "InvalidObjectState", source.storage_class)
    return source


def refused_by_destination(
    store: Store, destination: Location, etag: str | None, behaviour: Behaviour
) -> Reply | None:
    """Say how the destination's condition is refused; None if it holds."""
    there, guards = store.get(destination), behaviour.guards
    if etag is None:
        return PreconditionFailed() if there and guards.destination_absent else None
    if not guards.destination_match:
        return None
    if not there:
        return NotFound()  # IfMatch on nothing is a 404, not a 412
    return None if there.etag == etag else PreconditionFailed()


def bucket_fault(location: Location, operation: str, behaviour: Behaviour) -> Fault | None:
    """Refuse a bucket that does not exist."""
    if behaviour.buckets is None or location.bucket in behaviour.buckets:
        return None
    return Fault(FaultKind.ACCESS, operation, "NoSuchBucket", location.bucket)


def default_encryption(bucket: str, behaviour: Behaviour) -> Encryption | None:
    """Return what the bucket encrypts with where a request names nothing."""
    return Encryption("aws:kms", "key") if bucket in behaviour.kms_buckets else None


def fresh_etag(store: Store, digest: str, encryption: Encryption | None) -> tuple[Store, str]:
    """Return the ETag of bytes put whole: their MD5 sum, or with KMS one never seen before."""
    if encryption and encryption.algorithm.startswith("aws:kms"):
        return replace(store, serial=store.serial + 1), f"kms-{store.serial}"
    return store, digest
