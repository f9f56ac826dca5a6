"""An in-memory S3 with AWS's own semantics for the requests of `worker.core.port`.

The functions on a `Store` are pure, so that an exploration can branch from any moment; `S3Twin`
holds one store and a clock, for tests that just run.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from support.conditions import (
    AWS,
    Behaviour,
    Done,
    bucket_fault,
    copy_source_of,
    default_encryption,
    fresh_etag,
    refused_by_destination,
)
from support.parts import complete_upload, copy_part, create_upload
from support.store import Content, Pairs, Store, StoredObject
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
    Encryption,
    Fault,
    FaultKind,
    GetObjectTagging,
    HeadObject,
    Location,
    NotFound,
    ObjectInfo,
    PreconditionFailed,
    Replies,
    Reply,
    Request,
    Steps,
    Tags,
    Together,
    UploadPartCopy,
)

T = TypeVar("T")
UploadRequest: TypeAlias = (
    CreateMultipartUpload | UploadPartCopy | CompleteMultipartUpload | AbortMultipartUpload
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A CopyObject that has read its source and has not yet committed."""

    request: CopyObject
    source: StoredObject


def put(  # noqa: PLR0913 - an object has that many sides
    store: Store,
    location: Location,
    content: Content,
    now: float,
    behaviour: Behaviour = AWS,
    *,
    headers: Pairs = (),
    metadata: Pairs = (),
    tags: Pairs = (),
    storage_class: str = "STANDARD",
    encryption: Encryption | None = None,
) -> Store:
    """Upload an object in one piece, as its owner does."""
    encryption = encryption or default_encryption(location.bucket, behaviour)
    store, etag = fresh_etag(store, content.digest, encryption)
    stored = StoredObject(
        content, etag, int(now), headers, metadata, tags, storage_class, encryption
    )
    return store.with_object(location, stored)


def begin(store: Store, request: CopyObject, behaviour: Behaviour = AWS) -> Pending | Reply:
    """Read a copy's source under its condition: the first half of CopyObject."""
    if fault := bucket_fault(request.destination, "CopyObject", behaviour):
        return fault
    source = copy_source_of(store, request, behaviour, guarded=behaviour.guards.copy_source)
    if not isinstance(source, StoredObject):
        return source
    if source.content.size > behaviour.copy_limit:
        return Fault(FaultKind.REFUSED, "CopyObject", "InvalidRequest", "source is too large")
    return Pending(request, source)


def commit(store: Store, pending: Pending, now: float, behaviour: Behaviour = AWS) -> Done:
    """Write the copy under the destination's condition: the second half of CopyObject."""
    request, source = pending.request, pending.source
    refusal = refused_by_destination(
        store, request.destination, request.destination_etag, behaviour
    )
    if refusal:
        return store, refusal
    encryption = request.encryption or default_encryption(request.destination.bucket, behaviour)
    store, etag = fresh_etag(store, source.content.digest, encryption)
    copy = replace(
        source,
        etag=etag,
        last_modified=int(now),
        storage_class=request.storage_class or "STANDARD",
        encryption=encryption,
    )
    return store.with_object(request.destination, copy), Copied(etag)


def perform(store: Store, request: Request, now: float, behaviour: Behaviour = AWS) -> Done:
    """Carry a request out at one moment; returns the store afterwards and the reply."""
    match request:
        case HeadObject():
            return store, _head(store, request, behaviour)
        case GetObjectTagging(location):
            found = store.get(location)
            return store, Tags(found.tags) if found else NotFound()
        case CopyObject():
            started = begin(store, request, behaviour)
            if isinstance(started, Pending):
                return commit(store, started, now, behaviour)
            return store, started
        case DeleteObject():
            return _delete(store, request, behaviour)
        case DeleteObjects(requests) | Together(requests):
            return _each(store, requests, now, behaviour)
        case _:
            return _perform_on_upload(store, request, now, behaviour)


