"""What S3 refuses of copies and writes. Every test here fails on plain moto."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

Client = Any
"""A boto3 client."""


Refusal = Callable[..., tuple[int, str]]

PRECONDITION = (412, "PreconditionFailed")


def put(s3: Client, bucket: str, key: str = "uploads/a", body: bytes = b"new", **more: str) -> str:
    """Put an object; give its ETag."""
    etag: str = s3.put_object(Bucket=bucket, Key=key, Body=body, **more)["ETag"]
    return etag


def source(bucket: str, key: str = "uploads/a") -> dict[str, str]:
    """Name the object that is copied."""
    return {"Bucket": bucket, "Key": key}


def test_a_stale_source_etag_stops_a_copy(s3: Client, bucket: str, refusal: Refusal) -> None:
    """CopySourceIfMatch with another ETag: 412, and nothing is written."""
    put(s3, bucket)
    wanted = {"Bucket": bucket, "Key": "b", "CopySource": source(bucket)}
    assert refusal(s3.copy_object, **wanted, CopySourceIfMatch='"stale"') == PRECONDITION
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="b")


def test_a_failed_condition_is_named(s3: Client, bucket: str) -> None:
    """The 412 says which condition did not hold."""
    put(s3, bucket)
    with pytest.raises(s3.exceptions.ClientError) as refused:
        s3.copy_object(
            Bucket=bucket, Key="b", CopySource=source(bucket), CopySourceIfMatch='"stale"'
        )
    assert refused.value.response["Error"]["Condition"] == "x-amz-copy-source-If-Match"


def test_a_copy_does_not_replace_what_must_not_be_there(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """CopyObject with IfNoneMatch * onto an object: 412, and the object stays."""
    put(s3, bucket)
    old = put(s3, bucket, "b", b"old")
    wanted = {"Bucket": bucket, "Key": "b", "CopySource": source(bucket)}
    assert refusal(s3.copy_object, **wanted, IfNoneMatch="*") == PRECONDITION
    assert s3.head_object(Bucket=bucket, Key="b")["ETag"] == old


def test_a_copy_does_not_replace_another_object_than_the_named(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """CopyObject with a stale IfMatch: 412."""
    put(s3, bucket)
    put(s3, bucket, "b", b"old")
    wanted = {"Bucket": bucket, "Key": "b", "CopySource": source(bucket)}
    assert refusal(s3.copy_object, **wanted, IfMatch='"stale"') == PRECONDITION


def test_a_copy_cannot_replace_what_is_not_there(s3: Client, bucket: str, refusal: Refusal) -> None:
    """CopyObject with IfMatch on a missing destination: 404 NoSuchKey."""
    put(s3, bucket)
    wanted = {"Bucket": bucket, "Key": "b", "CopySource": source(bucket)}
    assert refusal(s3.copy_object, **wanted, IfMatch='"any"') == (404, "NoSuchKey")


def test_rule_23c_of_many_conditional_copies_one_wins(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """Looking and writing are one step: of 24 copies at once with IfNoneMatch *, one succeeds."""
    put(s3, bucket)

    def copy(_: int) -> tuple[int, str]:
        wanted = {"Bucket": bucket, "Key": "b", "CopySource": source(bucket)}
        return refusal(s3.copy_object, **wanted, IfNoneMatch="*")

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(copy, range(24)))
    assert sorted(outcomes) == [(200, "")] + [PRECONDITION] * 23


def begin(s3: Client, bucket: str, key: str = "b") -> dict[str, str]:
    """Begin a multipart upload; give the arguments that name it."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    return {"Bucket": bucket, "Key": key, "UploadId": upload}


def finish(s3: Client, upload: dict[str, str], **conditions: str) -> None:
    """Upload one part and complete."""
    part = s3.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(**upload, MultipartUpload=parts, **conditions)


