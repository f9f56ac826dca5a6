"""Bucket, topic, queues, subscription and rule: made, made again, adopted, encrypted anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.photograph import photograph
from support.provision_cli import run
from support.provision_world import World
from support.untagging import untag

from provision.aws.emptying import empty
from provision.core.plan import Update
from provision.core.resource import OWNER_TAG, Key, Wanted
from provision.resources import bucket, subscription
from provision.resources.catalogue import intentions
from worker.demo.account import Account
from worker.demo.embedded.server import EmbeddedAws
from worker.demo.pipeline import create_pipeline

Build = Callable[..., World]
OWNER = f"tag:{OWNER_TAG}"
KEY = "arn:aws:kms:us-east-2:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
ANOTHER_ACCOUNT = "210987654321"


def test_a_second_apply_sends_nothing_that_could_change_anything(world: World) -> None:
    """The plan is empty, and every request only looks."""
    world.apply()
    with world.aws.recording() as sent:
        assert world.apply().done == ()
    assert sent
    assert [each.operation for each in sent if each.writes] == []


def test_a_file_that_lands_is_told_to_the_queue(world: World) -> None:
    """The whole way: bucket, topic, queue, in SNS's envelope."""
    world.apply()
    names, aws = world.blueprint.names, world.aws
    url = aws.sqs.get_queue_url(QueueName=names.queue)["QueueUrl"]
    aws.sqs.purge_queue(QueueUrl=url)
    aws.s3.put_object(Bucket=names.bucket, Key="uploads/a", Body=b"content")
    aws.s3.put_object(Bucket=names.bucket, Key="elsewhere/a", Body=b"content")
    told = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
    [message] = told["Messages"]
    assert '"Type": "Notification"' in message["Body"]
    assert "uploads/a" in message["Body"]
    list(empty(aws.s3, names.bucket))


@pytest.mark.parametrize(("versioned", "status"), [(True, "Enabled"), (False, None)])
def test_the_demos_pipeline_is_a_stacks(
    region: EmbeddedAws, name: str, *, versioned: bool, status: str | None
) -> None:
    """Its own bucket keeps versions; without, the bucket is the user's, and only told of."""
    account = Account(region)
    made = create_pipeline(account, name, versioned=versioned)
    assert made.queue_url.endswith(f"{name}-uploads")
    assert account.s3.get_bucket_versioning(Bucket=name).get("Status") == status
    told = account.s3.get_bucket_notification_configuration(Bucket=name)
    assert [rule["Id"] for rule in told["TopicConfigurations"]] == [f"s3-event-worker-{name}"]
    account.close()


# --- encryption -----------------------------------------------------------------------------------


def encryption(world: World) -> set[tuple[str, str]]:
    """Return key and SSE-SQS of both queues, each pair once."""
    names, sqs = world.blueprint.names, world.aws.sqs
    told = [
        sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=["All"]
        )["Attributes"]
        for name in (names.queue, names.dead_letter_queue)
    ]
    return {(each.get("KmsMasterKeyId", ""), each["SqsManagedSseEnabled"]) for each in told}


def test_rule_12_queues_and_topic_go_under_a_key_and_back(build: Build) -> None:
    """SQS takes one kind of encryption at a time: both settings go in one request."""
    plain = build()
    plain.apply()
    assert encryption(plain) == {("", "true")}
    under_a_key = build(plain.stack, pipeline={"kms_key_arn": KEY})
    under_a_key.apply()
    assert encryption(under_a_key) == {(KEY, "false")}
    assert not under_a_key.plan().steps
    plain.apply()
    assert encryption(plain) == {("", "true")}
    assert not plain.plan().steps


def test_rule_12_a_new_stack_is_made_under_its_key_at_once(build: Build) -> None:
    """No queue and no topic is ever there without it."""
    world = build(pipeline={"kms_key_arn": KEY})
    with world.aws.recording() as sent:
        world.apply()
    assert encryption(world) == {(KEY, "false")}
    assert "sqs.SetQueueAttributes" not in {each.operation for each in sent}


