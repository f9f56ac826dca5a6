"""Looks at what the bucket does with every file: its default encryption, its Object Lock."""

from typing import Any, Final

from provision.aws.buckets import ANOTHERS, region_of
from provision.aws.calls import unless_gone
from provision.aws.pipeline_facts import UNSEEN_CODES, key_facts
from provision.aws.session import Aws
from provision.core.judge_files import DefaultKey, FilesFacts, Retention
from provision.core.judge_pipeline import KeyFacts
from provision.resources.bucket_parts import default_encryption
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

NO_LOCK: Final = ("ObjectLockConfigurationNotFoundError",)
AWS_ALIASES: Final = "alias/aws/"


def look_at_files(aws: Aws, blueprint: Blueprint) -> FilesFacts:
    """Gather the facts; get and describe calls only. Raises ClientError."""
    names = blueprint.names
    key = _named_key(aws, blueprint)
    if region_of(aws.s3, names.bucket, names.account) in {None, ANOTHERS}:
        return FilesFacts(key=key)
    encryption = default_encryption(aws.s3, names.bucket)
    return FilesFacts(
        algorithm=str(encryption.get("SSEAlgorithm", "AES256")),
        default_key=_default_key(aws, names, str(encryption.get("KMSMasterKeyID") or "")),
        bucket_key=bool(encryption.get("BucketKeyEnabled")),
        key=key,
        retention=_retention(aws, names.bucket),
    )


def _named_key(aws: Aws, blueprint: Blueprint) -> KeyFacts | None:
    arn, names = blueprint.stack.pipeline.bucket_kms_key_arn, blueprint.names
    ours = arn.startswith(names.arn("kms", "key/"))
    return key_facts(aws, arn) if ours else None


def _default_key(aws: Aws, names: Names, name: str) -> DefaultKey | None:
    """Return the customer's key; None for none, and for AWS's own, which S3 opens for the account.

    Without a name, or by its alias, it is AWS's own; but S3 takes that key's ARN or id as well.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
    """
    if not name or name.rpartition(":")[2].startswith(AWS_ALIASES):
        return None
    if name.startswith("arn:") and not name.startswith(names.arn("kms", "")):
        return DefaultKey(name, name if ":key/" in name else "")  # another account's
    told: Any = unless_gone(lambda: aws.kms.describe_key(KeyId=name), UNSEEN_CODES)
    if told is not None:
        found = told["KeyMetadata"]
        return None if found["KeyManager"] == "AWS" else DefaultKey(name, found["Arn"])
    if "alias/" in name:
        return DefaultKey(name, "")
    return DefaultKey(name, name if name.startswith("arn:") else names.arn("kms", f"key/{name}"))


def _retention(aws: Aws, bucket: str) -> Retention | None:
    told: Any = unless_gone(lambda: aws.s3.get_object_lock_configuration(Bucket=bucket), NO_LOCK)
    rule = told["ObjectLockConfiguration"].get("Rule", {}) if told else {}
    default = rule.get("DefaultRetention")
    if not default:
        return None
    days, years = default.get("Days"), default.get("Years")
    count, unit = (days, "day") if days else (years, "year")
    return Retention(default["Mode"], f"{count} {unit}{'' if count == 1 else 's'}")
