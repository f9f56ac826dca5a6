"""What the bucket does with each file that is written: encryption, Object Lock. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provision.core.finding import Finding, failure, ok, warning
from provision.core.judge_pipeline import KeyFacts
from provision.spec.blueprint import Blueprint
from worker.operator.grants import KMS_ACTIONS
from worker.operator.policy import Question, effects


@dataclass(frozen=True, slots=True)
class DefaultKey:
    """The key that S3 encrypts new files under, if it is a customer's.

    `name` as the bucket has it: ARN, id or alias; `arn` is empty for an alias that nobody may see.
    """

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class Retention:
    """Object Lock's default: `mode` is S3's word, `period` such as "30 days"."""

    mode: str
    period: str


@dataclass(frozen=True, slots=True)
class FilesFacts:
    """What was seen. `algorithm` is S3's word, empty if there is no bucket to look at.

    `key` is about the key that the stack file names, None if it is of another account or region.
    """

    algorithm: str = ""
    default_key: DefaultKey | None = None
    bucket_key: bool = False
    key: KeyFacts | None = None
    retention: Retention | None = None


def judge_files(facts: FilesFacts, blueprint: Blueprint) -> Iterator[Finding]:
    """Judge the owner's bucket's encryption, the key that is named, and Object Lock."""
    pipeline = blueprint.stack.pipeline
    if pipeline.existing_bucket and facts.algorithm:
        yield from _judge_default(facts, blueprint)
    if pipeline.bucket_kms_key_arn:
        yield _judge_key(facts, blueprint)
    if facts.retention:
        yield _judge_lock(facts.retention, blueprint)


def _judge_default(facts: FilesFacts, blueprint: Blueprint) -> Iterator[Finding]:
    named, default = blueprint.stack.pipeline.bucket_kms_key_arn, facts.default_key
    subject = f"encryption of {blueprint.names.bucket}"
    if default is None:
        if named:
            detail = f"its default is {_kind(facts)}: what is moved is not under the key you name"
            yield warning(subject, detail, _put_encryption(blueprint))
        elif facts.algorithm != "AES256":
            yield ok(subject, f"{_kind(facts)}, which needs no grant (rule 12a)")
    elif not default.arn:
        yield failure(
            subject,
            f"its default key is {default.name}, which these credentials may not see",
            f"`aws kms describe-key --key-id {default.name}` tells its ARN, for bucket_kms_key_arn;"
            " `provision policy operator` prints what the look needs",
        )
    elif default.arn != named:
        instead = f"the stack file names {named}" if named else "the stack file does not name it"
        yield failure(
            subject,
            f"its default key is {default.arn}, and {instead}: no file could be moved (rule 12a)",
            f'say bucket_kms_key_arn = "{default.arn}" in [pipeline] of the stack file',
        )
    else:
        yield ok(subject, "under the key that the stack file names")


def _kind(facts: FilesFacts) -> str:
    return "SSE-S3" if facts.algorithm == "AES256" else "AWS's own key aws/s3"


def _put_encryption(blueprint: Blueprint) -> str:
    default = {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": blueprint.stack.pipeline.bucket_kms_key_arn,
    }
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    return (
        f"aws s3api put-bucket-encryption --bucket {blueprint.names.bucket}"
        f" --server-side-encryption-configuration '{json.dumps({'Rules': [rule]})}'"
    )


def _judge_key(facts: FilesFacts, blueprint: Blueprint) -> Finding:
    arn, names, key = blueprint.stack.pipeline.bucket_kms_key_arn, blueprint.names, facts.key
    subject = f"key {arn.rpartition('/')[2]} of the files"
    _, _, _, region, account, _ = arn.split(":")
    if region != names.region:
        where = f"it is in {region}, and S3 takes a key of the bucket's own region"
        return failure(subject, where, f"name a key in {names.region}")
    add = f"add to the key's policy: {json.dumps(_statement(blueprint))}"
    if account != names.account:
        detail = f"it is of account {account}: whether its policy lets this one in is not seen here"
        return warning(subject, detail, add)
    if key is None or key.state != "Enabled":
        state = key.state if key and key.state else "not there, or not to be seen"
        return failure(subject, f"it is {state}", "enable it, or name another one")
    if key.policy is None:
        return warning(subject, "its policy may not be seen", "`provision policy operator`")
    if not all(_lets_in(key, facts, blueprint, role) for role in _roles(blueprint)):
        detail = "its policy does not leave it to IAM who uses it: no file could be moved"
        return failure(subject, f"{detail} (rule 12a)", add)
    return ok(subject, "the stack's roles may use it (rule 12a)")


def _roles(blueprint: Blueprint) -> Iterator[str]:
    names = blueprint.names
    yield names.role_arn(names.worker_role)
    if blueprint.stack.lambda_.enabled:
        yield names.role_arn(names.lambda_role)


def _lets_in(key: KeyFacts, facts: FilesFacts, blueprint: Blueprint, role: str) -> bool:
    """Say whether the key's policy names the role, or leaves it to the account's IAM."""
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    of_file = "" if facts.bucket_key else f"/{pipeline.source_prefix}file"
    context = {
        "aws:PrincipalAccount": names.account,
        "aws:PrincipalArn": role,
        "kms:CallerAccount": names.account,
        "kms:EncryptionContext:aws:s3:arn": f"{names.bucket_arn}{of_file}",
        "kms:ViaService": names.asking_kms("s3"),
    }
    callers = frozenset({_account(blueprint), names.account, role})
    said = [
        effects(key.policy, Question(each, pipeline.bucket_kms_key_arn, context, callers))
        for each in KMS_ACTIONS
    ]
    return all("Allow" in each and "Deny" not in each for each in said)


def _statement(blueprint: Blueprint) -> Mapping[str, Any]:
    return {
        "Sid": "LetIamDecideForS3",
        "Effect": "Allow",
        "Principal": {"AWS": _account(blueprint)},
        "Action": list(KMS_ACTIONS),
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": blueprint.names.asking_kms("s3")}},
    }


def _account(blueprint: Blueprint) -> str:
    return f"arn:{blueprint.names.partition}:iam::{blueprint.names.account}:root"


def _judge_lock(retention: Retention, blueprint: Blueprint) -> Finding:
    bucket, pipeline = blueprint.names.bucket, blueprint.stack.pipeline
    return warning(
        f"Object Lock of {bucket}",
        f"its default retention is {retention.period}, {retention.mode}: files are moved all the"
        f" same, and for that long each one's locked version stays below {pipeline.source_prefix}"
        " behind a delete marker, and is paid for; so do canaries and the worker's probes, a few"
        " bytes each (rule 23d)",
        "nothing, if it is meant so; to lock no new files: aws s3api put-object-lock-configuration"
        f" --bucket {bucket} --object-lock-configuration ObjectLockEnabled=Enabled",
    )