def test_a_completion_does_not_replace_another_object_than_the_named(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """CompleteMultipartUpload with a stale IfMatch: 412."""
    put(s3, bucket, "b", b"old")
    upload = begin(s3, bucket)
    assert refusal(finish, s3=s3, upload=upload, IfMatch='"stale"') == PRECONDITION


def test_a_completion_cannot_replace_what_is_not_there(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """CompleteMultipartUpload with IfMatch on a missing object: 404 NoSuchKey."""
    upload = begin(s3, bucket)
    assert refusal(finish, s3=s3, upload=upload, IfMatch='"any"') == (404, "NoSuchKey")


def test_a_stale_source_etag_stops_a_part(s3: Client, bucket: str, refusal: Refusal) -> None:
    """UploadPartCopy with another CopySourceIfMatch: 412."""
    put(s3, bucket)
    wanted = {**begin(s3, bucket), "PartNumber": 1, "CopySource": source(bucket)}
    assert refusal(s3.upload_part_copy, **wanted, CopySourceIfMatch='"stale"') == PRECONDITION


def test_a_part_of_what_is_not_there_is_refused_by_name(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """UploadPartCopy of a missing source: 404 NoSuchKey, not an empty 404."""
    wanted = {**begin(s3, bucket), "PartNumber": 1, "CopySource": source(bucket)}
    assert refusal(s3.upload_part_copy, **wanted) == (404, "NoSuchKey")


def test_a_part_lies_within_its_source(s3: Client, bucket: str, refusal: Refusal) -> None:
    """UploadPartCopy of a range that passes the source's end: 400 InvalidArgument."""
    put(s3, bucket)
    wanted = {**begin(s3, bucket), "PartNumber": 1, "CopySource": source(bucket)}
    beyond = refusal(s3.upload_part_copy, **wanted, CopySourceRange="bytes=0-99")
    assert beyond == (400, "InvalidArgument")


@pytest.mark.parametrize("operation", ["upload_part_copy", "complete_multipart_upload"])
def test_an_aborted_upload_is_gone(
    s3: Client, bucket: str, refusal: Refusal, operation: str
) -> None:
    """A part or a completion after AbortMultipartUpload: 404 NoSuchUpload."""
    put(s3, bucket)
    upload = begin(s3, bucket)
    s3.abort_multipart_upload(**upload)
    more: dict[str, dict[str, Any]] = {
        "upload_part_copy": {"PartNumber": 1, "CopySource": source(bucket)},
        "complete_multipart_upload": {
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]}
        },
    }
    assert refusal(getattr(s3, operation), **upload, **more[operation]) == (404, "NoSuchUpload")


@pytest.mark.parametrize("operation", ["put_object", "copy_object", "create_multipart_upload"])
def test_rule_23b_a_key_has_at_most_1024_bytes(
    s3: Client, bucket: str, refusal: Refusal, operation: str
) -> None:
    """513 two-byte letters are 513 characters and 1,026 bytes: KeyTooLongError."""
    put(s3, bucket)
    more = {"CopySource": source(bucket)} if operation == "copy_object" else {}
    refused = refusal(getattr(s3, operation), Bucket=bucket, Key="ü" * 513, **more)
    assert refused == (400, "KeyTooLongError")


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_source_cannot_be_copied(
    s3: Client, bucket: str, refusal: Refusal, storage_class: str
) -> None:
    """CopyObject from an archive class: 403 InvalidObjectState."""
    put(s3, bucket, StorageClass=storage_class)
    refused = refusal(s3.copy_object, Bucket=bucket, Key="b", CopySource=source(bucket))
    assert refused == (403, "InvalidObjectState")


def test_a_source_over_the_limit_is_copied_in_parts_or_not_at_all(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """CopyObject of more than the layer's limit: 400 InvalidRequest; in two parts it works."""
    size = 6 * 1024 * 1024 + 1
    put(s3, bucket, body=bytes(size))
    refused = refusal(s3.copy_object, Bucket=bucket, Key="b", CopySource=source(bucket))
    assert refused == (400, "InvalidRequest")
    upload = begin(s3, bucket)
    spans = {1: f"bytes=0-{size // 2 + 2**21}", 2: f"bytes={size // 2 + 2**21 + 1}-{size - 1}"}
    parts = []
    for number, span in spans.items():
        made = s3.upload_part_copy(
            **upload, PartNumber=number, CopySource=source(bucket), CopySourceRange=span
        )
        parts.append({"PartNumber": number, "ETag": made["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.head_object(Bucket=bucket, Key="b")["ContentLength"] == size


def test_a_copy_drops_the_website_redirect(s3: Client, bucket: str) -> None:
    """CopyObject does not carry WebsiteRedirectLocation over, unless it is named."""
    put(s3, bucket, WebsiteRedirectLocation="/elsewhere")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source(bucket))
    assert "WebsiteRedirectLocation" not in s3.head_object(Bucket=bucket, Key="b")


def test_an_upload_in_parts_keeps_its_bucket_key(s3: Client, bucket: str) -> None:
    """BucketKeyEnabled of CreateMultipartUpload is the object's."""
    created = s3.create_multipart_upload(
        Bucket=bucket,
        Key="b",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="key",
        BucketKeyEnabled=True,
    )
    finish(s3, {"Bucket": bucket, "Key": "b", "UploadId": created["UploadId"]})
    assert s3.head_object(Bucket=bucket, Key="b").get("BucketKeyEnabled") is True


def test_a_key_may_hold_a_line_break(s3: Client, bucket: str) -> None:
    """An object of such a name is put, and found under it."""
    put(s3, bucket, "uploads/two\nlines")
    assert s3.head_object(Bucket=bucket, Key="uploads/two\nlines")["ContentLength"] == 3
