"""Ctrl-C while a command is at work: how it ends, what it says of the rest, and how to go on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.ctrl_c import CtrlC, interrupted
from support.group_world import new_image
from support.provision_cli import run
from support.provision_world import IMAGE, World
from support.recorded_aws import RecordedAws

from provision.aws.images import stack_images
from worker.demo.embedded.server import EmbeddedAws

Build = Callable[..., World]

pytestmark = pytest.mark.xdist_group("ctrl-c")  # most are about one stack, which is slow to build

REFRESHES = "DescribeInstanceRefreshes"


@pytest.fixture(scope="module")
def standing(region: EmbeddedAws, aws: RecordedAws) -> Iterator[World]:
    """Give a stack that stands, with something to redrive."""
    whole = World.of(region, aws, "standing", instances={"ami": IMAGE.id})
    whole.apply()
    names, sqs = whole.blueprint.names, whole.aws.sqs
    url = sqs.get_queue_url(QueueName=names.queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="not an event")
    for _ in range(6):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, MaxNumberOfMessages=10)
    yield whole
    whole.destroy()


CASES = [
    ("plan", "DescribeImages", "", 1, "interrupted"),
    ("verify", "GetBucketPolicy", "", 1, "interrupted"),
    ("cutover ec2", "PutObject", "", 3, "`provision cutover ec2` goes on"),
    ("dlq redrive", "ListMessageMoveTasks", "StartMessageMoveTask", 3, "`provision dlq redrive` w"),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("command", "at", "after", "status", "said"), CASES)
def test_an_interrupted_command_says_how_it_stands_and_how_to_go_on(
    standing: World, tmp_path: Path, command: str, at: str, after: str, status: int, said: str
) -> None:
    """Exit status 1 where nothing was changed, 3 where something was begun."""
    ended = interrupted(standing, tmp_path, CtrlC(at, after), *command.split())
    assert (ended.status, "Traceback" in ended.err) == (status, False), ended.err
    assert "interrupted" in ended.err
    assert said in ended.err
    assert canaries(standing) == []


def canaries(world: World) -> list[str]:
    """Return the canaries that were left behind."""
    told = world.aws.s3.list_objects_v2(Bucket=world.blueprint.names.bucket)
    return [each["Key"] for each in told.get("Contents", [])]


@pytest.mark.heavy
def test_a_refresh_goes_on_after_its_watching_was_interrupted_forwards_and_back(
    build: Build, tmp_path: Path
) -> None:
    """Exit status 3, and both ways on are named; then a rollback's watching is interrupted."""
    world = build(instances={"ami": IMAGE.id})
    world.apply()
    told = ("rollout", "--ami", new_image(world).id)
    out = interrupted(world, tmp_path, CtrlC(REFRESHES, "StartInstanceRefresh"), *told)
    assert (out.status, "Traceback" in out.err) == (3, False), out.err
    assert f"run `{' '.join(('provision', *told))}` again: it goes on" in out.err
    assert "`provision rollback` turns it back" in out.err
    back = interrupted(world, tmp_path, CtrlC(REFRESHES, "RollbackInstanceRefresh"), "rollback")
    assert (back.status, "Traceback" in back.err) == (3, False), back.err
    assert "run `provision rollback` again" in back.err


@pytest.mark.heavy
@pytest.mark.parametrize(("at", "after"), [("DescribeImages", "CreateImage"), ("CreateImage", "")])
def test_an_image_goes_on_being_made_after_an_interrupt(
    standing: World, tmp_path: Path, at: str, after: str
) -> None:
    """It is named, with where to see it; AWS may have begun it though it never answered."""
    ec2 = standing.aws.ec2
    [made] = ec2.run_instances(ImageId=IMAGE.id, MinCount=1, MaxCount=1)["Instances"]
    command = ("ami", "from-instance", made["InstanceId"], "--name", f"before-{at}")
    ended = interrupted(standing, tmp_path, CtrlC(at, after), *command)
    assert (ended.status, "Traceback" in ended.err) == (3, False), ended.err
    assert "goes on being made" in ended.err
    assert "`provision ami list`" in ended.err


@pytest.mark.parametrize("command", ["ami prune --keep 1 --yes", "destroy --confirm"])
def test_images_that_an_interrupt_left_are_named(
    region: EmbeddedAws, aws: RecordedAws, name: str, tmp_path: Path, command: str
) -> None:
    """It came with the second, of which AWS did not answer: that one is among what remains."""
    world = World.of(region, aws, name)
    made = [new_image(world, number).id for number in range(3)]
    typed = [*command.split(), *([name] if "destroy" in command else [])]
    ended = interrupted(world, tmp_path, CtrlC("DeregisterImage", "DeregisterImage"), *typed)
    assert (ended.status, "Traceback" in ended.err) == (3, False), ended.err
    remaining = ended.err.rpartition("remaining: ")[2]
    left = [each.id for each in stack_images(world.aws.ec2, name)]
    assert 0 < len(left) < len(made)
    assert {each for each in made if each in remaining} == {
        each for each in left if "destroy" in command or each != made[-1]
    }
    assert f"run `provision {typed[0]}" in ended.err


@pytest.mark.heavy
def test_a_bucket_whose_emptying_was_interrupted_is_named(build: Build, tmp_path: Path) -> None:
    """All else is gone by then."""
    world = build()
    world.blueprint = replace(world.blueprint, image=None)
    world.apply()
    bucket = world.blueprint.names.bucket
    world.aws.s3.put_object(Bucket=bucket, Key="uploads/a", Body=b"content")
    command = ("destroy", "--with-files", "--confirm", world.stack)
    ended = interrupted(world, tmp_path, CtrlC("DeleteObjects"), *command)
    assert (ended.status, "Traceback" in ended.err) == (3, False), ended.err
    assert f"remaining: bucket/{bucket}" in ended.err
    assert "run `provision destroy` again" in ended.err
    assert run(world, tmp_path, *command).exit_code == 0
