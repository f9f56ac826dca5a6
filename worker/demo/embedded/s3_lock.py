"""Object Lock: which versions it keeps, until when by this AWS's clock, and how S3 says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from moto.s3.exceptions import AccessDeniedByLock
from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response
from werkzeug.datastructures import Headers

from worker.demo.embedded.patches import Moto
from worker.demo.embedded.s3_request import RefusedError

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_ALGORITHM: Final = "x-amz-sdk-checksum-algorithm"
_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Correct what moto keeps and says of locked versions."""
    patches = layer.patches
    patches.replace(FakeBucket, "default_retention", retention_by(layer))
    patches.replace(FakeKey, "is_locked", lock_by(layer))
    patches.wrap(S3Backend, "complete_multipart_upload", joined_parts_are_locked)
    patches.wrap(S3Response, "delete_object", refusal_names_the_lock)
    patches.wrap(S3Response, "_key_response_put", copies_bring_no_sum)


def retention_by(layer: "Layer") -> Handler:
    """Rule 23d: a default retention counts from the version's making, by the embedded clock."""

    def until(self: Moto) -> str:
        days = timedelta(days=(self.default_lock_days or 0) + 365 * (self.default_lock_years or 0))
        return (_now(layer) + days).strftime(_FORM)

    return until


def lock_by(layer: "Layer") -> Handler:
    """Rule 23d: a version is kept by a legal hold, and until its retention is over."""

    def is_locked(self: Moto, governance_bypass: Moto) -> bool:
        if self.lock_legal_status == "ON":
            return True
        if not self.lock_mode or (self.lock_mode == "GOVERNANCE" and governance_bypass):
            return False
        return bool(datetime.fromisoformat(self.lock_until) > _now(layer))

    return is_locked


def joined_parts_are_locked(complete: Handler) -> Handler:
    """Rule 23d: the default retention is for what comes in parts as well; moto forgets it."""

    def completed(self: Moto, bucket_name: str, *args: Moto) -> Moto:
        key, bucket = complete(self, bucket_name, *args), self.get_bucket(bucket_name)
        if key is not None and bucket.has_default_lock:
            key.lock_mode, key.lock_until = bucket.default_lock_mode, bucket.default_retention()
        return key

    return completed


def refusal_names_the_lock(delete: Handler) -> Handler:
    """Rule 23d: 403, with the reason; moto says 400 and does not tell it from other refusals."""

    def deleted(self: Moto, *args: Moto) -> Moto:
        try:
            return delete(self, *args)
        except AccessDeniedByLock as error:
            message = "Access Denied because object protected by object lock."
            raise RefusedError(403, "AccessDenied", message) from error

    return deleted


def copies_bring_no_sum(put: Handler) -> Handler:
    """Take copies into a bucket that locks: they have no body whose sum could be asked for.

    Of a PutObject S3 asks Content-MD5 or a checksum there, as moto does.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """

    def taken(self: Moto, *args: Moto) -> Moto:
        if "x-amz-copy-source" in self.headers:
            self.headers = Headers([*self.headers.items(), (_ALGORITHM, "of no body")])
        return put(self, *args)

    return taken


def _now(layer: "Layer") -> datetime:
    return datetime.fromtimestamp(layer.clock(), UTC)
