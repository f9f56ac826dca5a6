"""What AWS would refuse of the pipeline later and less kindly, before anything is made. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from provision.core.finding import Finding, failure, ok, warning
from provision.core.judge_place import PlaceFacts, judge_place
from provision.core.resource import Json
from provision.resources.notification import EVENTS, plain_filter
from provision.spec.blueprint import Blueprint
from worker.operator.grants import KMS_ACTIONS
from worker.operator.policy import allows

DESTINATIONS: Final = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
GRANTED_ACTIONS: Final = ["kms:Decrypt", "kms:GenerateDataKey*"]


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The customer's key; `state` is KMS's, "" for a key that is not there or not to be seen."""

    state: str = ""
    policy: Json = None


@dataclass(frozen=True, slots=True)
class PipelineFacts:
    """What is there already. `bucket_region` None: no bucket, or none that we may see."""

    bucket_region: str | None = None
    versioned: bool = False
    notifications: Mapping[str, Any] = field(default_factory=dict)
    key: KeyFacts | None = None
    """None: the stack names no key."""
    place: PlaceFacts = field(default_factory=PlaceFacts)


def judge_pipeline(facts: PipelineFacts, blueprint: Blueprint) -> Iterator[Finding]:
    """Judge the owner's bucket, everybody's notification rules, and the owner's key."""
    if blueprint.stack.pipeline.existing_bucket:
        yield _judge_bucket(facts, blueprint)
    yield from judge_place(facts.place, blueprint)
    yield _judge_rules(facts, blueprint)
    if facts.key is not None:
        yield _judge_key(facts.key, blueprint)


def _judge_bucket(facts: PipelineFacts, blueprint: Blueprint) -> Finding:
    names = blueprint.names
    subject = f"bucket {names.bucket}"
    if facts.bucket_region is None:
        return failure(
            subject,
            "existing_bucket = true, and there is no such bucket that these credentials may see",
            "look at its name and at --profile, or say existing_bucket = false to have it made",
        )
    if facts.bucket_region != names.region:
        return failure(
            subject,
            f"it is in {facts.bucket_region}, and S3 tells only topics of its own region (rule 10)",
            f'say region = "{facts.bucket_region}" in the stack file',
        )
    if not facts.versioned:
        return warning(
            subject,
            "it keeps no versions: a file that is overwritten is gone for good",
            f"aws s3api put-bucket-versioning --bucket {names.bucket}"
            " --versioning-configuration Status=Enabled",
        )
    return ok(subject, "yours, in this region, with versions")


def publisher_of(policy: Json) -> str:
    """Return the bucket that a topic's policy, in normal form, lets publish; empty for none."""
    statements: Any = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    for each in statements:
        source = each.get("Condition", {}).get("ArnLike", {}).get("aws:SourceArn", "")
        if isinstance(source, str) and ":s3:::" in source:
            return source.rpartition(":::")[2]
    return ""


def _judge_rules(facts: PipelineFacts, blueprint: Blueprint) -> Finding:
    subject = "notification rules"
    found = overlapping(
        facts.notifications,
        blueprint.names.notification_rule,
        blueprint.stack.pipeline.source_prefix,
    )
    if not found:
        return ok(subject, "no other rule tells of the same files")
    return failure(
        subject,
        f"S3 takes no two rules for one file and event (rule 9); there is {'; '.join(found)}",
        "narrow the other rule's filter, or take it away and subscribe its destination to"
        f" {blueprint.names.topic_arn}",
    )


def overlapping(configuration: Mapping[str, Any], rule_id: str, prefix: str) -> list[str]:
    """Name the rules of others that S3 would refuse beside ours for `prefix` (rule 9).

    Two overlap if they share an event type and some key can match both filters.
    """
    return [
        f"{rule.get('Id', 'a rule')} → {rule.get(arn)}"
        for kind, arn in DESTINATIONS.items()
        for rule in configuration.get(kind, [])
        if rule.get("Id") != rule_id
        and _share_an_event(rule.get("Events", []))
        and _share_a_prefix(plain_filter(rule).get("prefix", ""), prefix)
    ]


def _share_an_event(events: Sequence[str]) -> bool:
    ours = EVENTS[0].removesuffix("*")
    return any(each.startswith(ours) or each == "s3:*" for each in events)


def _share_a_prefix(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _judge_key(key: KeyFacts, blueprint: Blueprint) -> Finding:
    arn = blueprint.stack.pipeline.kms_key_arn
    subject = f"key {arn.rpartition('/')[2]}"
    _, _, _, region, account, _ = arn.split(":")
    if (region, account) != (blueprint.names.region, blueprint.names.account):
        where = f"it is of {account} in {region}"
        return failure(subject, where, "SQS and SNS take a key of their own account and region")
    if key.state != "Enabled":
        state = key.state or "not there, or not to be seen with these credentials"
        return failure(subject, f"it is {state}", "enable it, or name another one")
    missing = missing_grants(key.policy, blueprint)
    if not missing:
        return ok(subject, "S3 and SNS may use it (rule 12)")
    services = " and ".join(str(each["Principal"]["Service"]) for each in missing)
    return failure(
        subject,
        f"its policy does not let {services} use it, so no message would arrive (rule 12)",
        f"add to the key's policy: {json.dumps(missing)}",
    )


def missing_grants(policy: Json, blueprint: Blueprint) -> list[dict[str, Any]]:
    """Return the statements that the key's policy lacks (rule 12); the key is not ours to edit.

    S3 needs the key to publish to the topic, and SNS to send to the queue.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    names = blueprint.names
    needed = (
        ("S3MayPublishEncrypted", "s3.amazonaws.com", names.bucket_arn),
        ("SnsMaySendEncrypted", "sns.amazonaws.com", names.topic_arn),
    )
    return [
        _grant(sid, service, names.account)
        for sid, service, source in needed
        if not _is_granted(policy, service, blueprint, source)
    ]


def _is_granted(policy: Json, service: str, blueprint: Blueprint, source: str) -> bool:
    key = blueprint.stack.pipeline.kms_key_arn
    context = {"aws:SourceAccount": blueprint.names.account, "aws:SourceArn": source}
    return all(
        allows(policy, service=service, action=action, resource=key, context=context)
        for action in KMS_ACTIONS
    )


def _grant(sid: str, service: str, account: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": GRANTED_ACTIONS,
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
