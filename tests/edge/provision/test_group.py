"""The Auto Scaling group and its scaling policy against the embedded AWS."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from support.group_world import Watched, members, settle
from support.provision_world import World
from support.recorded_aws import RecordedAws

from provision.core.plan import Update
from provision.errors import RefusedError
from provision.group_rollout import GroupRollout
from provision.resources import alarm, group, scaling
from provision.spec.blueprint import Consumer, Image
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

DELAYS = Delays(lambda_seconds=0)
"""Instances take a while to come and to go."""

Build = Callable[..., World]

OTHER_IMAGE = "ami-04681a1dbd79675a5"
"""Another one of moto's own."""


LEAN = {"lambda": {"enabled": False}}
"""These tests are about the group: without the function there is less to make and to take away."""

FIXED = {**LEAN, "scaling": {"policy": "none"}}


@pytest.fixture(scope="module")
def sent(region: EmbeddedAws, aws: RecordedAws) -> Mapping[str, Any]:
    """Make one stack with a long drain; give the requests that made its group, by operation."""
    world = World.of(region, aws, "requests", worker={"drain_seconds": 300}, **LEAN)
    world.apply()
    made = ("CreateAutoScalingGroup", "EnableMetricsCollection", "PutScalingPolicy")
    requests = {each: aws.parameters_of(f"autoscaling.{each}") for each in made}
    world.destroy()
    return requests


@pytest.fixture
def created(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the request that made the group."""
    asked: Mapping[str, Any] = sent["CreateAutoScalingGroup"]
    return asked


def creation(world: World) -> Mapping[str, Any]:
    """Return the request that made this world's group."""
    return world.aws.parameters_of("autoscaling.CreateAutoScalingGroup")


def test_rule_25_the_group_names_its_template_version_by_number(created: Mapping[str, Any]) -> None:
    """With $Latest or $Default a refresh could not be rolled back."""
    named = {"LaunchTemplateName": "requests-worker", "Version": "1"}
    assert created["LaunchTemplate"] == named


def test_rule_27_nothing_is_replaced_before_its_successor_works(created: Mapping[str, Any]) -> None:
    """The maintenance policy says so from the start, for every kind of replacement."""
    policy = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}
    assert created["InstanceMaintenancePolicy"] == policy


def test_rule_30_a_dead_instance_is_replaced_after_a_short_grace(
    created: Mapping[str, Any],
) -> None:
    """EC2's health check and 60 s; the worker calls SetInstanceHealth for the rest."""
    assert (created["HealthCheckType"], created["HealthCheckGracePeriod"]) == ("EC2", 60)


def test_rule_31_the_scaler_reads_metrics_that_are_counted(sent: Mapping[str, Any]) -> None:
    """GroupInServiceInstances is asked for; no instance is no division by zero; one result."""
    assert "GroupInServiceInstances" in sent["EnableMetricsCollection"]["Metrics"]
    target = sent["PutScalingPolicy"]["TargetTrackingConfiguration"]
    metrics = target["CustomizedMetricSpecification"]["Metrics"]
    [result] = [each for each in metrics if each["ReturnData"]]
    assert result["Expression"] == "backlog / IF(FILL(instances, 0) > 0, instances, 1)"
    assert len(result["Expression"]) <= 2047
    [counter] = [each for each in metrics if each["Id"] == "instances"]
    assert counter["MetricStat"]["Metric"]["MetricName"] == "GroupInServiceInstances"


def test_rule_32_a_new_instance_counts_after_its_warm_up(created: Mapping[str, Any]) -> None:
    """Set for the whole group, so a refresh and the scaler agree."""
    assert created["DefaultInstanceWarmup"] == group.WARMUP_SECONDS


def test_rule_33_the_hook_comes_with_the_group_and_outlasts_the_drain(
    created: Mapping[str, Any],
) -> None:
    """No instance is ever without it; its timeout is the drain's and some air."""
    assert created["LifecycleHookSpecificationList"] == [
        {
            "LifecycleHookName": "s3-event-worker-drain",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "HeartbeatTimeout": 360,
            "DefaultResult": "CONTINUE",
        }
    ]


