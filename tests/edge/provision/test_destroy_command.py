"""`provision destroy`: what it must never take."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.provision_cli import run
from support.provision_world import World

Build = Callable[..., World]

KEY = "ledger/2026.csv"


def without_image(world: World) -> World:
    """Take the instances away: nobody here would end their drain."""
    world.blueprint = replace(world.blueprint, image=None)
    return world


@pytest.mark.parametrize("existing", [True, False])
def test_the_files_of_a_bucket_that_is_not_ours_stay_with_files_or_not(
    build: Build, tmp_path: Path, name: str, *, existing: bool
) -> None:
    """The owner's bucket, and one that stands where ours would, are nobody's to empty."""
    bucket = f"{name}-owners"
    world = without_image(build(name, pipeline={"bucket": bucket, "existing_bucket": existing}))
    s3, place = world.aws.s3, {"LocationConstraint": world.blueprint.names.region}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)  # type: ignore[arg-type] # a plain dict
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"precious")
    if existing:
        world.apply()
    ended = run(world, tmp_path, "destroy", "--with-files", "--keep-images", "--confirm", name)
    assert ended.exit_code == 0, ended.output
    assert s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"precious"
    assert f"bucket/{bucket} is " in ended.output


def test_our_own_bucket_goes_with_its_files_when_asked(world: World, tmp_path: Path) -> None:
    """And not before everything that writes to it."""
    without_image(world).apply()
    names, s3 = world.blueprint.names, world.aws.s3
    s3.put_object(Bucket=names.bucket, Key="uploads/a", Body=b"content")
    ended = run(world, tmp_path, "destroy", "--with-files", "--confirm", names.stack)
    assert ended.exit_code == 0, ended.output
    assert names.bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_a_destroy_in_another_region_takes_nothing_of_the_stack_here(
    world: World, tmp_path: Path
) -> None:
    """Bucket, roles and profile have one name for all regions: a --region too many is no harm."""
    without_image(world).apply()
    names = world.blueprint.names
    told = ("destroy", "--region", "eu-west-1", "--with-files", "--confirm", names.stack)
    ended = run(world, tmp_path, *told)
    assert ended.exit_code == 0, ended.output
    assert "nothing to take away" in ended.output
    assert world.plan().steps == ()


def test_messages_and_other_listeners_are_told_of_before_anything_goes(
    world: World, tmp_path: Path
) -> None:
    """Their files stay, and nobody would know why; who listens to our topic hears no more."""
    without_image(world).apply()
    names, sqs = world.blueprint.names, world.aws.sqs
    url = sqs.get_queue_url(QueueName=names.queue)["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)  # S3's own test event
    sqs.send_message(QueueUrl=url, MessageBody="a file")
    audit = f"arn:aws:sqs:us-east-2:{names.account}:audit"
    world.aws.sns.subscribe(TopicArn=names.topic_arn, Protocol="sqs", Endpoint=audit)
    ended = run(world, tmp_path, "destroy", "--confirm", "another")
    assert ended.exit_code == 1
    assert f"1 of them; their files stay below s3://{names.bucket}/uploads/" in ended.output
    assert f"{audit} listens to {names.topic_arn}" in ended.output
    assert world.plan().steps == ()
