"""Members that wait, end, and are replaced. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

import pytest
from support.groups import Group

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""
MakeGroup = Callable[..., Group]
Refusal = Callable[..., tuple[int, str]]

INVALID = (400, "ValidationError")


def hook(way: str, result: str = "ABANDON", seconds: int = 60) -> dict[str, Any]:
    """Write a hook for LAUNCHING or TERMINATING."""
    return {
        "LifecycleHookName": way.lower(),
        "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{way}",
        "HeartbeatTimeout": seconds,
        "DefaultResult": result,
    }


@pytest.fixture
def draining(make_group: MakeGroup) -> Group:
    """Make a group whose one member waits when it ends, and is in service by now."""
    group = make_group(LifecycleHookSpecificationList=[hook("TERMINATING", "CONTINUE")])
    group.wait()
    assert group.states() == ["InService"]
    return group


def end(group: Group) -> str:
    """Have the first member terminated; give its id."""
    instance_id: str = next(iter(group.members()))
    group.client.terminate_instance_in_auto_scaling_group(
        InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
    )
    return instance_id


def complete(group: Group, instance_id: str, way: str, result: str) -> None:
    """Complete the wait of an instance."""
    group.client.complete_lifecycle_action(
        AutoScalingGroupName=group.name,
        LifecycleHookName=way.lower(),
        InstanceId=instance_id,
        LifecycleActionResult=result,
    )


@pytest.mark.parametrize("bad", [
    hook("TERMINATING", seconds=29),
    hook("TERMINATING", seconds=7201),
    hook("TERMINATING", result="PERHAPS"),
    hook("SLEEPING"),
    {"LifecycleHookName": "new"},
])  # fmt: skip
def test_rule_33_a_hook_has_bounds(
    make_group: MakeGroup, refusal: Refusal, bad: dict[str, object]
) -> None:
    """30 to 7,200 seconds, CONTINUE or ABANDON, one of two transitions."""
    group = make_group()
    refused = refusal(group.client.put_lifecycle_hook, AutoScalingGroupName=group.name, **bad)
    assert refused == INVALID


def test_rule_33_a_hook_is_told_as_it_was_given(make_group: MakeGroup) -> None:
    """No role, no target, ABANDON by default, at most 48 hours in all."""
    group = make_group()
    one = {"AutoScalingGroupName": group.name}
    way = "autoscaling:EC2_INSTANCE_TERMINATING"
    group.client.put_lifecycle_hook(**one, LifecycleHookName="h", LifecycleTransition=way)
    group.client.put_lifecycle_hook(**one, LifecycleHookName="h", HeartbeatTimeout=300)
    assert group.client.describe_lifecycle_hooks(**one)["LifecycleHooks"] == [
        {
            "LifecycleHookName": "h",
            "AutoScalingGroupName": group.name,
            "LifecycleTransition": way,
            "HeartbeatTimeout": 300,
            "GlobalTimeout": 30000,
            "DefaultResult": "ABANDON",
        }
    ]


def test_rule_33_a_launch_waits_for_its_hook(make_group: MakeGroup) -> None:
    """Pending, Pending:Wait, and InService once the hook is completed."""
    group = make_group(LifecycleHookSpecificationList=[hook("LAUNCHING")])
    assert group.states() == ["Pending"]
    group.wait()
    assert group.states() == ["Pending:Wait"]
    assert group.activities()[0]["StatusCode"] == "MidLifecycleAction"
    complete(group, next(iter(group.members())), "LAUNCHING", "CONTINUE")
    assert group.states() == ["InService"]
    assert group.activities()[0]["StatusCode"] == "Successful"


@pytest.mark.parametrize("spoken", [True, False])
def test_rule_33_an_abandoned_launch_is_replaced(make_group: MakeGroup, *, spoken: bool) -> None:
    """By ABANDON, or by the default when nobody speaks for the whole timeout."""
    group = make_group(LifecycleHookSpecificationList=[hook("LAUNCHING")])
    group.wait()
    first = next(iter(group.members()))
    if spoken:
        complete(group, first, "LAUNCHING", "ABANDON")
    else:
        group.wait(59)
        assert group.members()[first] == "Pending:Wait"
        group.wait(1)
    states = group.members()
    assert states.pop(first) == "Terminating"
    assert list(states.values()) == ["Pending"]
    told = {each["StatusCode"] for each in group.activities() if first in each["Description"]}
    assert "Cancelled" in told


def test_rule_33_a_member_that_ends_waits_and_its_successor_comes(
    draining: Group, aws: EmbeddedAws
) -> None:
    """Terminating:Wait, its machine still runs; completed, it is terminated, and gone later."""
    first = end(draining)
    states = draining.members()
    assert states.pop(first) == "Terminating:Wait"
    assert list(states.values()) == ["Pending"]
    state = aws.instance_state(first)
    assert state is not None
    assert (state.state, state.target_lifecycle_state) == ("running", "Terminated")
    complete(draining, first, "TERMINATING", "CONTINUE")
    assert draining.members()[first] == "Terminating:Proceed"
    state = aws.instance_state(first)
    assert state is not None
    assert state.state == "terminated"
    draining.wait()
    assert first not in draining.members()
    assert draining.states() == ["InService"]


def test_rule_33_nobody_s_word_ends_a_wait_after_its_timeout(draining: Group) -> None:
    """Not a second before."""
    first = end(draining)
    draining.wait(59)
    assert draining.members()[first] == "Terminating:Wait"
    draining.wait(1)
    assert draining.members()[first] == "Terminating:Proceed"


def test_rule_33_a_heartbeat_starts_the_timeout_again(draining: Group) -> None:
    """By instance or by token; for the wait that there is."""
    first = end(draining)
    draining.wait(50)
    draining.client.record_lifecycle_action_heartbeat(
        AutoScalingGroupName=draining.name, LifecycleHookName="terminating", InstanceId=first
    )
    draining.wait(59)
    assert draining.members()[first] == "Terminating:Wait"
    draining.wait(1)
    assert draining.members()[first] == "Terminating:Proceed"


def test_rule_33_what_does_not_wait_cannot_be_completed(draining: Group, refusal: Refusal) -> None:
    """ValidationError, and so when it is completed twice."""
    instance_id = next(iter(draining.members()))
    action = {
        "AutoScalingGroupName": draining.name,
        "LifecycleHookName": "terminating",
        "InstanceId": instance_id,
        "LifecycleActionResult": "CONTINUE",
    }
    assert refusal(draining.client.complete_lifecycle_action, **action) == INVALID
    end(draining)
    assert refusal(draining.client.complete_lifecycle_action, **action) == (200, "")
    assert refusal(draining.client.complete_lifecycle_action, **action) == INVALID


def test_rule_30_a_member_that_no_longer_runs_is_replaced(make_group: MakeGroup) -> None:
    """At once, stopped or terminated, whatever the grace period; and it is told why."""
    group = make_group(HealthCheckGracePeriod=300)
    group.wait()
    first = next(iter(group.members()))
    group.ec2.stop_instances(InstanceIds=[first])
    states = group.members()
    assert states.pop(first) == "Terminating"
    assert list(states.values()) == ["Pending"]
    causes = [each["Cause"] for each in group.activities() if first in each["Description"]]
    assert "EC2 health check" in causes[0]


def test_rule_30_who_is_called_unhealthy_is_replaced_after_the_grace_period(
    make_group: MakeGroup,
) -> None:
    """Within it the word is ignored, unless it is told not to respect it."""
    group = make_group(HealthCheckGracePeriod=300)
    group.wait()
    first = next(iter(group.members()))
    word = {"InstanceId": first, "HealthStatus": "Unhealthy"}
    group.client.set_instance_health(**word)
    assert group.states() == ["InService"]
    group.wait(300)
    group.client.set_instance_health(**word)
    assert group.members()[first] == "Terminating"
    second = next(each for each in group.members() if each != first)
    group.wait()
    group.client.set_instance_health(
        InstanceId=second, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
    )
    assert group.members()[second] == "Terminating"


def test_rule_40_a_stopped_member_stays_while_the_processes_are_suspended(
    make_group: MakeGroup,
) -> None:
    """What an image of a member needs: HealthCheck and ReplaceUnhealthy suspended."""
    group = make_group()
    group.wait()
    first = next(iter(group.members()))
    one = {"AutoScalingGroupName": group.name}
    group.client.suspend_processes(**one, ScalingProcesses=["HealthCheck", "ReplaceUnhealthy"])
    group.ec2.stop_instances(InstanceIds=[first])
    assert group.members() == {first: "InService"}
    group.client.resume_processes(**one)
    assert group.members()[first] == "Terminating"


def test_a_member_may_end_with_its_capacity(make_group: MakeGroup, refusal: Refusal) -> None:
    """Decremented, nobody follows; but not below the minimum."""
    group = make_group(DesiredCapacity=2)
    group.wait()
    first, second = group.members()
    ending = group.client.terminate_instance_in_auto_scaling_group
    activity = ending(InstanceId=first, ShouldDecrementDesiredCapacity=True)["Activity"]
    assert activity["Description"] == f"Terminating EC2 instance: {first}"
    assert group.members() == {first: "Terminating", second: "InService"}
    refused = refusal(ending, InstanceId=second, ShouldDecrementDesiredCapacity=True)
    assert refused == INVALID


def test_a_member_in_standby_or_detached_is_replaced(make_group: MakeGroup) -> None:
    """Unless the capacity shrinks with it; back from standby, the capacity grows."""
    group = make_group(MinSize=0, MaxSize=3)
    group.client.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=1)
    group.wait()
    first = next(iter(group.members()))
    one = {"AutoScalingGroupName": group.name, "InstanceIds": [first]}
    group.client.enter_standby(**one, ShouldDecrementDesiredCapacity=False)
    assert group.states() == ["Standby", "Pending"]
    group.client.exit_standby(**one)
    assert group.describe()["DesiredCapacity"] == 2
    assert group.members()[first] == "InService"
    group.client.detach_instances(**one, ShouldDecrementDesiredCapacity=True)
    assert first not in group.members()
    assert len(group.members()) == 1
    told = group.ec2.describe_instances(InstanceIds=[first])["Reservations"][0]["Instances"][0]
    assert told["State"]["Name"] == "running"
    group.client.attach_instances(**one)
    assert group.members()[first] == "InService"
    assert group.describe()["DesiredCapacity"] == 2


def test_scaling_in_takes_the_oldest_version_first(make_group: MakeGroup) -> None:
    """And never a member that is protected."""
    group = make_group(DesiredCapacity=1)
    group.wait()
    first = next(iter(group.members()))
    one = {"AutoScalingGroupName": group.name}
    version = group.version(InstanceType="t3.small")
    group.client.update_auto_scaling_group(**one, DesiredCapacity=2, **group.configuration(version))
    group.wait()
    group.client.set_desired_capacity(**one, DesiredCapacity=1)
    assert group.members()[first] == "Terminating"
    group.wait()
    second = next(iter(group.members()))
    group.client.set_instance_protection(**one, InstanceIds=[second], ProtectedFromScaleIn=True)
    group.client.update_auto_scaling_group(**one, MinSize=0, DesiredCapacity=0)
    assert group.members() == {second: "InService"}
