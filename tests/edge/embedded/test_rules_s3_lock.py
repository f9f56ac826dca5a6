"""Object Lock: what it keeps, and how S3 says so. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

import pytest

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

DAY_SECONDS = 24 * 3600
DENIED, DONE = (403, "AccessDenied"), (200, "")


@pytest.fixture
def locked(s3: Client, name: str) -> str:
    """Give a bucket that keeps every version for a day."""
    where = {"LocationConstraint": "us-east-2"}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
    return name


def test_rule_23d_a_locked_version_stays_and_its_name_goes(
    s3: Client, locked: str, refusal: Refusal
) -> None:
    """A delete marker is put as ever, and may be taken away again; the refusal says why."""
    version = s3.put_object(Bucket=locked, Key="a", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=locked, Key="a")["VersionId"]
    at = {"Bucket": locked, "Key": "a", "VersionId": version}
    assert refusal(s3.delete_object, **at) == DENIED
    with pytest.raises(s3.exceptions.ClientError, match="object protected by object lock"):
        s3.delete_object(**at)
    assert refusal(s3.delete_object, Bucket=locked, Key="a", VersionId=marker) == DONE
    assert s3.get_object(Bucket=locked, Key="a")["VersionId"] == version


def test_rule_23d_copies_and_joined_parts_are_locked_as_well(
    s3: Client, locked: str, refusal: Refusal
) -> None:
    """By the bucket's default, whatever the source was."""
    source = {"Bucket": locked, "Key": "a"}
    s3.put_object(**source, Body=b"x")
    copied = s3.copy_object(Bucket=locked, Key="b", CopySource=source)["VersionId"]
    upload = s3.create_multipart_upload(Bucket=locked, Key="c")["UploadId"]
    at = {"Bucket": locked, "Key": "c", "UploadId": upload}
    part = s3.upload_part_copy(**at, PartNumber=1, CopySource=source)["CopyPartResult"]
    whole = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    joined = s3.complete_multipart_upload(**at, MultipartUpload=whole)["VersionId"]
    for key, version in (("b", copied), ("c", joined)):
        assert refusal(s3.delete_object, Bucket=locked, Key=key, VersionId=version) == DENIED


def test_rule_23d_the_retention_ends_by_this_awss_clock(
    aws: EmbeddedAws, s3: Client, locked: str, refusal: Refusal
) -> None:
    """And then the version can be deleted; what is made later is locked later."""
    at = {"Bucket": locked, "Key": "a"}
    first = s3.put_object(**at, Body=b"x")["VersionId"]
    aws.clock.advance(DAY_SECONDS)
    second = s3.put_object(**at, Body=b"y")["VersionId"]
    assert refusal(s3.delete_object, **at, VersionId=first) == DONE
    assert refusal(s3.delete_object, **at, VersionId=second) == DENIED
