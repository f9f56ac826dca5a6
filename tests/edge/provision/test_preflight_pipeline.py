"""What AWS would refuse of the pipeline is found before anything is made."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.provision_world import World
from support.stacks import a_blueprint

from provision.aws.emptying import empty
from provision.aws.pipeline_facts import preflight_pipeline
from provision.core.finding import Finding, Level, failures
from provision.core.resource import Json
from provision.resources.policy import document, service_statement, text_of

Build = Callable[..., World]

UPLOADS = "s3:ObjectCreated:*"
NO_KEY = "arn:aws:kms:us-east-2:123456789012:key/00000000-0000-0000-0000-000000000000"


def found(world: World) -> tuple[Finding, ...]:
    """Run the preflight."""
    return tuple(preflight_pipeline(world.aws, world.blueprint))


def faults(world: World) -> tuple[Finding, ...]:
    """Run the preflight, and keep what would stop an apply."""
    return failures(found(world))


@pytest.fixture
def owners(build: Build) -> World:
    """Give a stack in a bucket of the owner's, with versions."""
    world = build(pipeline={"existing_bucket": True})
    bucket = world.blueprint.names.bucket
    world.aws.s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-east-2"}
    )
    world.aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return world


def test_a_stack_of_which_nothing_exists_passes(world: World) -> None:
    """There is nothing that could stand in its way."""
    assert faults(world) == ()


def test_an_owners_bucket_that_is_not_there_is_named(build: Build) -> None:
    """S3 would say so only after queue and topic were made."""
    [fault] = faults(build(pipeline={"existing_bucket": True}))
    assert "there is no such bucket" in fault.detail


def test_rule_10_an_owners_bucket_is_in_the_stacks_region(build: Build) -> None:
    """Bucket and topic are of one region; the hint says which."""
    world = build(pipeline={"existing_bucket": True})
    other: Any = world.aws.session.client(
        "s3", region_name="eu-west-1", endpoint_url=world.region.endpoint_url
    )
    other.create_bucket(
        Bucket=world.blueprint.names.bucket,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    [fault] = faults(world)
    assert fault.hint == 'say region = "eu-west-1" in the stack file'


def test_an_owners_bucket_without_versions_is_a_warning(owners: World) -> None:
    """The moves are safe without; what somebody overwrites is not."""
    owners.aws.s3.put_bucket_versioning(
        Bucket=owners.blueprint.names.bucket, VersioningConfiguration={"Status": "Suspended"}
    )
    assert [each.level for each in found(owners)] == [Level.WARNING, Level.OK]


@pytest.mark.parametrize(
    ("prefix", "suffix", "events"),
    [
        ("uploads/", "", [UPLOADS]),
        ("uploads/2026/", "", ["s3:ObjectCreated:Put"]),
        ("up", ".csv", ["s3:ObjectCreated:Copy", "s3:ObjectRemoved:*"]),
        ("", "", [UPLOADS]),
        ("uploads/", "", ["s3:ObjectRemoved:*"]),
        ("logs/", "", [UPLOADS]),
        ("uploads2/", ".csv", [UPLOADS]),
    ],
)
def test_rule_09_the_preflight_stops_exactly_where_s3_would(
    owners: World, prefix: str, suffix: str, events: Sequence[str]
) -> None:
    """Another rule for the same files and event: the preflight and S3 itself are of one mind."""
    tell_a_queue(owners, prefix, suffix, events)
    stopped = bool(faults(owners))
    try:
        owners.apply()
        refused = False
    except ClientError as error:
        refused = "ambiguously defined" in str(error)
    assert stopped is refused


def test_rule_09_the_fault_names_the_other_rule_and_a_way_out(owners: World) -> None:
    """Which rule, whom it tells, and what to do about it."""
    tell_a_queue(owners, "uploads/", "", [UPLOADS])
    [fault] = faults(owners)
    assert "theirs → arn:aws:sqs:" in fault.detail
    assert owners.blueprint.names.topic_arn in fault.hint


def tell_a_queue(world: World, prefix: str, suffix: str, events: Sequence[str]) -> None:
    """Give the bucket a rule of somebody else's."""
    bucket = world.blueprint.names.bucket
    queue = world.blueprint.names.arn("sqs", f"{bucket}-theirs")
    world.aws.sqs.create_queue(
        QueueName=f"{bucket}-theirs",
        Attributes={"Policy": text_of(document(s3_may_send(queue)))},
    )
    rules = [("prefix", prefix), ("suffix", suffix)]
    filters: Any = [{"Name": name, "Value": value} for name, value in rules if value]
    their: Any = {
        "Id": "theirs",
        "QueueArn": queue,
        "Events": list(events),
        **({"Filter": {"Key": {"FilterRules": filters}}} if filters else {}),
    }
    world.aws.s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [their]}
    )


def s3_may_send(queue: str) -> Json:
    """Return the statement that S3 asks for."""
    return service_statement(
        sid="S3MaySend",
        service="s3.amazonaws.com",
        action="sqs:SendMessage",
        resource=queue,
        condition={},
    )


@pytest.fixture
def encrypted(build: Build) -> World:
    """Give a stack under a key of the owner's, whose policy lets the account in, and no service."""
    world = build()
    key = world.aws.kms.create_key()["KeyMetadata"]["Arn"]
    return build(world.stack, pipeline={"kms_key_arn": key})


