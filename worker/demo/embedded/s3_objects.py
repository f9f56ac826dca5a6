"""What S3 keeps, and what it drops, of an object that is copied or uploaded in parts."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.moto_server.utilities import RegexConverter
from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_BUCKET_KEY: Final = "x-amz-server-side-encryption-bucket-key-enabled"
_REDIRECT: Final = "x-amz-website-redirect-location"

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Correct what becomes of an object's parts and properties."""
    patches = layer.patches
    patches.wrap(S3Backend, "copy_object", copy_is_an_object_of_its_own)
    patches.wrap(S3Response, "_key_response_post", upload_remembers_its_bucket_key)
    patches.wrap(S3Backend, "complete_multipart_upload", upload_brings_its_bucket_key)
    patches.wrap(RegexConverter, "__init__", key_may_hold_a_newline)
    patches.replace(FakeKey, "__del__", let_go_quietly)


def copy_is_an_object_of_its_own(copy: Handler) -> Handler:
    """Let a copy have no parts of its source's, and no website redirect that was not asked for.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """

    def copied(
        self: Moto, source: Moto, bucket: str, key: str, *args: object, **named: Moto
    ) -> None:
        copy(self, source, bucket, key, *args, **named)
        made = self.get_object(bucket, key)
        made.multipart = None
        if not named.get("website_redirect_location"):
            made.metadata.pop(_REDIRECT, None)
            made.website_redirect_location = None

    return copied


def upload_remembers_its_bucket_key(post: Handler) -> Handler:
    """Keep CreateMultipartUpload's BucketKeyEnabled, which moto forgets."""

    def posted(self: Moto, request: Moto, *args: object, **named: object) -> Moto:
        uploads = self.backend.get_bucket(self.bucket_name).multiparts
        before = set(uploads)
        answer = post(self, request, *args, **named)
        for upload_id in uploads.keys() - before:
            uploads[upload_id].bucket_key_enabled = request.headers.get(_BUCKET_KEY)
        return answer

    return posted


def upload_brings_its_bucket_key(complete: Handler) -> Handler:
    """Give the finished object the BucketKeyEnabled that its upload was created with."""

    def completed(self: Moto, bucket_name: str, multipart_id: str, body: Moto) -> Moto:
        upload = self.get_bucket(bucket_name).multiparts[multipart_id]
        key = complete(self, bucket_name, multipart_id, body)
        if key is not None and upload.bucket_key_enabled is not None:
            key.bucket_key_enabled = upload.bucket_key_enabled
        return key

    return completed


def key_may_hold_a_newline(init: Handler) -> Handler:
    """Route keys with a line break in them, which S3 takes; moto's pattern stops at it: 404."""

    def initialised(self: Moto, url_map: Moto, pattern: str, *items: object) -> None:
        init(self, url_map, r"[\s\S]+" if pattern == ".+" else pattern, *items)

    return initialised


def let_go_quietly(self: Moto) -> None:
    """Close the object's buffer as moto does, without its warning that nobody closed it before."""
    self.dispose()
