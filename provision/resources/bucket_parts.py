"""The parts of a bucket that S3 gets and puts one by one, each read as properties of the bucket.

Policy, lifecycle and tags are lists that others write in as well, and S3 puts them as a whole: ours
are merged in by name, and everybody else's are put back as they were got.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from provision.aws.calls import GONE_CODES, unless_gone
from provision.core.resource import Json, plain_tags, tag_list, tags_of
from provision.resources.policy import normal, text_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleTypeDef

OWNERSHIP: Final = "ObjectOwnership"
ENCRYPTION: Final = "ServerSideEncryption"
STATEMENT: Final = "Policy:"
LIFECYCLE: Final = "LifecycleRule:"
TAG: Final = "tag:"

UNSET: Final = GONE_CODES | {
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}
"""How S3 says that a part was never set."""


Statement = dict[str, Any]
"""One of a policy document's; somebody else's may hold anything."""

KEPT_WITH_RULES: Final = ("TransitionDefaultMinimumObjectSize",)
"""What stands beside the lifecycle's rules, and falls back to its default if not sent again."""


class Part(Protocol):
    """One part of a bucket."""

    def read(self, bucket: str) -> Mapping[str, Json]:
        """Return the part's properties by name."""

    def write(self, bucket: str, values: Mapping[str, Json]) -> None:
        """Put those of `values` that are this part's; without any, do nothing."""