def test_rule_12_the_statements_that_the_key_lacks_are_spelled_out(encrypted: World) -> None:
    """Put into the key's policy as they are printed, they are all that was missing."""
    [fault] = faults(encrypted)
    assert "s3.amazonaws.com and sns.amazonaws.com" in fault.detail
    grant(encrypted, json.loads(fault.hint.partition(": ")[2]))
    assert faults(encrypted) == ()


def test_rule_12_a_grant_for_another_topic_is_none(encrypted: World) -> None:
    """Conditions count; each service is judged by itself."""
    [fault] = faults(encrypted)
    statements = json.loads(fault.hint.partition(": ")[2])
    statements[1]["Condition"] = {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:::another"}}
    grant(encrypted, statements)
    [fault] = faults(encrypted)
    assert "does not let sns.amazonaws.com use it" in fault.detail


def test_rule_12_a_key_that_cannot_be_used_is_named(encrypted: World, build: Build) -> None:
    """Disabled, or not there at all, or of another region."""
    key = encrypted.blueprint.stack.pipeline.kms_key_arn
    encrypted.aws.kms.disable_key(KeyId=key.rpartition("/")[2])
    assert faults(encrypted)[0].detail == "it is Disabled"
    missing = build(pipeline={"kms_key_arn": NO_KEY})
    assert faults(missing)[0].detail.startswith("it is not there")
    far = build(pipeline={"kms_key_arn": NO_KEY.replace("us-east-2", "eu-west-1")})
    assert "in eu-west-1" in faults(far)[0].detail


def grant(world: World, statements: list[Any]) -> None:
    """Add statements to the key's policy, as its owner would."""
    key = world.blueprint.stack.pipeline.kms_key_arn
    policy = json.loads(world.aws.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"] += statements
    world.aws.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def test_another_bucket_is_refused_while_the_old_one_has_our_rule(world: World) -> None:
    """Its files would be told to nobody; without the rule there is nobody to miss."""
    world.apply()
    before = world.blueprint.names.bucket
    moved = a_blueprint(world.stack, pipeline={"bucket": f"{before}-new"})
    [fault] = failures(preflight_pipeline(world.aws, moved))
    assert fault.subject == f"bucket {before}-new"
    assert before in fault.detail
    world.aws.s3.put_bucket_notification_configuration(Bucket=before, NotificationConfiguration={})
    assert failures(preflight_pipeline(world.aws, moved)) == ()


def moved_to(world: World, prefix: str) -> list[Finding]:
    """Return what the preflight says of another prefix."""
    pipeline = {**world.blueprint.stack.pipeline.model_dump(), "source_prefix": prefix}
    moved = a_blueprint(world.stack, pipeline=pipeline)
    return [each for each in preflight_pipeline(world.aws, moved) if "prefix" in each.subject]


def put(world: World, *keys: str) -> None:
    """Let files lie in the bucket."""
    for key in keys:
        world.aws.s3.put_object(Bucket=world.blueprint.names.bucket, Key=key, Body=b"x")


def swept(world: World, command: str) -> None:
    """Run a sweep as the hint has it, in a shell."""
    environment = {**os.environ, **world.region.environment()}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    subprocess.run(["/bin/sh", "-c", command], env=environment, check=True, capture_output=True)


def test_another_prefix_is_told_of_with_what_it_leaves_and_what_moves_it(world: World) -> None:
    """A worker acknowledges what is not of its prefix: the sweeps that are named find it all."""
    world.apply()
    assert [each for each in found(world) if "prefix" in each.subject] == []
    url = world.aws.sqs.get_queue_url(QueueName=world.blueprint.names.queue)["QueueUrl"]
    world.aws.sqs.purge_queue(QueueUrl=url)
    put(world, "uploads/a", "uploads/b", "in coming/", "in coming/c")
    [told] = moved_to(world, "in coming/")
    assert told.level is Level.WARNING
    for words in ("2 files lie below uploads/", "2 messages", "1 files lie below in coming/"):
        assert words in told.detail
    commands = told.hint.split("`")[1::2]
    assert ["SRC_PREFIX='in coming/'" in each for each in commands] == [True, False]
    for command in commands:
        swept(world, command)
    listed = world.aws.s3.list_objects_v2(Bucket=world.blueprint.names.bucket)["Contents"]
    assert {each["Key"] for each in listed} >= {"processed/a", "processed/b", "processed/c"}
    assert {each["Key"] for each in listed if "processed" not in each["Key"]} <= {"in coming/"}
    assert list(empty(world.aws.s3, world.blueprint.names.bucket))


def test_files_that_lie_there_before_our_rule_are_told_of(owners: World) -> None:
    """S3 tells nobody of them: an owner's bucket may hold a year of uploads."""
    assert [each for each in found(owners) if "prefix" in each.subject] == []
    put(owners, "uploads/old", "processed/other")
    [told] = [each for each in found(owners) if "prefix" in each.subject]
    assert told.level is Level.WARNING
    assert "1 files lie below uploads/ already" in told.detail
    assert "SRC_PREFIX=uploads/ DST_PREFIX=processed/" in told.hint
