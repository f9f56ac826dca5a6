"""A destroy meets a group that somebody else has had his hands on, or that is being rolled."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from support.group_world import instances, members, new_image, rolling, settle, versions
from support.photograph import Picture, photograph
from support.provision_world import World

from provision.aws.consumer import write_consumer
from provision.errors import ProvisionError
from provision.resources.mapping import find_mapping
from provision.spec.blueprint import Consumer
from worker.demo.embedded.layer import Delays

DELAYS = Delays(lambda_seconds=0)
"""Instances take a while to come and to go."""

Build = Callable[..., World]


@pytest.fixture
def before(build: Build) -> Picture:
    """Give what the account holds without the stack."""
    return photograph(build().aws)


@pytest.fixture
def world(build: Build, before: Picture) -> World:
    """Give a stack with one instance in service, and no function."""
    del before
    return settle(build(**{"lambda": {"enabled": False}}))


def test_a_group_whose_processes_are_suspended_is_taken_down(world: World, before: Picture) -> None:
    """With Terminate among them no instance would ever go."""
    group = world.blueprint.names.group
    world.aws.autoscaling.suspend_processes(AutoScalingGroupName=group)
    world.destroy()
    assert photograph(world.aws) == before


def test_an_instance_in_standby_is_named_and_nothing_else_of_the_group_goes(
    world: World, before: Picture
) -> None:
    """Somebody works on it; when it is back, the same command ends it."""
    autoscaling, group = world.aws.autoscaling, world.blueprint.names.group
    instance: str = instances(world)[0]["InstanceId"]
    autoscaling.enter_standby(
        AutoScalingGroupName=group, InstanceIds=[instance], ShouldDecrementDesiredCapacity=False
    )
    world.region.clock.advance(60)
    with pytest.raises(ProvisionError, match=f"{instance} in Standby") as ended:
        world.destroy()
    assert f"exit-standby --auto-scaling-group-name {group}" in ended.value.hint
    assert sorted(members(world)) == ["InService", "Standby"]
    autoscaling.exit_standby(AutoScalingGroupName=group, InstanceIds=[instance])
    world.destroy()
    assert photograph(world.aws) == before


def test_rule_34_a_group_that_is_protected_against_deletion_is_named_and_works_on(
    world: World, before: Picture
) -> None:
    """Rather than drained, and then refused by AWS; once that is taken off, it goes."""
    autoscaling, group = world.aws.autoscaling, world.blueprint.names.group
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=group, DeletionProtection="prevent-all-deletion"
    )
    with pytest.raises(ProvisionError, match="protected against deletion") as ended:
        world.destroy()
    assert "--deletion-protection none" in ended.value.hint
    world.region.clock.advance(60)
    assert members(world) == ["InService"]
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=group, DeletionProtection="none")
    world.destroy()
    assert photograph(world.aws) == before


@pytest.mark.heavy
def test_instances_that_are_protected_in_every_way_are_taken_down(
    world: World, before: Picture
) -> None:
    """Scale-in protection is taken off; EC2's own against termination holds nobody but people."""
    aws, names = world.aws, world.blueprint.names
    instance = protect(world)
    aws.ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": True})
    aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=names.group, NewInstancesProtectedFromScaleIn=True
    )
    world.destroy()
    assert photograph(aws) == before


@pytest.mark.heavy
def test_an_instance_that_is_protected_in_every_way_is_replaced(world: World) -> None:
    """By a rollout, which waits for nobody to take the protection off (rule 28)."""
    instance = protect(world)
    world.aws.ec2.modify_instance_attribute(
        InstanceId=instance, DisableApiTermination={"Value": True}
    )
    roll, version, watched = rolling(world, new_image(world))
    roll.to_version(version)
    assert versions(world) == (str(version), [str(version)], version)
    assert min(watched.counts) >= 1


def protect(world: World) -> str:
    """Protect the group's instance from scale-in; return its id."""
    autoscaling, group = world.aws.autoscaling, world.blueprint.names.group
    instance: str = instances(world)[0]["InstanceId"]
    autoscaling.set_instance_protection(
        AutoScalingGroupName=group, InstanceIds=[instance], ProtectedFromScaleIn=True
    )
    return instance


def test_a_stack_that_is_being_rolled_is_taken_down(world: World, before: Picture) -> None:
    """The refresh does not bring back what drains, and nothing of it stays."""
    roll, version, watched = rolling(world, new_image(world))

    def interrupt(why: str, seconds: float) -> None:
        watched.pause(why, seconds)
        if "InProgress" in why:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(roll, pause=interrupt).to_version(version)
    world.destroy()
    assert photograph(world.aws) == before


@pytest.mark.heavy
@pytest.mark.parametrize("drained", [False, True], ids=["half-way", "alone"])
def test_a_stack_that_was_cut_over_or_half_so_is_taken_down(
    build: Build, before: Picture, *, drained: bool
) -> None:
    """With the function consuming, beside the instances or alone."""
    world = settle(build())
    aws, names = world.aws, world.blueprint.names
    mapping = find_mapping(aws.lambda_, names.queue_arn, names.function) or {}
    aws.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    write_consumer(aws.sqs, names.queue, Consumer.LAMBDA)
    if drained:
        aws.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=names.group, MinSize=0, MaxSize=0, DesiredCapacity=0
        )
    world.blueprint = replace(world.blueprint, consumer=Consumer.LAMBDA)
    with aws.recording() as sent:
        world.destroy()
    order = [each.operation for each in sent if ".Delete" in each.operation]
    assert order.index("lambda.DeleteEventSourceMapping") < order.index("lambda.DeleteFunction")
    assert order.index("lambda.DeleteFunction") < order.index("sqs.DeleteQueue")
    assert photograph(aws) == before
