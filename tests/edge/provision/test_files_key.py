"""Files under a key of the owner's: the grants are enough, and all of them are needed."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.operator_role import Agents, an_operator, denied, without
from support.operator_story import looks_ahead
from support.provision_world import World
from support.recorded_aws import RecordedAws
from support.stories import first_failure
from support.worker_story import STEPS, a_worker

from provision.aws.emptying import empty
from provision.core.resource import Json
from provision.policies.lambda_ import lambda_policy
from provision.policies.operator import operator_policies
from provision.policies.worker import worker_policy
from provision.resources.policy import document as policy_of
from worker.aws.asking import Asking
from worker.aws.guard_probe import GuardProbe
from worker.core.port import Location
from worker.demo.embedded.server import EmbeddedAws
from worker.operator.grants import Names
from worker.operator.preflight import failures

POLICIES = {"worker": worker_policy, "lambda": lambda_policy}
ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
SID = "EncryptedFiles"

ROLES = ("worker", pytest.param("lambda", marks=pytest.mark.heavy))
"""The function's grant is the worker's."""


@pytest.fixture(scope="module")
def world(region: EmbeddedAws, aws: RecordedAws) -> Iterator[World]:
    """Apply one stack with a bucket of its own, under a key."""
    key = aws.kms.create_key()["KeyMetadata"]["Arn"]
    made = World.of(region, aws, "sealed", pipeline={"bucket_kms_key_arn": key})
    made.apply()
    yield made
    list(empty(aws.s3, made.blueprint.names.bucket))
    made.destroy()


def lacking(document: Json, action: str) -> Json:
    """Return the document without one action on the files' key."""
    assert isinstance(document, dict)
    kept = []
    for each in document["Statement"]:
        listed = each["Action"] if isinstance(each["Action"], list) else [each["Action"]]
        left = [one for one in listed if each["Sid"] != SID or one != action]
        kept += [{**each, "Action": left}] if left else []
    return policy_of(*kept)


def test_rule_12a_a_bucket_of_ours_is_made_under_the_key_goes_back_and_comes_again(
    region: EmbeddedAws, world: World
) -> None:
    """With an S3 Bucket Key; a second plan is empty each time."""
    key = world.blueprint.stack.pipeline.bucket_kms_key_arn
    under_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    for each, default, bucket_key in (
        (world, under_key, True),
        (World.of(region, world.aws, world.stack), {"SSEAlgorithm": "AES256"}, False),
        (world, under_key, True),
    ):
        each.apply()
        got = each.aws.s3.get_bucket_encryption(Bucket=each.blueprint.names.bucket)
        [rule] = got["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == default
        assert rule["BucketKeyEnabled"] is bucket_key
        assert not each.plan().steps


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("bucket_key", [True, False])
def test_rule_12a_the_role_can_do_all_that_its_code_does(
    region: EmbeddedAws, world: World, role: str, *, bucket_key: bool
) -> None:
    """Small files, large ones in parts, and the probe; whether the context is the file or not."""
    bucket = world.blueprint.names.bucket
    got = world.aws.s3.get_bucket_encryption(Bucket=bucket)
    rules: Any = got["ServerSideEncryptionConfiguration"]
    rules["Rules"][0]["BucketKeyEnabled"] = bucket_key
    world.aws.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)
    region.accesses.clear()
    with a_worker(world, POLICIES[role](world.blueprint)) as worker:
        assert first_failure(worker, STEPS[role]) is None
    assert denied(region) == []
    assert set(ACTIONS) <= {each.action for each in region.accesses}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
def test_rule_12a_without_either_action_a_step_fails(
    region: EmbeddedAws, world: World, role: str, action: str
) -> None:
    """Neither is there for nothing."""
    region.accesses.clear()
    with a_worker(world, lacking(POLICIES[role](world.blueprint), action)) as worker:
        assert first_failure(worker, STEPS[role]) is not None
    assert action in {each.partition(" ")[0] for each in denied(region)}


def test_rule_12a_the_operator_can_look_ahead_and_send_a_canary(
    region: EmbeddedAws, world: World
) -> None:
    """With the printed documents; without their statement on the key it fails."""
    region.accesses.clear()
    with an_operator(world, Agents()) as operator:
        looks_ahead(operator)
        assert operator.canaries().fly() > 0
    assert denied(region) == []
    documents = without(operator_policies(world.blueprint), SID)
    with (
        an_operator(world, Agents(), documents) as operator,
        pytest.raises(ClientError, match="kms:GenerateDataKey"),
    ):
        operator.canaries().fly()


def test_rule_12a_a_worker_without_the_grant_is_told_which_key_and_what_it_lacks(
    world: World,
) -> None:
    """S3 passes KMS's refusal on by name; the check's own policy is the one that is missing."""
    document = lacking(lacking(worker_policy(world.blueprint), ACTIONS[0]), ACTIONS[1])
    with a_worker(world, document) as worker:
        destination, here = Location(worker.bucket, "processed/"), Names("aws", "us-east-2")
        ask = Asking(lambda _: None)
        found = GuardProbe(worker.aws.s3, ask, destination, here, required=True).run()
    [refused] = failures(found)
    assert refused.grant == {
        "Effect": "Allow",
        "Action": list(ACTIONS),
        "Resource": world.blueprint.stack.pipeline.bucket_kms_key_arn,
    }
