"""The bucket's encryption and Object Lock are looked at before anything is made."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.provision_cli import run
from support.provision_world import World

from provision.aws.files_facts import look_at_files
from provision.core.finding import Finding, Level, failures
from provision.core.judge_files import judge_files
from provision.core.plan import Create

Build = Callable[..., World]

AWS_ALIAS = "arn:aws:kms:us-east-2:123456789012:alias/aws/s3"
ELSEWHERE = "arn:aws:kms:us-east-2:210987654321:key/01234567-89ab-cdef-0123-456789abcdef"


@dataclass
class Owners:
    """A bucket of the owner's, and stacks that use it."""

    build: Build
    world: World

    @property
    def bucket(self) -> str:
        """Its name."""
        return self.world.blueprint.names.bucket

    def naming(self, key: str) -> World:
        """Return the stack whose file names this key."""
        pipeline = {"existing_bucket": True, "bucket_kms_key_arn": key}
        return self.build(self.world.stack, pipeline=pipeline)

    def new_key(self) -> str:
        """Make a key as KMS makes it by default: its policy leaves it to IAM."""
        return str(self.world.aws.kms.create_key()["KeyMetadata"]["Arn"])

    def encrypt(self, key: str = "", algorithm: str = "aws:kms") -> None:
        """Set the bucket's default."""
        named = {"KMSMasterKeyID": key} if key else {}
        default: Any = {"SSEAlgorithm": algorithm, **named}
        rules: Any = [{"ApplyServerSideEncryptionByDefault": default}]
        self.world.aws.s3.put_bucket_encryption(
            Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": rules}
        )


@pytest.fixture
def owners(build: Build) -> Owners:
    """Give a bucket with Object Lock, and as yet no retention, that is the owner's."""
    made = build(pipeline={"existing_bucket": True})
    made.aws.s3.create_bucket(
        Bucket=made.blueprint.names.bucket,
        CreateBucketConfiguration={"LocationConstraint": "us-east-2"},
        ObjectLockEnabledForBucket=True,
    )
    return Owners(build, made)


def found(world: World) -> list[Finding]:
    """Run this part of the preflight."""
    return list(judge_files(look_at_files(world.aws, world.blueprint), world.blueprint))


def levels(world: World) -> list[Level]:
    """Say how bad each finding is."""
    return [each.level for each in found(world)]


def test_rule_12a_the_line_that_is_missing_is_spelled_out(owners: Owners) -> None:
    """Put into the stack file as it is printed, it is all that was missing."""
    owners.encrypt(owners.new_key())
    [fault] = failures(found(owners.world))
    [named] = tomllib.loads(fault.hint.removeprefix("say ").partition(" in ")[0]).values()
    assert levels(owners.naming(named)) == [Level.OK, Level.OK]


def test_rule_12a_nothing_is_made_before_the_line_is_in(owners: Owners, tmp_path: Path) -> None:
    """The command says what to put in, and no step of the plan was taken."""
    key = owners.new_key()
    owners.encrypt(key)
    refused = run(owners.world, tmp_path, "apply", "--yes")
    assert refused.exit_code == 1
    assert f'bucket_kms_key_arn = "{key}"' in refused.output
    assert all(isinstance(each, Create) for each in owners.world.plan().steps)


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_rule_12a_another_key_than_the_buckets_is_refused(owners: Owners, algorithm: str) -> None:
    """No role could use the one, and nobody needs the other."""
    default, named = owners.new_key(), owners.new_key()
    owners.encrypt(default, algorithm)
    [fault] = failures(found(owners.naming(named)))
    assert default in fault.detail
    assert named in fault.detail
    assert f'bucket_kms_key_arn = "{default}"' in fault.hint


def test_rule_12a_the_bucket_may_name_its_key_by_id_or_by_alias(owners: Owners) -> None:
    """The stack file names an ARN in any case; an alias that leads nowhere is told."""
    key = owners.new_key()
    alias = f"alias/{owners.world.stack}"
    owners.world.aws.kms.create_alias(AliasName=alias, TargetKeyId=key)
    for name in (key.rpartition("/")[2], alias, AWS_ALIAS.replace("alias/aws/s3", alias)):
        owners.encrypt(name)
        assert levels(owners.naming(key)) == [Level.OK, Level.OK]
        assert key in failures(found(owners.world))[0].hint
    owners.encrypt("alias/nowhere")
    assert "alias/nowhere" in failures(found(owners.world))[0].detail


