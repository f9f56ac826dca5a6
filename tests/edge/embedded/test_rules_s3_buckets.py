"""What a new bucket has, whose it is, and how it is listed. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

OHIO = {"LocationConstraint": "us-east-2"}


def test_a_new_bucket_is_private_and_encrypted(s3: Client, bucket: str) -> None:
    """No ACLs, no public access, SSE-S3: as every bucket since 2023."""
    controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert set(blocked.values()) == {True}
    assert encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "AES256"
    }


def test_a_bucket_is_tagged_by_the_call_that_creates_it(s3: Client, name: str) -> None:
    """There is no moment at which it has no owner."""
    tags = [{"Key": "stack", "Value": "files"}, {"Key": "empty", "Value": ""}]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={**OHIO, "Tags": tags})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags


def test_another_accounts_bucket_is_refused(s3: Client, bucket: str, refusal: Refusal) -> None:
    """ExpectedBucketOwner tells a bucket of our own from one of the same name."""
    assert refusal(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner="210987654321") == (
        403,
        "403",
    )


def test_versions_of_odd_keys_are_listed(s3: Client, versioned: str) -> None:
    """Keys are URL-encoded on the way, as boto3 asks for; XML could not carry them."""
    keys = ["a b+%/\u00fc", "c\x01d"]
    for key in keys:
        s3.put_object(Bucket=versioned, Key=key, Body=b"")
    told = s3.list_object_versions(Bucket=versioned)
    assert [each["Key"] for each in told["Versions"]] == keys
