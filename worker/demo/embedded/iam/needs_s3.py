"""What an S3 request needs to be allowed.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs, unquote, urlparse
from xml.parsers.expat import ExpatError

from moto.s3.models import s3_backends

from worker.demo.embedded.iam.asking import Asked
from worker.demo.embedded.iam.needs import ACCOUNT, Need
from worker.demo.embedded.iam.needs_kms import of_files
from worker.demo.embedded.patches import Moto
from worker.demo.embedded.s3_request import parse_xml

_ACTIONS: Final = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectAttributes": "GetObject",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
"""Where the action is not called like the operation."""
_READS: Final = {"GetObject", "HeadObject", "GetObjectAttributes"}
_VERSIONED: Final = {"GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging"}


def of_s3(asked: Asked) -> Iterable[Need]:
    """Give the needs of one request: its own, its copy source's, its conditions' and its tags'."""
    if asked.operation == "ListBuckets":
        return [Need("s3:ListAllMyBuckets")]
    bucket, key = asked.parameters["Bucket"], asked.parameters["Key"]
    if asked.operation == "DeleteObjects":
        return [
            Need(f"s3:DeleteObject{'Version' if version else ''}", _object(bucket, each))
            for each, version in _keys(asked.body)
        ]
    if asked.operation == "CreateBucket":
        return [Need(f"s3:{each}", f"arn:aws:s3:::{bucket}") for each in _making(asked)]
    if not key:
        return [Need(f"s3:{_action(asked)}", f"arn:aws:s3:::{bucket}", _listing(asked))]
    needs = [Need(f"s3:{_action(asked)}", _object(bucket, key))]
    if "if-match" in asked.headers and asked.operation not in _READS:
        needs.append(Need("s3:GetObject", _object(bucket, key)))
    if asked.operation in _READS:
        needs += _if_missing(bucket, key)
    if "x-amz-tagging" in asked.headers:
        needs.append(Need("s3:PutObjectTagging", _object(bucket, key)))
    source = "/".join(_copy_source(asked))
    under_a_key = of_files(asked, _find(bucket, key), source, _find(*_copy_source(asked)))
    return [*needs, *_copy_needs(asked, _object(bucket, key)), *under_a_key]


def _action(asked: Asked) -> str:
    action = _ACTIONS.get(asked.operation, asked.operation)
    if "versionId" in asked.query and action in _VERSIONED:
        return action.replace("Object", "ObjectVersion")
    return action


def _listing(asked: Asked) -> dict[str, str]:
    return {
        f"s3:{name}": asked.query[name][0]
        for name in ("prefix", "delimiter")
        if name in asked.query
    }


def _copy_source(asked: Asked) -> tuple[str, str]:
    """Give bucket and key of a copy's source; "" of anything else."""
    parsed = urlparse(asked.headers.get("x-amz-copy-source", ""))
    bucket, _, key = unquote(parsed.path).lstrip("/").partition("/")
    return bucket, key


def _copy_needs(asked: Asked, target: str) -> Iterable[Need]:
    """Ask for what a copy reads: its source, and the source's tags, if any go along."""
    if "x-amz-copy-source" not in asked.headers:
        return []
    bucket, key = _copy_source(asked)
    query = urlparse(asked.headers["x-amz-copy-source"]).query
    version = "Version" if "versionId" in parse_qs(query) else ""
    needs = [Need(f"s3:GetObject{version}", _object(bucket, key)), *_if_missing(bucket, key)]
    replaced = asked.headers.get("x-amz-tagging-directive") == "REPLACE"
    if asked.operation == "CopyObject" and not replaced and _has_tags(bucket, key):
        needs += [
            Need(f"s3:GetObject{version}Tagging", _object(bucket, key)),
            Need("s3:PutObjectTagging", target),
        ]
    return needs


def _if_missing(bucket: str, key: str) -> list[Need]:
    """Rule 21: whoever may not list is told 403, not 404, of an object that is not there."""
    if _find(bucket, key) is not None:
        return []
    return [Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")]


def _has_tags(bucket: str, key: str) -> bool:
    found = _find(bucket, key)
    tagger = s3_backends[ACCOUNT]["aws"].tagger
    return found is not None and bool(tagger.get_tag_dict_for_resource(found.arn))


def _find(bucket: str, key: str) -> Moto:
    """Give an object, or None."""
    there = s3_backends[ACCOUNT]["aws"].buckets.get(bucket)
    found = None if there is None else there.keys.get(key)
    return None if found is None or not hasattr(found, "etag") else found


def _object(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}"


def _keys(body: bytes) -> list[tuple[str, bool]]:
    """Read the keys of a DeleteObjects document, and whether a version of each is named.

    None, if it is malformed: S3 will say so.
    """
    try:
        found = parse_xml(body, keep_spaces=True)["Delete"].get("Object", [])
    except (ExpatError, KeyError):
        return []
    objects = found if isinstance(found, list) else [found]
    return [(str(each.get("Key") or ""), bool(each.get("VersionId"))) for each in objects]


def _making(asked: Asked) -> list[str]:
    """Name what making a bucket needs, by its ownership and its tags.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    owned = ["PutBucketOwnershipControls"] if "x-amz-object-ownership" in asked.headers else []
    return ["CreateBucket", *owned, *(["TagResource"] if b"<Tag>" in asked.body else [])]
