"""The S3 requests that are spoken here, as HTTP, and what their answers mean. Pure.

Sources: CopyObject, DeleteObject, DeleteObjects and UploadPartCopy in the S3 API reference.
"""

import re
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from worker.aws.http.connection import Response
from worker.aws.s3_replies import reply_to_code, reply_to_key_error
from worker.core.port import (
    Copied,
    CopyObject,
    Deleted,
    DeleteObject,
    DeleteObjects,
    Encryption,
    Fault,
    FaultKind,
    Location,
    Part,
    Replies,
    Reply,
    UploadPartCopy,
)

Spoken: TypeAlias = CopyObject | DeleteObject | DeleteObjects | UploadPartCopy

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
ETAG = re.compile(r"[\x21-\x7e]*")
OK = 200
REDIRECTS = 300
"""From here on an answer is none; 200 may still be one in name only (rule 22)."""


@dataclass(slots=True)
class Form:
    """A request as HTTP; `key` and `query` percent-encoded, header names in lower case."""

    method: str
    bucket: str
    key: str
    headers: dict[str, str]
    query: str = ""
    body: bytes = b""


class UnspeakableError(Exception):
    """Raised for an ETag that no header can carry; S3 has none such."""


def form_of(request: Spoken, *, conditions: bool) -> Form:
    """Write a request; `conditions` False leaves all conditions away. Raises UnspeakableError."""
    match request:
        case CopyObject():
            headers = {"x-amz-copy-source": _source(request.source)}
            if conditions:
                headers["x-amz-copy-source-if-match"] = quoted(request.source_etag)
                _put_destination_condition(headers, request.destination_etag)
            _put_storage(headers, request.storage_class, request.encryption)
            return _form("PUT", request.destination, headers)
        case DeleteObject(location, etag):
            return _form("DELETE", location, {"if-match": quoted(etag)} if conditions else {})
        case UploadPartCopy():
            headers = {
                "x-amz-copy-source": _source(request.source),
                "x-amz-copy-source-range": f"bytes={request.first_byte}-{request.last_byte}",
            }
            if conditions:
                headers["x-amz-copy-source-if-match"] = quoted(request.source_etag)
            query = f"partNumber={request.number}&uploadId={quote(request.upload_id, safe='~')}"
            return _form("PUT", request.destination, headers, query)
        case DeleteObjects(deletes):
            return _delete_several(deletes, conditions=conditions)


def reply_of(request: Spoken, response: Response) -> Reply:
    """Read the answer to a request."""
    operation = type(request).__name__
    if response.status >= REDIRECTS:
        return _refusal(operation, response)
    if isinstance(request, DeleteObject):
        return Deleted()
    try:
        document = ET.fromstring(response.body)  # noqa: S314 - expat expands no entities of S3's
    except ET.ParseError:
        return _cut_off(operation)
    if document.tag == "Error":
        return _refusal(operation, Response(500, response.headers, response.body))
    if isinstance(request, DeleteObjects):
        return _replies(request.deletes, document)
    etag = _text(document, "ETag").strip('"')
    if not etag:
        return _cut_off(operation)
    return Part(request.number, etag) if isinstance(request, UploadPartCopy) else Copied(etag)


def quoted(etag: str) -> str:
    """Return an ETag as headers have it. Raises UnspeakableError."""
    if not ETAG.fullmatch(etag):
        raise UnspeakableError(f"no ETag of S3's: {etag[:80]!r}")
    return f'"{etag}"'


def _form(method: str, at: Location, headers: dict[str, str], query: str = "") -> Form:
    return Form(method, at.bucket, quote(at.key, safe="/~"), headers, query)


def _source(source: Location) -> str:
    return f"{source.bucket}/{quote(source.key, safe='/~')}"


def _put_destination_condition(headers: dict[str, str], etag: str | None) -> None:
    if etag is None:
        headers["if-none-match"] = "*"
    else:
        headers["if-match"] = quoted(etag)


def _put_storage(
    headers: dict[str, str], storage_class: str | None, encryption: Encryption | None
) -> None:
    if storage_class:
        headers["x-amz-storage-class"] = storage_class
    if encryption:
        headers["x-amz-server-side-encryption"] = encryption.algorithm
        if encryption.kms_key_id:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = encryption.kms_key_id
        if encryption.bucket_key is not None:
            value = str(encryption.bucket_key).lower()
            headers["x-amz-server-side-encryption-bucket-key-enabled"] = value


def _delete_several(deletes: tuple[DeleteObject, ...], *, conditions: bool) -> Form:
    entries = "".join(
        f"<Object><Key>{escape(each.location.key)}</Key>"
        + (f"<ETag>{escape(quoted(each.etag))}</ETag>" if conditions else "")
        + "</Object>"
        for each in deletes
    )
    body = f'<Delete xmlns="{NAMESPACE}">{entries}</Delete>'.encode()
    headers = {
        "content-type": "application/xml",
        "x-amz-checksum-crc32": b64encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
        "x-amz-sdk-checksum-algorithm": "CRC32",
    }
    return Form("POST", deletes[0].location.bucket, "", headers, "delete=", body)


def _replies(deletes: tuple[DeleteObject, ...], document: ET.Element) -> Reply:
    known: dict[str, Reply] = {}
    for entry in document:
        told = {child.tag.rpartition("}")[2]: child.text or "" for child in entry}
        is_error = entry.tag.endswith("Error")
        known[told.get("Key", "")] = reply_to_key_error(told) if is_error else Deleted()
    unsaid = Fault(FaultKind.UNAVAILABLE, "DeleteObjects", "NotTold", "no word of this key")
    return Replies(tuple(known.get(each.location.key, unsaid) for each in deletes))


def _refusal(operation: str, response: Response) -> Reply:
    told: Mapping[str, str] = {}
    try:
        document = ET.fromstring(response.body)  # noqa: S314 - as above
        told = {child.tag.rpartition("}")[2]: child.text or "" for child in document}
    except ET.ParseError:
        pass  # a proxy's page, or none at all: its status must do
    code = told.get("Code") or str(response.status)
    return reply_to_code(operation, code, told.get("Message", ""), response.status)


def _cut_off(operation: str) -> Fault:
    return Fault(FaultKind.UNAVAILABLE, operation, "500", "an answer that is not whole")


def _text(document: ET.Element, name: str) -> str:
    return next((each.text or "" for each in document if each.tag.rpartition("}")[2] == name), "")