def _perform_on_upload(
    store: Store, request: UploadRequest, now: float, behaviour: Behaviour
) -> Done:
    match request:
        case CreateMultipartUpload():
            return create_upload(store, request, now, behaviour)
        case UploadPartCopy():
            return copy_part(store, request, behaviour)
        case CompleteMultipartUpload():
            return complete_upload(store, request, behaviour)
        case AbortMultipartUpload(destination, upload_id):
            if not store.upload(upload_id, destination):
                return store, NotFound()
            return store.with_upload(upload_id, None), Aborted()


def _each(store: Store, requests: Iterable[Request], now: float, behaviour: Behaviour) -> Done:
    replies: list[Reply] = []
    for request in requests:
        store, reply = perform(store, request, now, behaviour)
        replies.append(reply)
    return store, Replies(tuple(replies))


def _head(store: Store, request: HeadObject, behaviour: Behaviour) -> Reply:
    if fault := bucket_fault(request.location, "HeadObject", behaviour):
        return fault
    found = store.get(request.location)
    if not found:
        return NotFound()
    return ObjectInfo(
        etag=found.etag,
        size=found.content.size,
        last_modified=float(found.last_modified),
        headers=found.headers,
        metadata=found.metadata,
        storage_class=found.storage_class,
        encryption=found.encryption,
        checksum=f"CRC64NVME:{found.content.digest[:16]}" if behaviour.checksums else None,
    )


def _delete(store: Store, request: DeleteObject, behaviour: Behaviour) -> Done:
    if fault := bucket_fault(request.location, "DeleteObject", behaviour):
        return store, fault
    found = store.get(request.location)
    if behaviour.guards.delete:
        if not found:
            return store, NotFound()  # rule 22: a conditional delete of nothing is a 404
        if found.etag != request.etag:
            return store, PreconditionFailed()
    return store.with_object(request.location, None), Deleted()


class S3Twin:
    """One store, a clock in seconds, and the requests that came, in order."""

    def __init__(
        self, clock: Callable[[], float] = lambda: 0.0, behaviour: Behaviour = AWS
    ) -> None:
        self.store = Store()
        self.behaviour = behaviour
        self.requests: list[Request] = []
        self._clock = clock

    @property
    def counts(self) -> Counter[str]:
        """Count the requests by operation."""
        return Counter(type(request).__name__ for request in self.requests)

    def put(
        self,
        location: Location,
        label: str,
        size: int = 1,
        **sides: Any,  # noqa: ANN401 - each of its own kind
    ) -> StoredObject:
        """Upload a file with the bytes that `label` names; `sides` as in `put`."""
        content = Content.of(label, size)
        self.store = put(self.store, location, content, self._clock(), self.behaviour, **sides)
        return self[location]

    def __getitem__(self, location: Location) -> StoredObject:
        found = self.store.get(location)
        if not found:
            raise KeyError(location)
        return found

    def __contains__(self, location: Location) -> bool:
        return self.store.get(location) is not None

    def remove(self, location: Location) -> None:
        """Delete without conditions, as an owner does."""
        self.store = self.store.with_object(location, None)

    def begin(self, request: CopyObject) -> Pending | Reply:
        """Start a copy: its source is read now."""
        self.requests.append(request)
        return begin(self.store, request, self.behaviour)

    def commit(self, pending: Pending) -> Reply:
        """End a copy that `begin` started."""
        self.store, reply = commit(self.store, pending, self._clock(), self.behaviour)
        return reply

    def perform(self, request: Request) -> Reply:
        """Carry a request out at one moment."""
        self.requests.append(request)
        self.store, reply = perform(self.store, request, self._clock(), self.behaviour)
        return reply

    def submit(self, request: Request, /) -> "Future[Reply]":
        """Carry a request out as a `worker.core.port.S3Port` does; the future is done already."""
        future: Future[Reply] = Future()
        future.set_result(self.perform(request))
        return future


def drive(steps: Steps[T], perform: Callable[[Request], Reply]) -> T:
    """Run a generator of requests to its end; returns what it returns."""
    try:
        request = next(steps)
        while True:
            request = steps.send(perform(request))
    except StopIteration as stop:
        result: T = stop.value
        return result