def test_rule_34_a_group_is_drained_and_then_deleted_without_force(build: Build) -> None:
    """Sizes to 0 and protection lifted first; DeleteAutoScalingGroup only when it is empty."""
    world = settle(build(**LEAN))
    name = world.blueprint.names.group
    [instance] = world.aws.autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]
    world.aws.autoscaling.set_instance_protection(
        AutoScalingGroupName=name,
        InstanceIds=[instance["InstanceId"]],
        ProtectedFromScaleIn=True,
    )
    with world.aws.recording() as sent:
        world.destroy()
    ours = [
        each.operation for each in sent if each.writes and each.operation.startswith("autoscaling.")
    ]
    assert ours == [
        "autoscaling.DeletePolicy",
        "autoscaling.SetInstanceProtection",
        "autoscaling.UpdateAutoScalingGroup",
        "autoscaling.DeleteAutoScalingGroup",
    ]
    assert "ForceDelete" not in world.aws.parameters_of("autoscaling.DeleteAutoScalingGroup")
    assert members(world) == []


def test_rule_39_desired_is_set_once_and_left_to_the_scaler(build: Build) -> None:
    """What the scaler decided is no drift, and no apply touches it."""
    world = settle(build(**LEAN))
    name = world.blueprint.names.group
    world.aws.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
    assert world.plan().steps == ()
    larger = build(world.stack, instances={"maximum": 5}, **LEAN)
    [step] = larger.plan().steps
    assert isinstance(step, Update)
    assert [change.name for change in step.changes] == ["MaxSize"]
    with larger.aws.recording() as sent:
        larger.apply()
    [update] = [each.parameters for each in sent if each.writes]
    assert update == {"AutoScalingGroupName": name, "MaxSize": 5}


def test_without_a_scaler_the_stack_file_decides_how_many(build: Build) -> None:
    """Nobody else would ever change it; with the sizes in one call, no bound is in the way."""
    world = settle(build(**FIXED))
    name = world.blueprint.names.group
    larger = build(world.stack, instances={"desired": 3, "maximum": 4}, **FIXED)
    [step] = larger.plan().steps
    assert isinstance(step, Update)
    assert [change.name for change in step.changes] == ["DesiredCapacity", "MaxSize"]
    with larger.aws.recording() as sent:
        larger.apply()
    [update] = [each.parameters for each in sent if each.writes]
    assert update == {"AutoScalingGroupName": name, "DesiredCapacity": 3, "MaxSize": 4}


def test_rule_26_other_settings_come_by_a_refresh_and_one_instance_always_works(
    build: Build,
) -> None:
    """DesiredConfiguration carries the new version; the group is not updated first."""
    world = settle(build(**LEAN))
    watched = Watched(world)
    world.pause = watched.pause
    world.blueprint = replace(world.blueprint, image=Image(OTHER_IMAGE, "x86_64", "/dev/sda1"))
    with world.aws.recording() as sent:
        world.apply()
    refresh = world.aws.parameters_of("autoscaling.StartInstanceRefresh")
    assert refresh["DesiredConfiguration"]["LaunchTemplate"]["Version"] == "2"
    preferences = refresh["Preferences"]
    assert preferences["MinHealthyPercentage"] == 100
    assert preferences["MaxHealthyPercentage"] == 200
    assert preferences["AutoRollback"] is True
    assert preferences["AlarmSpecification"]["Alarms"]
    operations = {each.operation for each in sent if each.writes}
    assert "autoscaling.UpdateAutoScalingGroup" not in operations
    assert min(watched.counts) >= 1
    assert world.plan().steps == ()


def test_rule_27_a_refresh_without_room_for_a_successor_is_refused(build: Build) -> None:
    """Desired = maximum: whether AWS would pass the maximum is written nowhere."""
    world = settle(build(instances={"maximum": 1}, **LEAN))
    world.blueprint = replace(world.blueprint, image=Image(OTHER_IMAGE, "x86_64", "/dev/sda1"))
    with world.aws.recording() as sent, pytest.raises(RefusedError, match="rule 27"):
        world.apply()
    assert "autoscaling.StartInstanceRefresh" not in {each.operation for each in sent}