# --- the bucket -----------------------------------------------------------------------------------


def test_a_name_that_is_another_accounts_is_refused_and_cannot_be_adopted(world: World) -> None:
    """S3's names are one for the world; the operator is told before anything is made."""
    names = world.blueprint.names
    theirs: Any = world.aws.session.client(
        "s3",
        endpoint_url=world.region.endpoint_url,
        aws_access_key_id=foreign_key(world),
        aws_secret_access_key="testing",
    )
    theirs.create_bucket(
        Bucket=names.bucket, CreateBucketConfiguration={"LocationConstraint": "us-east-2"}
    )
    [refusal] = world.plan(Key(bucket.KIND, names.bucket)).refusals
    assert refusal.key.kind == "bucket"
    assert "another AWS account's" in refusal.why
    assert refusal.hint == "choose another name in the stack file"


def foreign_key(world: World) -> str:
    """Return an access key of a role in another account, as moto gives it to who assumes one."""
    sts: Any = world.aws.sts
    told = sts.assume_role(
        RoleArn=f"arn:aws:iam::{ANOTHER_ACCOUNT}:role/theirs", RoleSessionName="theirs"
    )
    key: str = told["Credentials"]["AccessKeyId"]
    return key


def test_the_owners_tag_comes_with_the_call_that_creates_the_bucket(world: World) -> None:
    """There is no moment at which the bucket looks like somebody else's."""
    world.apply()
    made = world.aws.parameters_of("s3.CreateBucket")
    assert made["ObjectOwnership"] == "BucketOwnerEnforced"
    assert made["CreateBucketConfiguration"] == {
        "LocationConstraint": "us-east-2",
        "Tags": [{"Key": "s3-event-worker:stack", "Value": world.stack}],
    }


# --- subscriptions --------------------------------------------------------------------------------


def test_who_has_not_agreed_to_alarm_mails_yet_is_subscribed_all_the_same(build: Build) -> None:
    """A pending subscription is there: nobody is sent a second mail, and destroy leaves none."""
    world = build(watch={"email": "ops@example.com"})
    world.apply()
    provider: Any = world.providers[subscription.KIND]
    key = subscription.subscription_key(
        world.blueprint.names.alarm_topic, "email", "ops@example.com"
    )
    assert provider.arn(key) == subscription.PENDING
    assert not world.plan().steps
    world.destroy()
    assert provider.arn(key) is None


# --- what has our name and is not ours ------------------------------------------------------------


def tagged(world: World) -> list[Wanted]:
    """Return what the stack wants that says by a tag whose it is, one of each kind."""
    wanted = [each.wanted for each in intentions(world.blueprint) if each.wanted]
    return list({each.key.kind: each for each in wanted if OWNER in each.values()}.values())


@pytest.mark.heavy
def test_what_has_our_name_and_no_tag_stops_the_run_until_it_is_adopted(world: World) -> None:
    """Of every kind: refused by name, with how to adopt it; adopted, only the tag is set."""
    world.apply()
    for each in tagged(world):
        untag(world, each.key)
        refusals = {refusal.key: refusal.hint for refusal in world.plan().refusals}
        assert f"--adopt {each.key}" in refusals[each.key]
        adopted = world.plan(*refusals)
        [step] = adopted.steps
        assert isinstance(step, Update)
        assert [change.name for change in step.changes] == [OWNER]
        world.carry_out(adopted)
        assert not world.plan().steps


def test_the_command_changes_nothing_beside_what_is_not_ours(world: World, tmp_path: Path) -> None:
    """A queue of our name is there: exit 1, and the account is as it was."""
    name = world.blueprint.names.queue
    world.aws.sqs.create_queue(QueueName=name)
    before = photograph(world.aws)
    refused = run(world, tmp_path, "apply", "--yes")
    assert (refused.exit_code, f"--adopt queue/{name}" in refused.output) == (1, True)
    assert photograph(world.aws) == before
    world.apply(Key("queue", name))
    assert not world.plan().steps
