"""One S3 object request as the corrections see it, and the way to refuse it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlparse
from xml.sax.saxutils import escape

import xmltodict  # type: ignore[import-untyped] # moto brings it, without types

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

Answer = tuple[int, dict[str, str], str]
Handler = Callable[[Moto, Moto, str], object]


class RefusedError(Exception):
    """S3 says no: HTTP status, error code, message, and the elements that the code brings."""

    def __init__(self, status: int, code: str, message: str, **elements: str) -> None:
        super().__init__(message)
        self.status, self.code, self.elements = status, code, {"Message": message, **elements}

    def answer(self) -> Answer:
        """Give the response as moto's S3 gives it: status, headers, body."""
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in self.elements.items())
        body = f"{_XML}<Error><Code>{self.code}</Code>{inner}</Error>"
        return self.status, {"content-type": "application/xml"}, body


def parse_xml(text: str | bytes, *, keep_spaces: bool = False) -> dict[str, Moto]:
    """Read an XML document as nested dicts. ExpatError if it is none."""
    document: dict[str, Moto] = xmltodict.parse(text, strip_whitespace=not keep_spaces)
    return document


def unparse_xml(document: dict[str, Moto]) -> str:
    """Write nested dicts as XML. A carriage return is escaped, or its reader makes it a newline."""
    text: str = xmltodict.unparse(document)
    return text.replace("\r", "&#13;")


def precondition_failed(condition: str) -> RefusedError:
    """Build S3's 412; `condition` is the header that did not hold."""
    message = "At least one of the pre-conditions you specified did not hold"
    return RefusedError(412, "PreconditionFailed", message, Condition=condition)


def no_such_key(key: str) -> RefusedError:
    """Build S3's 404 for an object that is not there."""
    return RefusedError(404, "NoSuchKey", "The specified key does not exist.", Key=key)


def etags_match(wanted: str, actual: str) -> bool:
    """Compare two ETags, quoted or not; S3 takes both."""
    return wanted.strip('"') == actual.strip('"')


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """A request for one object: what moto's handler holds, under plain names."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    backend: Moto

    @classmethod
    def of(cls, handler: Moto, request: Moto, full_url: str) -> "ObjectRequest":
        """Read moto's handler, once it has parsed the request."""
        return cls(
            method=request.method,
            bucket=handler.bucket_name,
            key=handler.parse_key_name(),
            query=parse_qs(urlparse(full_url).query, keep_blank_values=True),
            headers=handler.headers,
            backend=handler.backend,
        )

    @property
    def upload_id(self) -> str | None:
        """The multipart upload that the request is about."""
        return self.query.get("uploadId", [None])[0]

    @property
    def is_copy(self) -> bool:
        """Whether this is a CopyObject or an UploadPartCopy."""
        return self.method == "PUT" and "x-amz-copy-source" in self.headers

    @property
    def writes_object(self) -> bool:
        """Whether this makes the object itself: PutObject, CopyObject, CompleteMultipartUpload."""
        if self.method == "POST":
            return self.upload_id is not None
        subresources = {"uploadId", "tagging", "acl", "retention", "legal-hold"}
        return self.method == "PUT" and not subresources & self.query.keys()

    def current(self) -> Moto:
        """Give the object that is there now, or None; a delete marker is none."""
        return self.backend.get_object(self.bucket, self.key)

    def copy_source(self) -> Moto:
        """Give the object that is to be copied. Raises RefusedError (404) if there is none."""
        parsed = urlparse(self.headers["x-amz-copy-source"])
        bucket, _, key = unquote(parsed.path).lstrip("/").partition("/")
        version = parse_qs(parsed.query).get("versionId", [None])[0]
        source = self.backend.get_object(bucket, key, version_id=version)
        if source is None and version is not None:
            raise RefusedError(
                404, "NoSuchVersion", "The specified version does not exist.", Key=key
            )
        if source is None:
            raise no_such_key(key)
        return source


def under_lock(
    layer: "Layer", handle: Handler, check: Callable[[Moto, Moto, str], None] | None = None
) -> Handler:
    """Let one S3 request at a time look and write; deliver its events after it, unlocked.

    Without this, two conditional writes could both see their condition hold (rule 23c).
    `check` runs first and may raise RefusedError.
    """

    def handled(handler: Moto, request: Moto, full_url: str) -> object:
        answer: object
        try:
            with layer.s3_lock:
                try:
                    if check is not None:
                        check(handler, request, full_url)
                    answer = handle(handler, request, full_url)
                finally:
                    owed, layer.outbox[:] = list(layer.outbox), []
        except RefusedError as refusal:
            return refusal.answer()
        for deliver in owed:
            deliver()
        return answer

    return handled
