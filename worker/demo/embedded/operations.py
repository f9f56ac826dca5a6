"""Which AWS operation is this HTTP request? Counted, so that a test can tell what a move costs."""

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from worker.demo.embedded.patches import Moto

_FORM = "application/x-www-form-urlencoded"

_BUCKET_QUERIES = {
    "GET": {
        "notification": "GetBucketNotificationConfiguration",
        "versioning": "GetBucketVersioning",
        "policy": "GetBucketPolicy",
        "encryption": "GetBucketEncryption",
        "object-lock": "GetObjectLockConfiguration",
        "tagging": "GetBucketTagging",
        "location": "GetBucketLocation",
        "lifecycle": "GetBucketLifecycleConfiguration",
        "publicAccessBlock": "GetPublicAccessBlock",
        "ownershipControls": "GetBucketOwnershipControls",
        "versions": "ListObjectVersions",
        "uploads": "ListMultipartUploads",
        "list-type": "ListObjectsV2",
        "": "ListObjects",
    },
    "PUT": {
        "notification": "PutBucketNotificationConfiguration",
        "versioning": "PutBucketVersioning",
        "policy": "PutBucketPolicy",
        "encryption": "PutBucketEncryption",
        "object-lock": "PutObjectLockConfiguration",
        "tagging": "PutBucketTagging",
        "lifecycle": "PutBucketLifecycleConfiguration",
        "publicAccessBlock": "PutPublicAccessBlock",
        "ownershipControls": "PutBucketOwnershipControls",
        "": "CreateBucket",
    },
    "POST": {"delete": "DeleteObjects", "": "PostObject"},
    "DELETE": {
        "policy": "DeleteBucketPolicy",
        "tagging": "DeleteBucketTagging",
        "lifecycle": "DeleteBucketLifecycle",
        "encryption": "DeleteBucketEncryption",
        "": "DeleteBucket",
    },
    "HEAD": {"": "HeadBucket"},
}
_OBJECT_QUERIES = {
    "GET": {
        "tagging": "GetObjectTagging",
        "acl": "GetObjectAcl",
        "attributes": "GetObjectAttributes",
        "uploadId": "ListParts",
        "": "GetObject",
    },
    "PUT": {
        "tagging": "PutObjectTagging",
        "acl": "PutObjectAcl",
        "partNumber": "UploadPart",
        "": "PutObject",
    },
    "POST": {
        "uploads": "CreateMultipartUpload",
        "uploadId": "CompleteMultipartUpload",
        "restore": "RestoreObject",
    },
    "DELETE": {
        "tagging": "DeleteObjectTagging",
        "uploadId": "AbortMultipartUpload",
        "": "DeleteObject",
    },
    "HEAD": {"": "HeadObject"},
}
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}


def operation_name(
    method: str, path: str, query: Mapping[str, object], headers: Mapping[str, str], form: str = ""
) -> str:
    """Name the operation, as boto3 does ("CopyObject").

    `headers` by lower-case name; `form` is the body of a query-protocol request, else empty. A
    request of a service that is known by its path alone (Lambda) is named by method and path.
    """
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if action := parse_qs(form).get("Action") or query.get("Action"):
        return str(action[0] if isinstance(action, list) else action)
    if "/s3/" in headers.get("authorization", "/s3/"):
        return _s3_operation(method, path, query, headers)
    return f"{method} {path}"


def _s3_operation(
    method: str, path: str, query: Mapping[str, object], headers: Mapping[str, str]
) -> str:
    bucket, _, key = path.lstrip("/").partition("/")
    if not bucket:
        return "ListBuckets"
    names = (_OBJECT_QUERIES if key else _BUCKET_QUERIES).get(method, {})
    name = next((names[each] for each in query if each in names), names.get("", method))
    return _COPIES.get(name, name) if "x-amz-copy-source" in headers else name


class RequestCounter:
    """Counts requests by operation; safe to read and to reset while the server runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def __getitem__(self, operation: str) -> int:
        with self._lock:
            return self._counts[operation]

    def add(self, operation: str) -> None:
        """Count one request."""
        with self._lock:
            self._counts[operation] += 1

    def snapshot(self) -> Counter[str]:
        """Give a copy of all counts; subtract two of them to see what happened in between."""
        with self._lock:
            return self._counts.copy()

    def clear(self) -> None:
        """Start again from zero."""
        with self._lock:
            self._counts.clear()


def counting(
    application: Moto, counter: RequestCounter
) -> Callable[[dict[str, Any], Moto], Iterable[bytes]]:
    """Wrap a WSGI application: each request is named and counted before it is carried out."""

    def counted(environ: dict[str, Any], start_response: Moto) -> Iterable[bytes]:
        headers = {
            name[5:].replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        counter.add(
            operation_name(
                environ["REQUEST_METHOD"],
                environ.get("PATH_INFO", ""),
                parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True),
                headers,
                _form_of(environ),
            )
        )
        answer: Iterable[bytes] = application(environ, start_response)
        return answer

    return counted


def _form_of(environ: dict[str, Any]) -> str:
    """Read the body of a query-protocol request, and put it back for the next reader."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not environ.get("CONTENT_TYPE", "").startswith(_FORM) or not length.isdigit():
        return ""
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode("utf-8", errors="replace")
