"""The bucket that files land in, unless the owner has one already: then nothing of it is ours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from provision.aws.buckets import ANOTHERS, region_of
from provision.aws.calls import unless_gone
from provision.core.resource import (
    OWNER_TAG,
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    in_region,
    tag_list,
    tag_properties,
    tags_of,
)
from provision.resources.bucket_parts import (
    ENCRYPTION,
    LIFECYCLE,
    OWNERSHIP,
    STATEMENT,
    TAG,
    parts,
)
from provision.resources.policy import normal
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketLocationConstraintType
    from mypy_boto3_s3.type_defs import CreateBucketConfigurationTypeDef

KIND: Final = "bucket"

NO_CONSTRAINT_REGION: Final = "us-east-1"
"""The region that CreateBucket must not name: no constraint means it."""

TLS_ONLY: Final = "S3EventWorkerTlsOnly"
ABORT_MULTIPART: Final = "s3-event-worker-abort-multipart"
NONCURRENT: Final = "s3-event-worker-noncurrent-versions"

TAKEN: Final = Found(
    None, barred="the name is another AWS account's, or these credentials may not see it"
)

INSTEAD: Final = "name another bucket, or say existing_bucket = true: then it stays the owner's"


def bucket(blueprint: Blueprint) -> Wanted | None:
    """Return the bucket; None if it is the owner's: then we only add our notification rule."""
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    if pipeline.existing_bucket:
        return None
    return Wanted(
        Key(KIND, names.bucket),
        (
            Property("BucketRegion", names.region, "the topic's, too (rule 10)", fixed=True),
            Property(OWNERSHIP, "BucketOwnerEnforced", "what others upload is ours to move"),
            Property(
                "PublicAccessBlock",
                {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "nothing in it is public",
            ),
            Property("VersioningStatus", "Enabled", "an overwritten file can be had again"),
            _encryption(pipeline.bucket_kms_key_arn),
            Property(f"{STATEMENT}{TLS_ONLY}", _tls_only(names.bucket_arn), "TLS only"),
            Property(
                f"{LIFECYCLE}{ABORT_MULTIPART}",
                _abort_multipart(pipeline.abort_multipart_days),
                "the parts of an upload that nobody completed cost, and are in no listing",
            ),
            Property(
                f"{LIFECYCLE}{NONCURRENT}",
                _noncurrent(pipeline.noncurrent_days),
                "a moved file leaves its version behind in the source prefix",
            ),
            *tag_properties(blueprint.tags),
        ),
    )


def _encryption(key_arn: str) -> Property:
    """Return the default encryption; with a Bucket Key, or every file costs calls to KMS."""
    if not key_arn:
        return Property(ENCRYPTION, {"SSEAlgorithm": "AES256"}, "encrypted, and needs no grant")
    return Property(
        ENCRYPTION,
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn, "BucketKeyEnabled": True},
        "encrypted under the key that the stack file names",
    )


def _tls_only(bucket_arn: str) -> Json:
    return normal(
        {
            "Sid": TLS_ONLY,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def _abort_multipart(days: int) -> Json:
    return {
        "ID": ABORT_MULTIPART,
        "Status": "Enabled",
        "Filter": {},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
    }


def _noncurrent(days: int) -> Json:
    return {
        "ID": NONCURRENT,
        "Status": "Enabled",
        "Filter": {},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    }


class BucketProvider:
    """Buckets by name, which are one for all regions, in `account`."""

    def __init__(self, s3: "S3Client", account: str, region: str) -> None:
        self._s3 = s3
        self._account = account
        self._region = region
        self._parts = parts(s3)

    def observe(self, key: Key) -> Found | None:
        """Return the bucket's properties; another account's bucket is barred."""
        region = region_of(self._s3, key.name, self._account)
        if region is None or region == ANOTHERS:
            return None if region is None else TAKEN
        found: dict[str, Json] = {"BucketRegion": region}
        for part in self._parts:
            found |= part.read(key.name)
        owner = found.get(f"{TAG}{OWNER_TAG}")
        named = Found(None if owner is None else str(owner), found, instead=INSTEAD)
        return in_region(named, self._region, region)

    def create(self, wanted: Wanted) -> None:
        """Create the bucket with its tags and its ownership, then set all else."""
        values = wanted.values()
        self._s3.create_bucket(
            Bucket=wanted.key.name,
            ObjectOwnership="BucketOwnerEnforced",
            CreateBucketConfiguration=_configuration(values),
        )
        self._write(
            wanted.key.name,
            {
                name: value
                for name, value in values.items()
                if name != OWNERSHIP and not name.startswith(TAG)
            },
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Write the parts that changed; what others keep in the same part stays."""
        self._write(wanted.key.name, {each.name: each.after for each in changes})

    def delete(self, key: Key) -> None:
        """Delete the bucket if it is empty; else S3 refuses (BucketNotEmpty)."""
        unless_gone(lambda: self._s3.delete_bucket(Bucket=key.name))

    def _write(self, bucket: str, values: Mapping[str, Json]) -> None:
        for part in self._parts:
            part.write(bucket, values)


def _configuration(values: Mapping[str, Json]) -> "CreateBucketConfigurationTypeDef":
    made: CreateBucketConfigurationTypeDef = {"Tags": tag_list(tags_of(values))}
    region = str(values["BucketRegion"])
    if region != NO_CONSTRAINT_REGION:
        made["LocationConstraint"] = cast("BucketLocationConstraintType", region)
    return made