def test_with_no_instance_the_group_is_changed_in_place(build: Build) -> None:
    """There is nothing to refresh, and nothing to roll back."""
    world = build(instances={"minimum": 0, "desired": 0}, **LEAN)
    world.apply()
    world.blueprint = replace(world.blueprint, image=Image(OTHER_IMAGE, "x86_64", "/dev/sda1"))
    with world.aws.recording() as sent:
        world.apply()
    operations = [each.operation for each in sent if each.writes]
    assert "autoscaling.UpdateAutoScalingGroup" in operations
    assert "autoscaling.StartInstanceRefresh" not in operations
    assert world.plan().steps == ()


def test_spot_comes_through_a_mixed_instances_policy(build: Build) -> None:
    """The template itself asks for no market, so both ways can be changed between."""
    world = build(instances={"spot": True, "spot_types": ["t3.medium", "t3a.small"]}, **LEAN)
    world.apply()
    mixed = creation(world)["MixedInstancesPolicy"]
    assert isinstance(mixed, dict)
    types = [each["InstanceType"] for each in mixed["LaunchTemplate"]["Overrides"]]
    assert types == ["t3.small", "t3.medium", "t3a.small"]
    assert mixed["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 0
    assert world.plan().steps == ()


def test_while_the_function_consumes_the_group_is_empty_and_stays_so(build: Build) -> None:
    """A maximum of 0 keeps the scaler still."""
    world = build(**LEAN)
    world.blueprint = replace(world.blueprint, consumer=Consumer.LAMBDA)
    world.apply()
    sent = creation(world)
    assert (sent["MinSize"], sent["MaxSize"], sent["DesiredCapacity"]) == (0, 0, 0)


def test_without_an_image_group_and_template_wait_and_what_is_there_stays(build: Build) -> None:
    """An AMI that is gone for a while takes no running group with it."""
    world = settle(build(**LEAN))
    world.blueprint = replace(world.blueprint, image=None)
    planned = world.plan()
    waiting = {each.key.kind: each.waits_for for each in planned.notes}
    assert waiting.keys() >= {group.KIND, "launch-template", scaling.KIND, alarm.KIND}
    assert "provision ami bake" in waiting[group.KIND]
    assert not {step.key.kind for step in planned.steps} & waiting.keys()


def test_the_scaler_is_taken_away_where_the_stack_file_says_none(build: Build) -> None:
    """The seed's lab has no scaling policy."""
    world = build(**LEAN)
    world.apply()
    fixed = build(world.stack, scaling={"policy": "none"}, **LEAN)
    assert [step.key.kind for step in fixed.plan().steps] == [scaling.KIND]
    fixed.apply()
    assert fixed.plan().steps == ()


def test_rule_01_a_profile_that_ec2_does_not_see_yet_is_waited_for(
    build: Build, region: EmbeddedAws
) -> None:
    """The group is made in the end, and the wait is the operator's to see."""
    world = build(**LEAN)
    region.propagation.refusals = 2
    try:
        world.apply()
    finally:
        region.propagation.refusals = 0
    sent = [each.operation for each in world.aws.sent]
    assert sent.count("autoscaling.CreateAutoScalingGroup") >= 2
    assert world.plan().steps == ()


def test_a_broken_ami_does_not_keep_its_successor_away(build: Build) -> None:
    """A group that wants an instance and gets none is changed in place: nothing to protect."""
    world = build(instances={"minimum": 0, "desired": 0}, **LEAN)
    world.apply()
    name = world.blueprint.names.group
    world.aws.autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["Launch"])
    world.aws.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
    assert members(world) == []
    with world.aws.recording() as sent:
        GroupRollout(world.aws, world.blueprint, lambda *_: None).to_version(1)
    assert [each.operation for each in sent if each.writes] == [
        "autoscaling.UpdateAutoScalingGroup"
    ]
