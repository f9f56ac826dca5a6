"""What moto has right of a bucket's configuration, and this project relies on."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

LOCATION = {"LocationConstraint": "us-east-2"}


def test_a_bucket_that_is_ours_is_told_so(
    s3: Client, client: Callable[[str], Client], name: str, refusal: Refusal
) -> None:
    """BucketAlreadyOwnedByYou; a bucket needs the constraint of its region."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=LOCATION)
    again = refusal(s3.create_bucket, Bucket=name, CreateBucketConfiguration=LOCATION)
    assert again == (409, "BucketAlreadyOwnedByYou")
    assert refusal(client("s3").create_bucket, Bucket=f"{name}-2") == (
        400,
        "IllegalLocationConstraintException",
    )


@pytest.mark.parametrize(
    ("get", "code"),
    [
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_tagging", "NoSuchTagSet"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ],
)
def test_what_was_never_put_is_not_found(
    s3: Client, bucket: str, refusal: Refusal, get: str, code: str
) -> None:
    """404 with a code of its own."""
    assert refusal(getattr(s3, get), Bucket=bucket) == (404, code)


def test_a_deleted_block_is_not_found(s3: Client, bucket: str, refusal: Refusal) -> None:
    """404 NoSuchPublicAccessBlockConfiguration."""
    s3.delete_public_access_block(Bucket=bucket)
    told = refusal(s3.get_public_access_block, Bucket=bucket)
    assert told == (404, "NoSuchPublicAccessBlockConfiguration")


def test_lifecycle_rules_come_back_as_they_went(s3: Client, bucket: str) -> None:
    """Aborts, noncurrent versions and expired markers, with their prefixes."""
    rules = [
        {
            "ID": "parts",
            "Filter": {"Prefix": ""},
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "versions",
            "Filter": {"Prefix": "processed/"},
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules


def test_a_bucket_with_objects_is_not_deleted(s3: Client, bucket: str, refusal: Refusal) -> None:
    """409 BucketNotEmpty."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    assert refusal(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")


def test_rule_23e_the_first_region_has_no_name_and_creates_a_bucket_twice(
    aws: EmbeddedAws, refusal: Refusal, name: str
) -> None:
    """The second time is 200 there; elsewhere it is refused, as above."""
    make: Any = boto3.client
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    east = make("s3", endpoint_url=aws.endpoint_url, region_name="us-east-1", **keys)
    named = {"LocationConstraint": "us-east-1"}
    assert refusal(east.create_bucket, Bucket=name, CreateBucketConfiguration=named) == (
        400,
        "InvalidLocationConstraint",
    )
    for _ in range(2):
        east.create_bucket(Bucket=name)
    assert east.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"
    east.close()
