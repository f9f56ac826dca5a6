"""What KMS needs, and what S3 asks of it in the caller's name for files under a customer's key.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

from worker.demo.embedded.iam.asking import Asked
from worker.demo.embedded.iam.needs import ACCOUNT, ANY, Need, arn
from worker.demo.embedded.patches import Moto

_HEADER: Final = "x-amz-server-side-encryption"
_ENCRYPT: Final = {"CopyObject", "CreateMultipartUpload", "PutObject"}
_DECRYPT_OWN_PARTS: Final = {"CompleteMultipartUpload", "UploadPart", "UploadPartCopy"}


@dataclass(frozen=True, slots=True)
class _Under:
    """How something is encrypted: the key as it was named, and whether by an S3 Bucket Key."""

    key: str | None
    by_bucket_key: bool


def of_kms(asked: Asked) -> Iterable[Need]:
    """KMS itself: by key; the making and the listing of keys by none.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
    """
    key = asked.parameters.get("KeyId")
    return [Need(f"kms:{asked.operation}", ANY if key is None else _key_arn(asked, key))]


def of_files(asked: Asked, found: Moto, source: str, source_found: Moto) -> Iterable[Need]:
    """Rule 12a: writing encrypts, reading decrypts, a copy does both.

    `found`: the object that is asked for, `source_found`: the copy's source, called `source`
    ("bucket/key"); None where there is none. HeadObject decrypts only for the checksum.
    """
    target = "{Bucket}/{Key}".format(**asked.parameters)
    reads = asked.operation == "GetObject" or "x-amz-checksum-mode" in asked.headers
    if reads and found is not None:
        yield from _need(asked, "Decrypt", target, _of_object(found))
    if source_found is not None:
        yield from _need(asked, "Decrypt", source, _of_object(source_found))
    if asked.operation in _ENCRYPT:
        yield from _need(asked, "GenerateDataKey", target, _of_request(asked))
    if asked.operation in _DECRYPT_OWN_PARTS:
        yield from _need(asked, "Decrypt", target, _of_upload(asked))


def key_policy(key_arn: str) -> str | None:
    """Give a key's policy as JSON; None if there is no such key."""
    _, _, _, region, account, key = key_arn.split(":")
    there = kms_backends[account][region].keys.get(key.removeprefix("key/"))
    return None if there is None else str(there.policy)


def _need(asked: Asked, action: str, target: str, under: _Under | None) -> Iterable[Need]:
    if under is None or under.key is None or _is_awss_own(asked, under.key):
        return []  # SSE-S3, or AWS's own key, which lets in whoever S3 lets in
    bucket = target.partition("/")[0]
    context = {
        "kms:CallerAccount": ACCOUNT,
        "kms:EncryptionContext:aws:s3:arn": (
            f"arn:aws:s3:::{bucket if under.by_bucket_key else target}"
        ),
        "kms:ViaService": f"s3.{asked.region}.amazonaws.com",
    }
    return [Need(f"kms:{action}", _key_arn(asked, under.key), context)]


def _is_awss_own(asked: Asked, key: str) -> bool:
    if "alias/aws/" in key:
        return True
    found = kms_backends[ACCOUNT][asked.region].keys.get(_key_arn(asked, key).rpartition("/")[2])
    return found is not None and found.key_manager == "AWS"


def _key_arn(asked: Asked, key: str) -> str:
    if key.startswith("arn:") and ":key/" in key:
        return key
    return arn(asked, "kms", f"key/{kms_backends[ACCOUNT][asked.region].any_id_to_key_id(key)}")


def _of_object(found: Moto) -> _Under | None:
    return _under(found.encryption, found.kms_key_id, found.bucket_key_enabled)


def _of_request(asked: Asked) -> _Under | None:
    """Read what the request asks for, or else the bucket's default."""
    if _HEADER not in asked.headers:
        return _of_bucket(asked)
    key = asked.headers.get(f"{_HEADER}-aws-kms-key-id")
    return _under(asked.headers[_HEADER], key, asked.headers.get(f"{_HEADER}-bucket-key-enabled"))


def _of_upload(asked: Asked) -> _Under | None:
    bucket = _bucket(asked)
    upload = None if bucket is None else bucket.multiparts.get(asked.query["uploadId"][0])
    if upload is None or upload.sse_encryption is None:
        return _of_bucket(asked)
    return _under(upload.sse_encryption, upload.kms_key_id, upload.bucket_key_enabled)


def _of_bucket(asked: Asked) -> _Under | None:
    bucket = _bucket(asked)
    rule: Mapping[str, Moto] = bucket.encryption["Rule"] if bucket and bucket.encryption else {}
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    algorithm, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
    return _under(algorithm, key, rule.get("BucketKeyEnabled"))


def _bucket(asked: Asked) -> Moto:
    return s3_backends[ACCOUNT]["aws"].buckets.get(asked.parameters["Bucket"])


def _under(algorithm: str | None, key: str | None, by_bucket_key: Moto) -> _Under | None:
    if algorithm is None or not algorithm.startswith("aws:kms"):
        return None
    return _Under(key, str(by_bucket_key).lower() == "true")
