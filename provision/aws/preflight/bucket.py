"""Whose the bucket's name is, and which notification rules others have in it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from provision.aws.calls import code_of
from provision.core.preflight.bucket import BucketFacts, Rule
from provision.resources.notification import EVENTS, plain_filter
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KINDS: Final = (
    "TopicConfigurations",
    "QueueConfigurations",
    "LambdaFunctionConfigurations",
)


def our_rule(blueprint: Blueprint) -> Rule:
    """Return the rule that the stack will have."""
    prefix = blueprint.stack.pipeline.source_prefix
    return Rule(blueprint.names.notification_rule, EVENTS, prefix)


def bucket_facts(s3: "S3Client", blueprint: Blueprint) -> BucketFacts:
    """Look at the bucket, as this account; raises ClientError."""
    names = blueprint.names
    try:
        answer = s3.head_bucket(Bucket=names.bucket, ExpectedBucketOwner=names.account)
    except ClientError as error:
        return _refused(error)
    region = answer.get("BucketRegion", names.region)
    if region != names.region:
        return BucketFacts("elsewhere", region)
    told = s3.get_bucket_notification_configuration(Bucket=names.bucket)
    rules = tuple(each for each in _rules(told) if each.id != names.notification_rule)
    return BucketFacts("ours", region, rules)


def _refused(error: ClientError) -> BucketFacts:
    """Read how S3 refused a HEAD, which has no body and so only a status.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    code, region = code_of(error), headers.get("x-amz-bucket-region", "")
    if code == "404":
        return BucketFacts("free")
    if code == "403":
        return BucketFacts("others", region)
    if code in {"301", "400"} and region:
        return BucketFacts("elsewhere", region)
    raise error


def _rules(told: Mapping[str, Any]) -> Iterator[Rule]:
    for kind in KINDS:
        for each in told.get(kind, []):
            names = plain_filter(each)
            yield Rule(
                each.get("Id", ""),
                tuple(each["Events"]),
                names.get("prefix", ""),
                names.get("suffix", ""),
            )
