"""Multipart uploads of the in-memory S3."""

from dataclasses import replace

from support.conditions import (
    Behaviour,
    Done,
    bucket_fault,
    copy_source_of,
    default_encryption,
    fresh_etag,
    refused_by_destination,
)
from support.store import Content, OpenUpload, Store, StoredObject
from worker.core.multipart import joined_etag
from worker.core.port import (
    CompleteMultipartUpload,
    Copied,
    CreateMultipartUpload,
    Fault,
    FaultKind,
    NotFound,
    Part,
    UploadCreated,
    UploadPartCopy,
)


def create_upload(
    store: Store, request: CreateMultipartUpload, now: float, behaviour: Behaviour
) -> Done:
    """Open an upload that will carry what the request names."""
    if fault := bucket_fault(request.destination, "CreateMultipartUpload", behaviour):
        return store, fault
    # An object joined from parts is dated by its upload's beginning ("Copying objects").
    draft = StoredObject(
        Content(()),
        "",
        int(now),
        request.info.headers,
        request.info.metadata,
        request.tags,
        request.storage_class or "STANDARD",
        request.encryption or default_encryption(request.destination.bucket, behaviour),
    )
    upload_id = f"upload-{store.serial}"
    store = replace(store, serial=store.serial + 1)
    return store.with_upload(upload_id, OpenUpload(request.destination, draft)), UploadCreated(
        upload_id
    )


def copy_part(store: Store, request: UploadPartCopy, behaviour: Behaviour) -> Done:
    """Copy a range of the source into an open upload, under the source's condition."""
    upload = store.upload(request.upload_id, request.destination)
    if not upload:
        # A part's 404 means its source; a vanished upload is worth another try (worker.core.port).
        return store, Fault(FaultKind.UNAVAILABLE, "UploadPartCopy", "NoSuchUpload")
    source = copy_source_of(store, request, behaviour, guarded=behaviour.guards.part_source)
    if not isinstance(source, StoredObject):
        return store, source
    if not request.first_byte <= request.last_byte < source.content.size:
        return store, Fault(FaultKind.REFUSED, "UploadPartCopy", "InvalidArgument", "bad range")
    content = source.content.part(request.first_byte, request.last_byte)
    if content.size > behaviour.copy_limit or not 1 <= request.number <= 10_000:
        return store, Fault(FaultKind.REFUSED, "UploadPartCopy", "InvalidRequest", "bad part")
    store, etag = fresh_etag(store, content.digest, upload.draft.encryption)
    others = [part for part in upload.parts if part[0] != request.number]
    parts = tuple(sorted([*others, (request.number, etag, content)], key=lambda part: part[0]))
    return store.with_upload(request.upload_id, replace(upload, parts=parts)), Part(
        request.number, etag
    )


def complete_upload(store: Store, request: CompleteMultipartUpload, behaviour: Behaviour) -> Done:
    """Join the parts, under the destination's condition; refused, the upload stays open."""
    operation = "CompleteMultipartUpload"
    upload = store.upload(request.upload_id, request.destination)
    if not upload:
        return store, NotFound()
    there = {(number, etag): content for number, etag, content in upload.parts}
    if not request.parts or any((part.number, part.etag) not in there for part in request.parts):
        return store, Fault(FaultKind.REFUSED, operation, "InvalidPart")
    contents = [there[part.number, part.etag] for part in request.parts]
    if any(content.size < behaviour.smallest_part for content in contents[:-1]):
        return store, Fault(FaultKind.REFUSED, operation, "EntityTooSmall")
    refusal = refused_by_destination(
        store, request.destination, request.destination_etag, behaviour
    )
    if refusal:
        return store, refusal
    whole = Content(())
    for content in contents:
        whole = whole.joined(content)
    etag = joined_etag(request.parts)
    if etag is None:
        store, etag = fresh_etag(store, "", upload.draft.encryption)
        etag = f"{etag}-{len(request.parts)}"
    store = store.with_upload(request.upload_id, None)
    return store.with_object(
        request.destination, replace(upload.draft, content=whole, etag=etag)
    ), Copied(etag)
