"""What S3 refuses and moto lets pass, for requests about one object."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.s3.responses import S3Response

from worker.demo.embedded.patches import Moto
from worker.demo.embedded.s3_request import (
    ObjectRequest,
    RefusedError,
    etags_match,
    no_such_key,
    precondition_failed,
    under_lock,
)

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

KEY_LIMIT_BYTES: Final = 1024
_ARCHIVED: Final = {"GLACIER", "DEEP_ARCHIVE"}
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)")

Check = Callable[[ObjectRequest, "Layer"], None]


def correct(layer: "Layer") -> None:
    """Put the checks, in order, before moto's own handling of every object request."""

    def check_all(handler: Moto, request: Moto, full_url: str) -> None:
        asked = ObjectRequest.of(handler, request, full_url)
        for check in CHECKS:
            check(asked, layer)

    layer.patches.wrap(S3Response, "_key_response", lambda f: under_lock(layer, f, check_all))
    layer.patches.wrap(S3Response, "_bucket_response", lambda f: under_lock(layer, f))


def key_fits(asked: ObjectRequest, _: "Layer") -> None:
    """Rule 23b: a key of more than 1,024 UTF-8 bytes is refused where an object would be made."""
    makes = asked.writes_object or "uploads" in asked.query
    if makes and len(asked.key.encode()) > KEY_LIMIT_BYTES:
        raise RefusedError(
            400,
            "KeyTooLongError",
            "Your key is too long",
            Size=str(len(asked.key.encode())),
            MaxSizeAllowed=str(KEY_LIMIT_BYTES),
        )


def upload_exists(asked: ObjectRequest, _: "Layer") -> None:
    """Refuse a part or a completion for an upload that is not there: 404 NoSuchUpload.

    Moto fails with a KeyError. The upload that made the present object may be completed again.
    """
    upload = asked.upload_id
    if upload is None or asked.method not in {"PUT", "POST"}:
        return
    if upload in asked.backend.get_bucket(asked.bucket).multiparts:
        return
    if asked.method == "POST" and _upload_of(asked.current()) == upload:
        return
    raise RefusedError(404, "NoSuchUpload", "The specified upload does not exist.", UploadId=upload)


def copy_source_is_as_wanted(asked: ObjectRequest, _: "Layer") -> None:
    """Emulators' table, rows 1 and 3: a copy's source must have the ETag that was asked for."""
    if not asked.is_copy:
        return
    source = asked.copy_source()
    wanted = asked.headers.get("x-amz-copy-source-if-match")
    if wanted is not None and not etags_match(wanted, source.etag):
        raise precondition_failed("x-amz-copy-source-If-Match")


def copy_source_is_active(asked: ObjectRequest, _: "Layer") -> None:
    """Refuse to copy from GLACIER or DEEP_ARCHIVE, unless restored: 403 InvalidObjectState."""
    if not asked.is_copy:
        return
    source = asked.copy_source()
    restored = 'ongoing-request="false"' in source.response_dict.get("x-amz-restore", "")
    if source.storage_class in _ARCHIVED and not restored:
        raise RefusedError(
            403,
            "InvalidObjectState",
            "Operation is not valid for the source object's storage class",
            StorageClass=source.storage_class,
        )


def copy_is_small_enough(asked: ObjectRequest, layer: "Layer") -> None:
    """One copy carries 5 GiB at most (the layer's limit may be lower), of what the source has."""
    if not asked.is_copy:
        return
    size = whole = asked.copy_source().size
    if span := _RANGE.fullmatch(asked.headers.get("x-amz-copy-source-range", "")):
        size = int(span[2]) - int(span[1]) + 1
        if int(span[2]) >= whole:
            message = f"Range specified is not valid for source object of size: {whole}"
            raise RefusedError(400, "InvalidArgument", message)
    if size > layer.copy_limit_bytes:
        raise RefusedError(
            400,
            "InvalidRequest",
            "The specified copy source is larger than the maximum allowable size"
            f" for a copy source: {layer.copy_limit_bytes}",
        )


def destination_is_as_wanted(asked: ObjectRequest, _: "Layer") -> None:
    """Emulators' table, row 2: `If-None-Match: *` and `If-Match` on the object to be written.

    Moto knows both on PutObject, and the first on CompleteMultipartUpload; nothing on CopyObject.
    A completion that is sent again succeeds again.
    """
    if not asked.writes_object:
        return
    there = asked.current()
    if asked.upload_id and there is not None and asked.upload_id == _upload_of(there):
        return
    if asked.headers.get("if-none-match") == "*" and there is not None:
        raise precondition_failed("If-None-Match")
    wanted = asked.headers.get("if-match")
    if wanted is not None and there is None:
        raise no_such_key(asked.key)
    if wanted is not None and not etags_match(wanted, there.etag):
        raise precondition_failed("If-Match")


def conditional_delete_names_no_version(asked: ObjectRequest, _: "Layer") -> None:
    """Rule 22: DeleteObject with both If-Match and VersionId is not implemented: 501."""
    if asked.method == "DELETE" and "if-match" in asked.headers and "versionId" in asked.query:
        raise RefusedError(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
            Header="If-Match",
        )


def _upload_of(there: Moto) -> str | None:
    """Name the multipart upload that made an object, if one did."""
    upload = getattr(there, "multipart", None)
    return None if upload is None else str(upload.id)


CHECKS: Final[tuple[Check, ...]] = (
    key_fits,
    upload_exists,
    copy_source_is_as_wanted,
    copy_source_is_active,
    copy_is_small_enough,
    destination_is_as_wanted,
    conditional_delete_names_no_version,
)