def parts(s3: "S3Client") -> Sequence[Part]:
    """Return all parts, in the order in which a new bucket gets them."""
    settings = _Settings(s3)
    return (
        Setting(OWNERSHIP, settings.ownership, settings.put_ownership),
        Setting("PublicAccessBlock", settings.public_access, settings.put_public_access),
        Setting("VersioningStatus", settings.versioning, settings.put_versioning),
        Setting(ENCRYPTION, settings.encryption, settings.put_encryption),
        Statements(s3),
        LifecycleRules(s3),
        Tags(s3),
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """A part that is one property."""

    name: str
    get: Callable[[str], Json]
    put: Callable[[str, Json], None]

    def read(self, bucket: str) -> Mapping[str, Json]:
        """Get the value; None if it was never set."""
        return {self.name: self.get(bucket)}

    def write(self, bucket: str, values: Mapping[str, Json]) -> None:
        """Put the value if it is among `values`."""
        if self.name in values:
            self.put(bucket, values[self.name])


class _Settings:
    """Gets and puts the settings that are one property each."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def ownership(self, bucket: str) -> Json:
        got = unless_gone(lambda: self._s3.get_bucket_ownership_controls(Bucket=bucket), UNSET)
        return got["OwnershipControls"]["Rules"][0]["ObjectOwnership"] if got else None

    def put_ownership(self, bucket: str, value: Json) -> None:
        rules = {"Rules": [{"ObjectOwnership": value}]}
        self._s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=cast("Any", rules))

    def public_access(self, bucket: str) -> Json:
        got = unless_gone(lambda: self._s3.get_public_access_block(Bucket=bucket), UNSET)
        return cast("Json", got["PublicAccessBlockConfiguration"]) if got else None

    def put_public_access(self, bucket: str, value: Json) -> None:
        self._s3.put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=cast("Any", value)
        )

    def versioning(self, bucket: str) -> Json:
        return self._s3.get_bucket_versioning(Bucket=bucket).get("Status")

    def put_versioning(self, bucket: str, value: Json) -> None:
        status = {"Status": value}
        self._s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=cast("Any", status))

    def encryption(self, bucket: str) -> Json:
        return default_encryption(self._s3, bucket)

    def put_encryption(self, bucket: str, value: Json) -> None:
        said = cast("Mapping[str, Json]", value)
        rule = {
            "ApplyServerSideEncryptionByDefault": {
                name: said[name] for name in said if name != "BucketKeyEnabled"
            },
            "BucketKeyEnabled": said.get("BucketKeyEnabled", False),
        }
        self._s3.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={"Rules": [cast("Any", rule)]},
        )


def default_encryption(s3: "S3Client", bucket: str) -> Mapping[str, Json]:
    """Return how S3 encrypts what comes without a wish of its own; {} if it was never set.

    With KMS also `BucketKeyEnabled`, and `KMSMasterKeyID` unless it is AWS's own key.
    """
    got = unless_gone(lambda: s3.get_bucket_encryption(Bucket=bucket), UNSET)
    rules = got["ServerSideEncryptionConfiguration"]["Rules"] if got else []
    for each in rules:
        if default := each.get("ApplyServerSideEncryptionByDefault"):
            under_kms = default["SSEAlgorithm"] != "AES256"
            more = {"BucketKeyEnabled": each.get("BucketKeyEnabled", False)} if under_kms else {}
            return {**cast("Mapping[str, Json]", default), **more}
    return {}


class Statements:
    """The bucket policy's statements, by Sid. Those without a Sid are others' for certain."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def read(self, bucket: str) -> Mapping[str, Json]:
        """Return a property for each statement that has a Sid."""
        listed = _listed(self._document(bucket).get("Statement"))
        return {f"{STATEMENT}{each['Sid']}": normal(each) for each in listed if "Sid" in each}

    def write(self, bucket: str, values: Mapping[str, Json]) -> None:
        """Put the policy with these statements among the others."""
        ours = _named(STATEMENT, values)
        if not ours:
            return
        document = self._document(bucket)
        others = [
            each for each in _listed(document.get("Statement")) if each.get("Sid") not in ours
        ]
        merged = {"Version": "2012-10-17", **document, "Statement": [*others, *ours.values()]}
        self._s3.put_bucket_policy(Bucket=bucket, Policy=text_of(merged))

    def _document(self, bucket: str) -> dict[str, Any]:
        got = unless_gone(lambda: self._s3.get_bucket_policy(Bucket=bucket), UNSET)
        document: dict[str, Any] = json.loads(got["Policy"]) if got else {}
        return document


class LifecycleRules:
    """The lifecycle's rules, by ID. The rules' default for small objects is kept as well."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def read(self, bucket: str) -> Mapping[str, Json]:
        """Return a property for each rule; a filter for everything is {} however S3 spells it."""
        rules, _ = self._rules(bucket)
        return {f"{LIFECYCLE}{each['ID']}": _plain_rule(each) for each in rules if "ID" in each}

    def write(self, bucket: str, values: Mapping[str, Json]) -> None:
        """Put the configuration with these rules among the others."""
        ours = _named(LIFECYCLE, values)
        if not ours:
            return
        rules, more = self._rules(bucket)
        others = [each for each in rules if each.get("ID") not in ours]
        mine = [cast("LifecycleRuleTypeDef", _rule_to_send(each)) for each in ours.values()]
        self._s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [*others, *mine]}, **more
        )

    def _rules(self, bucket: str) -> tuple[Any, dict[str, Any]]:
        got = unless_gone(lambda: self._s3.get_bucket_lifecycle_configuration(Bucket=bucket), UNSET)
        if got is None:
            return [], {}
        more = dict(got)
        return more.pop("Rules"), {name: more[name] for name in KEPT_WITH_RULES if name in more}


class Tags:
    """The bucket's tags, by key; AWS's own (aws:…) stay in the set as they were got."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def read(self, bucket: str) -> Mapping[str, Json]:
        """Return a property for each tag."""
        return {f"{TAG}{name}": value for name, value in self._tags(bucket).items()}

    def write(self, bucket: str, values: Mapping[str, Json]) -> None:
        """Put the tags with these among the others."""
        ours = tags_of(values)
        if not ours:
            return
        merged = {**self._tags(bucket), **ours}
        self._s3.put_bucket_tagging(
            Bucket=bucket,
            Tagging={"TagSet": tag_list(merged)},
        )

    def _tags(self, bucket: str) -> dict[str, str]:
        got = unless_gone(lambda: self._s3.get_bucket_tagging(Bucket=bucket), UNSET)
        return plain_tags(got["TagSet"]) if got else {}


def _named(prefix: str, values: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _listed(statements: Statement | list[Statement] | None) -> list[Statement]:
    if statements is None:
        return []
    return statements if isinstance(statements, list) else [statements]


def _plain_rule(rule: Mapping[str, Json]) -> Json:
    return {**rule, "Filter": {}} if rule.get("Filter") == {"Prefix": ""} else rule


def _rule_to_send(rule: Json) -> Json:
    if isinstance(rule, Mapping) and rule.get("Filter") == {}:
        return {**rule, "Filter": {"Prefix": ""}}
    return rule
