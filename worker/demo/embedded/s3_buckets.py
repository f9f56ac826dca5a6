"""Buckets: what a new one has, and whose a name is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.s3.models import S3Backend, s3_backends
from moto.s3.responses import S3Response

from worker.demo.embedded.patches import Moto
from worker.demo.embedded.s3_request import RefusedError, parse_xml

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_BLOCKED: Final = {
    "BlockPublicAcls": "true",
    "IgnorePublicAcls": "true",
    "BlockPublicPolicy": "true",
    "RestrictPublicBuckets": "true",
}
SSE_S3: Final = {
    "Rule": {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": "false",
    }
}
"""What every bucket has, unless it was given another."""

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Give a new bucket what AWS gives it, and ask whose it is."""
    patches = layer.patches
    patches.wrap(S3Backend, "create_bucket", new_bucket_is_private_and_encrypted)
    patches.wrap(S3Response, "_bucket_response_put", new_bucket_has_its_tags)
    patches.wrap(S3Response, "_bucket_response", owner_is_as_expected)


def new_bucket_is_private_and_encrypted(create: Handler) -> Handler:
    """Emulators' table, "a new bucket": no ACLs, no public access, SSE-S3; moto sets none of it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
    """

    def created(self: Moto, *args: object, **kwargs: object) -> Moto:
        bucket = create(self, *args, **kwargs)
        bucket.ownership_rule = "BucketOwnerEnforced"
        self.put_public_access_block(bucket.name, dict(_BLOCKED))
        bucket.encryption = SSE_S3
        return bucket

    return created


def new_bucket_has_its_tags(put: Handler) -> Handler:
    """Emulators' table, "a new bucket": tagged by the very call that creates it.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """

    def answered(self: Moto, request: Moto, bucket_name: str, querystring: Moto) -> Moto:
        is_new = not querystring and bucket_name not in s3_backends.bucket_accounts
        answer = put(self, request, bucket_name, querystring)
        if is_new and self.body:
            told = (parse_xml(self.body)["CreateBucketConfiguration"] or {}).get("Tags") or {}
            listed = told.get("Tag", [])
            tags = listed if isinstance(listed, list) else [listed]
            named = {each["Key"]: each["Value"] or "" for each in tags}
            if named:
                self.backend.put_bucket_tagging(bucket_name, named)
        return answer

    return answered


def owner_is_as_expected(respond: Handler) -> Handler:
    """Emulators' table, "ExpectedBucketOwner": 403 if it is not the owner.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """

    def responded(self: Moto, request: Moto, full_url: str) -> Moto:
        wanted = request.headers.get("x-amz-expected-bucket-owner")
        name = self.parse_bucket_name_from_url(request, full_url)
        _, owner = s3_backends.bucket_accounts.get(name, (None, wanted))
        if wanted is not None and wanted != owner:
            raise RefusedError(403, "AccessDenied", "Access Denied")
        return respond(self, request, full_url)

    return responded