def test_rule_12a_awss_own_key_needs_nothing(owners: Owners) -> None:
    """Unnamed, by its alias, or by its ARN: it lets in whoever S3 lets in."""
    aws_key = owners.world.aws.kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    for name in ("", "alias/aws/s3", AWS_ALIAS, aws_key):
        owners.encrypt(name)
        [fine] = found(owners.world)
        assert fine.level is Level.OK
        assert "aws/s3" in fine.detail


def test_without_any_key_there_is_nothing_to_tell(owners: Owners) -> None:
    """SSE-S3, and Object Lock without a retention of its own."""
    assert found(owners.world) == []


def test_a_key_that_the_bucket_does_not_use_is_a_warning(owners: Owners) -> None:
    """Files may bring their own key; but what is moved is not under it."""
    warned, _ = found(owners.naming(owners.new_key()))
    assert warned.level is Level.WARNING
    assert "SSE-S3" in warned.detail
    assert "put-bucket-encryption" in warned.hint


def test_rule_12a_a_key_that_cannot_be_used_is_named(owners: Owners) -> None:
    """Disabled, not there, or of another region."""
    key = owners.new_key()
    owners.encrypt(key)
    owners.world.aws.kms.disable_key(KeyId=key.rpartition("/")[2])
    missing = f"{key[:-4]}0000"
    for name, told in (
        (key, "it is Disabled"),
        (missing, "it is not there"),
        (key.replace("us-east-2", "eu-west-1"), "it is in eu-west-1"),
    ):
        assert any(each.detail.startswith(told) for each in failures(found(owners.naming(name))))


def test_rule_12a_another_accounts_key_is_warned_of_with_what_it_has_to_allow(
    owners: Owners,
) -> None:
    """S3 takes it; only its owner can see whether it lets this account in."""
    owners.encrypt(ELSEWHERE)
    assert f'"{ELSEWHERE}"' in failures(found(owners.world))[0].hint
    fine, warned = found(owners.naming(ELSEWHERE))
    assert (fine.level, warned.level) == (Level.OK, Level.WARNING)
    assert "arn:aws:iam::123456789012:root" in warned.hint


def test_rule_12a_a_key_that_leaves_nothing_to_iam_is_refused_with_the_statement(
    owners: Owners,
) -> None:
    """Put into the key's policy as it is printed, it is all that was missing."""
    key, kms = owners.new_key(), owners.world.aws.kms
    owners.encrypt(key)
    somebody = {"AWS": "arn:aws:iam::123456789012:user/somebody"}
    only = {"Effect": "Allow", "Principal": somebody, "Action": "kms:*", "Resource": "*"}
    policy: Any = {"Version": "2012-10-17", "Statement": [only]}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    [fault] = failures(found(owners.naming(key)))
    policy["Statement"].append(json.loads(fault.hint.partition(": ")[2]))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    assert failures(found(owners.naming(key))) == ()


@pytest.mark.parametrize(
    ("mode", "period", "told"),
    [
        ("GOVERNANCE", {"Days": 1}, "1 day, GOVERNANCE"),
        ("COMPLIANCE", {"Days": 30}, "30 days, COMPLIANCE"),
        ("COMPLIANCE", {"Years": 7}, "7 years, COMPLIANCE"),
    ],
)
def test_rule_23d_a_default_retention_is_told_with_what_it_leaves_behind(
    owners: Owners, mode: str, period: dict[str, int], told: str
) -> None:
    """A warning: every file is moved all the same."""
    rule: Any = {"DefaultRetention": {"Mode": mode, **period}}
    lock: Any = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3, bucket = owners.world.aws.s3, owners.bucket
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    [warned] = found(owners.world)
    assert warned.level is Level.WARNING
    assert told in warned.detail
    assert "uploads/" in warned.detail
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )
    assert found(owners.world) == []


def test_a_new_buckets_key_is_judged_before_the_bucket_is_there(build: Build) -> None:
    """S3 takes any key's name, and would refuse every file."""
    key = "arn:aws:kms:us-east-2:123456789012:key/00000000-0000-0000-0000-000000000000"
    [fault] = failures(found(build(pipeline={"bucket_kms_key_arn": key})))
    assert "not there" in fault.detail
