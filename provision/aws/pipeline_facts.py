"""Looks at what the pipeline would stand on: the owner's bucket, its rules, the owner's key."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from provision.aws.buckets import ANOTHERS, region_of
from provision.aws.calls import GONE_CODES, instead_of, unless_gone
from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.core.finding import Finding
from provision.core.judge_pipeline import KeyFacts, PipelineFacts, judge_pipeline, publisher_of
from provision.core.judge_place import COUNTED, PlaceFacts, prefix_of_rule
from provision.core.resource import Found, Key
from provision.resources import notification, topic
from provision.resources.notification import NotificationProvider
from provision.resources.topic import TopicProvider
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

UNSEEN_CODES: Final = GONE_CODES | {"AccessDeniedException"}


def preflight_pipeline(aws: Aws, blueprint: Blueprint) -> Iterable[Finding]:
    """Say what AWS would refuse of the pipeline; get and describe calls only."""
    return judge_pipeline(look(aws, blueprint), blueprint)


def look(aws: Aws, blueprint: Blueprint) -> PipelineFacts:
    """Gather the facts; what these credentials may not see counts as not there."""
    names, key = blueprint.names, blueprint.stack.pipeline.kms_key_arn
    region = region_of(aws.s3, names.bucket, names.account)
    named = key_facts(aws, key) if key else None
    place = PlaceFacts(_former_bucket(aws, names))
    if region is None or region == ANOTHERS:
        return PipelineFacts(key=named, place=place)
    notifications = NotificationProvider(aws.s3, names).configuration()
    return PipelineFacts(
        bucket_region=region,
        versioned=aws.s3.get_bucket_versioning(Bucket=names.bucket).get("Status") == "Enabled",
        notifications=notifications,
        key=named,
        place=_left_behind(aws, blueprint, place, notifications),
    )


def _left_behind(
    aws: Aws, blueprint: Blueprint, place: PlaceFacts, notifications: Mapping[str, Any]
) -> PlaceFacts:
    """Count what nobody would be told of, where our rule is new or gets another prefix."""
    names, prefix = blueprint.names, blueprint.stack.pipeline.source_prefix
    former = prefix_of_rule(notifications, names.notification_rule)
    if former == prefix:
        return replace(place, former_prefix=former)
    queue = Observer(aws, blueprint).queue()
    counted = {
        each: _count(aws, names.bucket, each) for each in (prefix, former) if each is not None
    }
    return replace(
        place,
        former_prefix=former,
        lying={each: count for each, count in counted.items() if count is not None},
        messages=queue.waiting + queue.in_flight if queue else 0,
    )


def _count(aws: Aws, bucket: str, prefix: str) -> int | None:
    """Count the files below a prefix on one page of a listing; None for one not to be seen.

    The console's "folder", an empty file of the prefix's own name, is none.
    """
    page = instead_of(
        lambda: aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=COUNTED),
        {"AccessDenied": None},
    )
    if page is None:
        return None
    if page.get("IsTruncated"):
        return COUNTED
    return sum(each["Key"] != prefix for each in page.get("Contents", []))


def _former_bucket(aws: Aws, names: Names) -> str:
    """Return the other bucket that our topic listens to, if our rule is in it or may be."""
    told = TopicProvider(aws.sns, names).observe(Key(topic.KIND, names.topic))
    if told is None or told.owner != names.stack:
        return ""
    bucket = publisher_of(told.properties["Policy"])
    if bucket in {"", names.bucket}:
        return ""
    if region_of(aws.s3, bucket, names.account) == ANOTHERS:
        return bucket
    rules = NotificationProvider(aws.s3, replace(names, bucket=bucket))
    mine = Key(notification.KIND, names.notification_rule)
    found = instead_of(lambda: rules.observe(mine), {"AccessDenied": Found(names.stack)})
    return bucket if found else ""


def key_facts(aws: Aws, arn: str) -> KeyFacts:
    """Return the state and policy of a key of this account; raises ClientError."""
    told: Any = unless_gone(lambda: aws.kms.describe_key(KeyId=arn), UNSEEN_CODES)
    if told is None:
        return KeyFacts()
    policy: Any = unless_gone(
        lambda: aws.kms.get_key_policy(KeyId=arn, PolicyName="default"), UNSEEN_CODES
    )
    return KeyFacts(
        told["KeyMetadata"]["KeyState"], json.loads(policy["Policy"]) if policy else None
    )
