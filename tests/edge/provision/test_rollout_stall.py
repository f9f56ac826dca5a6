"""A bad AMI by the command, through the hour that AWS lets a refresh stall, in a hurried region."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.group_world import new_image, settle, versions, withdrawn
from support.hurried import Hurried
from support.provision_cli import run
from support.provision_world import World
from support.recorded_aws import RecordedAws

from provision.aws.group_facts import group_facts
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

LOOK_SECONDS = 0.2


@pytest.fixture(scope="module")
def region() -> Iterator[EmbeddedAws]:
    """Start an AWS whose hour is short."""
    with EmbeddedAws(clock=Hurried(), delays=Delays(lambda_seconds=0)) as server:
        yield server


@contextmanager
def giving_up(world: World, version: str) -> Iterator[list[str]]:
    """Have every instance of a version say at once that it is no good; gives those that did."""
    over, gone = threading.Event(), list[str]()

    def watch() -> None:
        aws = RecordedAws(world.region)
        while not over.wait(LOOK_SECONDS):
            group = group_facts(aws.autoscaling, aws.ec2, world.blueprint.names.group)
            for each in group.in_service if group else ():
                if each.template_version == version:
                    aws.autoscaling.set_instance_health(
                        InstanceId=each.id, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
                    )
                    gone.append(each.id)
        aws.close()

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield gone
    finally:
        over.set()
        watching.join()


@pytest.mark.heavy
def test_rule_28_an_ami_whose_instances_give_up_is_turned_back_and_withdrawn_after_an_hour(
    region: EmbeddedAws, aws: RecordedAws, name: str, tmp_path: Path
) -> None:
    """Exit status 3, with AWS's reason; the old one works on, and nothing is left to settle."""
    world = settle(World.of(region, aws, name, **{"lambda": {"enabled": False}}))
    [before] = versions(world)[1]
    bad = new_image(world)
    with giving_up(world, "2") as gone:
        ended = run(world, tmp_path, "rollout", "--ami", bad.id)
    assert ended.exit_code == 3, ended.output
    assert len(gone) > 1
    assert "refresh RollbackSuccessful" in ended.stderr
    assert "no progress for an hour" in ended.stderr
    assert (versions(world), withdrawn(world, bad)) == (("1", [before], 1), True)
    assert "template version 2" not in run(world, tmp_path, "status").output
