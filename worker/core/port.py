"""The S3 port: what a move asks of S3 and what it may be told. Pure data, no I/O.

A move yields one of the requests below and is sent one of the replies. Whoever drives it (the
daemon, Lambda, the sweep, an exhaustive test) carries the request out; the move never learns how.
"""

from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias, TypeVar


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """An object's place: bucket and key, both literal (never URL-encoded)."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """Show the place as people write it: s3://bucket/key."""
        return f"s3://{self.bucket}/{self.key}"


# --- what an object carries -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Encryption:
    """Server-side encryption in S3's names: `AES256`, `aws:kms`, `aws:kms:dsse`; the key's ARN."""

    algorithm: str
    kms_key_id: str | None = None
    bucket_key: bool | None = None


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """HeadObject's answer. `last_modified` in Unix seconds, whole ones.

    `headers` holds what CreateMultipartUpload must be told again (`ContentType`, `CacheControl`,
    …), by boto3's parameter names; `metadata` the user's own pairs; `checksum` is
    `ALGORITHM:value` if S3 keeps one of the full object.
    """

    etag: str
    size: int
    last_modified: float
    headers: tuple[tuple[str, str], ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    storage_class: str = "STANDARD"
    encryption: Encryption | None = None
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One copied part of a multipart upload; `number` counts from 1."""

    number: int
    etag: str


# --- requests -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeadObject:
    """Look at an object. Reply: ObjectInfo, NotFound or Fault."""

    location: Location


@dataclass(frozen=True, slots=True)
class CopyObject:
    """Copy, if the source still has `source_etag` and the destination is as expected.

    `destination_etag` None: nothing may be there (`IfNoneMatch: *`); else what is there must have
    that ETag.
    `storage_class` and `encryption` None: S3's default for the destination bucket.
    Reply: Copied, NotFound, PreconditionFailed, Conflict or Fault.
    """

    source: Location
    source_etag: str
    destination: Location
    destination_etag: str | None
    storage_class: str | None = None
    encryption: Encryption | None = None


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """Delete an object if it still has `etag`.

    Reply: Deleted, NotFound, PreconditionFailed, Conflict or Fault.
    """

    location: Location
    etag: str


@dataclass(frozen=True, slots=True)
class DeleteObjects:
    """Several deletes of one bucket in one call; no key twice. Reply: Replies, or one Fault."""

    deletes: tuple[DeleteObject, ...]


@dataclass(frozen=True, slots=True)
class GetObjectTagging:
    """Read an object's tags. Reply: Tags, NotFound or Fault."""

    location: Location


@dataclass(frozen=True, slots=True)
class CreateMultipartUpload:
    """Begin a multipart upload carrying all that a plain copy carries.

    Reply: UploadCreated or Fault.
    """

    destination: Location
    info: ObjectInfo
    tags: tuple[tuple[str, str], ...]
    storage_class: str | None = None
    encryption: Encryption | None = None


@dataclass(frozen=True, slots=True)
class UploadPartCopy:
    """Copy the bytes `first_byte` to `last_byte` (both inclusive).

    Reply: Part, NotFound, PreconditionFailed or Fault.
    """

    source: Location
    source_etag: str
    destination: Location
    upload_id: str
    number: int
    first_byte: int
    last_byte: int


@dataclass(frozen=True, slots=True)
class CompleteMultipartUpload:
    """Join the parts, on CopyObject's destination condition.

    Reply: as CopyObject's; NotFound means: no such upload.
    """

    destination: Location
    upload_id: str
    parts: tuple[Part, ...]
    destination_etag: str | None


@dataclass(frozen=True, slots=True)
class AbortMultipartUpload:
    """Throw a multipart upload's parts away. Reply: Aborted, NotFound or Fault."""

    destination: Location
    upload_id: str


@dataclass(frozen=True, slots=True)
class Together:
    """Several requests at once. Reply: Replies, in the same order."""

    requests: tuple["Request", ...]


# --- replies --------------------------------------------------------------------------------------


class FaultKind(StrEnum):
    """Why S3 did not do what it was asked, as far as what to do next depends on it."""

    THROTTLED = "throttled"  # SlowDown and its kin: ask less often
    UNAVAILABLE = "unavailable"  # 5xx, time-outs, resets: ask again later
    ACCESS = "access"  # permission, KMS, credentials, a bucket that is not there: a person must act
    ARCHIVED = "archived"  # InvalidObjectState: restore the object first
    REFUSED = "refused"  # any other 4xx: the same request will be refused again
    UNSUPPORTED = "unsupported"  # 501: this store does not know a condition that we rest on


@dataclass(frozen=True, slots=True)
class Copied:
    """The object is whole at its destination; `etag` is the copy's own."""

    etag: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """The object was deleted."""


@dataclass(frozen=True, slots=True)
class Tags:
    """An object's tags, as pairs."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UploadCreated:
    """A multipart upload stands open under this id."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class Aborted:
    """A multipart upload was thrown away."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """404: no such object (or, for a part, no such upload). A missing bucket is a Fault instead."""


@dataclass(frozen=True, slots=True)
class PreconditionFailed:
    """412: one of the conditions did not hold. Which one is not told reliably; look."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """409: another conditional write was under way (rule 23c). Look, and try again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Anything else that went wrong, in AWS's words (`code`, `message`)."""

    kind: FaultKind
    operation: str
    code: str
    message: str = ""

    def __str__(self) -> str:
        """Name the operation and AWS's own words."""
        return f"{self.operation}: {self.code}" + (f" ({self.message})" if self.message else "")


@dataclass(frozen=True, slots=True)
class Replies:
    """The replies to a Together or a DeleteObjects, in its order."""

    replies: tuple["Reply", ...] = field(default_factory=tuple)


Request: TypeAlias = (
    HeadObject
    | CopyObject
    | DeleteObject
    | DeleteObjects
    | GetObjectTagging
    | CreateMultipartUpload
    | UploadPartCopy
    | CompleteMultipartUpload
    | AbortMultipartUpload
    | Together
)
Reply: TypeAlias = (
    ObjectInfo
    | Copied
    | Deleted
    | Tags
    | UploadCreated
    | Part
    | Aborted
    | NotFound
    | PreconditionFailed
    | Conflict
    | Fault
    | Replies
)

T = TypeVar("T")
Steps: TypeAlias = Generator[Request, Reply, T]  # yields requests, is sent replies, returns T


class S3Port(Protocol):
    """Whoever carries requests out. It never raises for what S3 said: that is a reply."""

    def submit(self, request: Request, /) -> "Future[Reply]":
        """Start the request; the future brings its reply."""
