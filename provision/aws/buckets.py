"""Whose a bucket's name is: S3's names are one for the world."""

from typing import TYPE_CHECKING, Final

from provision.aws.calls import instead_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ANOTHERS: Final = "another account's"
"""In the place of the region: the name is taken, or these credentials may not see the bucket."""

UNSEEN: Final = {"404": None, "403": {"BucketRegion": ANOTHERS}}
"""What HeadBucket's refusals tell: they have no words, being answers to HEAD."""


def region_of(s3: "S3Client", bucket: str, account: str) -> str | None:
    """Return the region of the account's bucket, ANOTHERS, or None if there is none."""
    answer = instead_of(lambda: s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account), UNSEEN)
    return answer["BucketRegion"] if answer else None
