"""`provision verify` right after an apply: what is only on its way is waited for."""

from collections.abc import Iterator

import pytest
from support.provision_world import World
from support.recorded_aws import RecordedAws

from provision.core.finding import Finding, Level
from provision.verify import LAUNCH_SECONDS, Verification
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws


@pytest.fixture(scope="module")
def region() -> Iterator[EmbeddedAws]:
    """Start an AWS whose instances take their time."""
    with EmbeddedAws(delays=Delays(launch_seconds=40, lambda_seconds=0)) as server:
        yield server


@pytest.fixture(scope="module")
def aws(region: EmbeddedAws) -> Iterator[RecordedAws]:
    """Give the clients of that one."""
    clients = RecordedAws(region)
    yield clients
    clients.close()


def of_instances(world: World, said: list[str]) -> list[Finding]:
    """Verify, and keep what is found of instances; time is the embedded AWS's."""
    clock = world.region.clock
    checks = Verification(world.aws, world.blueprint, clock.advance, clock, said.append)
    found = []
    for each in checks.run():
        if not each.subject.startswith(("stack", "instance", "group", "service")):
            break
        found.append(each)
    return found


def test_the_instances_of_a_first_apply_are_waited_for(world: World) -> None:
    """They are pending for a while: that is no failure."""
    world.apply()
    said: list[str] = []
    found = of_instances(world, said)
    assert [each.level for each in found if each.subject.startswith("instance")] == [Level.OK]
    assert "is Pending" in said[0]


@pytest.mark.heavy
def test_instances_that_never_come_are_a_failure_in_the_end(world: World) -> None:
    """A group whose launches fail is not waited for for ever."""
    world.apply()
    group = world.blueprint.names.group
    autoscaling, clock = world.aws.autoscaling, world.region.clock
    autoscaling.suspend_processes(AutoScalingGroupName=group, ScalingProcesses=["Launch"])
    told = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    instance = told["AutoScalingGroups"][0]["Instances"][0]["InstanceId"]
    world.aws.ec2.terminate_instances(InstanceIds=[instance])
    clock.advance(600)
    began = clock()
    found = of_instances(world, [])
    assert clock() - began >= LAUNCH_SECONDS
    assert any("has no instance" in each.detail for each in found)
