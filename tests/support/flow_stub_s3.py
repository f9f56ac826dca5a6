"""The cheap S3: keys and ETags in a dict, every answer in constant time, all conditions kept."""

import itertools
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree as ET

from support.flow_http import HttpAnswer, HttpRequest

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
DATE = "Mon, 01 Jun 2026 12:00:00 GMT"
XML = (("Content-Type", "application/xml"),)

NO_SUCH_KEY = (404, "NoSuchKey")
FAILED = (412, "PreconditionFailed")

Refusal = tuple[int, str]


class CheapS3:
    """Any bucket exists; an object is its ETag (a string without quotes), its bytes are nobody's.

    Keys are `bucket/key`, percent-decoded.
    """

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self._uploads = itertools.count(1)

    def answer(self, request: HttpRequest, operation: str) -> HttpAnswer:
        """Carry out one request; `operation` as boto3 names it."""
        path, _, query = request.target.partition("?")
        place = unquote(path[1:])
        match operation:
            case "CopyObject":
                return self._copy(place, request.headers)
            case "DeleteObjects":
                return self._delete_several(place.rstrip("/"), request.body)
            case "DeleteObject":
                return self._delete(place, request.headers)
            case "HeadObject":
                return self._head(place)
            case "PutObject":
                etag = f"{next(self._uploads):032x}"
                self.objects[place] = etag
                return HttpAnswer(200, headers=(("ETag", f'"{etag}"'),))
            case "GetObjectTagging" | "AbortMultipartUpload":
                return _error(404, "NoSuchKey" if "Tagging" in operation else "NoSuchUpload")
            case "ListObjects" | "ListObjectsV2":
                return self._list(place.rstrip("/"), query)
        return _error(501, "NotImplemented")

    def count(self, prefix: str) -> int:
        """Count the objects whose `bucket/key` starts with the prefix."""
        return sum(key.startswith(prefix) for key in self.objects)

    def _copy(self, to: str, headers: Mapping[str, str]) -> HttpAnswer:
        etag = self.objects.get(unquote(headers["x-amz-copy-source"]).lstrip("/"))
        if etag is None:
            return _error(*NO_SUCH_KEY)
        wanted = headers.get("x-amz-copy-source-if-match")
        if wanted and wanted.strip('"') != etag:
            return _error(*FAILED)
        if refusal := self._refusal(to, headers):
            return _error(*refusal)
        self.objects[to] = etag
        return HttpAnswer(200, _copied(etag), XML)

    def _refusal(self, place: str, headers: Mapping[str, str]) -> Refusal | None:
        there = self.objects.get(place)
        if "if-none-match" in headers and there is not None:
            return FAILED
        if wanted := headers.get("if-match"):
            return NO_SUCH_KEY if there is None else _unless_same(wanted, there)
        return None

    def _delete(self, place: str, headers: Mapping[str, str]) -> HttpAnswer:
        if refusal := self._refusal(place, headers):
            return _error(*refusal)
        self.objects.pop(place, None)
        return HttpAnswer(204)

    def _delete_several(self, bucket: str, body: bytes) -> HttpAnswer:
        told: list[str] = []
        for each in ET.fromstring(body):  # noqa: S314 - our own worker wrote it
            key, etag = each.findtext(f"{NAMESPACE}Key"), each.findtext(f"{NAMESPACE}ETag")
            if key is None:
                continue
            headers = {"if-match": etag} if etag else {}
            refusal = self._refusal(f"{bucket}/{key}", headers)
            if refusal:
                told.append(f"<Error><Key>{_xml(key)}</Key><Code>{refusal[1]}</Code></Error>")
                continue
            self.objects.pop(f"{bucket}/{key}", None)
            told.append(f"<Deleted><Key>{_xml(key)}</Key></Deleted>")
        return HttpAnswer(200, f"<DeleteResult>{''.join(told)}</DeleteResult>".encode(), XML)

    def _head(self, place: str) -> HttpAnswer:
        etag = self.objects.get(place)
        if etag is None:
            return HttpAnswer(404)
        headers = (("ETag", f'"{etag}"'), ("Content-Length", "0"), ("Last-Modified", DATE))
        return HttpAnswer(200, headers=headers)

    def _list(self, bucket: str, query: str) -> HttpAnswer:
        asked = parse_qs(query)
        prefix = f"{bucket}/{asked.get('prefix', [''])[0]}"
        most = int(asked.get("max-keys", ["1000"])[0])
        keys = sorted(key for key in self.objects if key.startswith(prefix))[:most]
        told = "".join(f"<Contents><Key>{_xml(key)}</Key></Contents>" for key in keys)
        text = f"<ListBucketResult><KeyCount>{len(keys)}</KeyCount>{told}</ListBucketResult>"
        return HttpAnswer(200, text.encode(), XML)


def _unless_same(wanted: str, there: str) -> Refusal | None:
    return None if wanted.strip('"') == there else FAILED


def _copied(etag: str) -> bytes:
    when = "<LastModified>2026-06-01T12:00:00.000Z</LastModified>"
    return f'<CopyObjectResult>{when}<ETag>"{etag}"</ETag></CopyObjectResult>'.encode()


def _error(status: int, code: str) -> HttpAnswer:
    return HttpAnswer(status, f"<Error><Code>{code}</Code></Error>".encode(), XML)


def _xml(text: str) -> str:
    return re.sub(r"[&<>]", lambda found: f"&#{ord(found[0])};", text)
