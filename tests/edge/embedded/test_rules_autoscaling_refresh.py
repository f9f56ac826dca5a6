"""Instance refresh: started, told, rolled back, cancelled. Every test here fails on plain moto."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from support.groups import Group
from support.refreshes import SAFE, start, status, told, versions

Client = Any
"""A boto3 client."""
MakeGroup = Callable[..., Group]
Refusal = Callable[..., tuple[int, str]]


def test_rule_27_at_100_and_200_the_new_one_comes_first(group: Group) -> None:
    """There is always a member in service; the group has the new version when all is done."""
    refresh_id = start(group)
    assert group.states() == ["InService", "Pending"]
    refresh = told(group)
    assert (refresh["Status"], refresh["InstancesToUpdate"]) == ("InProgress", 1)
    assert refresh["PercentageComplete"] == 0
    assert group.describe()["LaunchTemplate"]["Version"] == "1"
    group.wait()
    assert sorted(group.states()) == ["InService", "Terminating"]
    assert versions(group) == ["2"]
    refresh = told(group)
    assert (refresh["InstanceRefreshId"], refresh["Status"]) == (refresh_id, "Successful")
    assert (refresh["PercentageComplete"], refresh["InstancesToUpdate"]) == (100, 0)
    assert group.describe()["LaunchTemplate"]["Version"] == "2"
    group.wait()
    assert group.states() == ["InService"]


@pytest.mark.parametrize(
    ("desired", "least", "most"), [(1, 100, 200), (2, 50, 100), (3, 100, 150), (3, 60, 100)]
)
def test_rule_27_the_bounds_hold_at_every_moment(
    make_group: MakeGroup, desired: int, least: int, most: int
) -> None:
    """Never fewer in service, never more in all, whenever one looks; and it ends."""
    group = make_group(DesiredCapacity=desired, MaxSize=desired)
    group.wait()
    start(
        group,
        group.version(InstanceType="t3.small"),
        MinHealthyPercentage=least,
        MaxHealthyPercentage=most,
        InstanceWarmup=30,
    )
    for _ in range(40):
        states = group.states()
        alive = [each for each in states if each in ("Pending", "InService")]
        assert states.count("InService") >= math.ceil(desired * least / 100)
        assert len(alive) <= max(desired, desired * most // 100)
        group.wait(7)
    assert status(group) == "Successful"
    assert versions(group) == ["2"] * desired


def test_rule_27_by_default_the_only_one_is_killed_first(group: Group) -> None:
    """Neither percentage named: 90 and 100, which one member cannot keep."""
    group.client.start_instance_refresh(
        AutoScalingGroupName=group.name, DesiredConfiguration=group.configuration("2")
    )
    assert sorted(group.states()) == ["Pending", "Terminating"]
    group.wait()
    assert status(group) == "Successful"


def test_rule_27_the_maintenance_policy_is_the_default(group: Group) -> None:
    """The group's own percentages hold when the refresh names none."""
    group.client.update_auto_scaling_group(
        AutoScalingGroupName=group.name, InstanceMaintenancePolicy=SAFE
    )
    group.client.start_instance_refresh(AutoScalingGroupName=group.name)
    assert group.states() == ["InService", "Pending"]


def test_a_refresh_waits_for_the_warm_up(group: Group) -> None:
    """The old one goes when the new one is warm, not when it is in service."""
    start(group, InstanceWarmup=100)
    group.wait()
    assert group.states() == ["InService", "InService"]
    group.wait(99)
    assert group.states() == ["InService", "InService"]
    group.wait(1)
    assert sorted(group.states()) == ["InService", "Terminating"]


def test_a_refresh_bakes_before_it_is_done(group: Group) -> None:
    """BakeTime: the group keeps its old configuration meanwhile."""
    start(group, BakeTime=50)
    group.wait()
    assert status(group) == "Baking"
    assert group.describe()["LaunchTemplate"]["Version"] == "1"
    group.wait(50)
    assert status(group) == "Successful"
    assert group.describe()["LaunchTemplate"]["Version"] == "2"


def test_rule_33_who_is_replaced_runs_its_hooks(group: Group) -> None:
    """The old member waits in Terminating:Wait while the refresh succeeds."""
    group.client.put_lifecycle_hook(
        AutoScalingGroupName=group.name,
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
    )
    start(group)
    group.wait()
    assert group.states() == ["Terminating:Wait", "InService"]


def test_one_refresh_at_a_time(group: Group, refusal: Refusal) -> None:
    """The second is refused; the first goes on."""
    first = start(group)
    again = refusal(group.client.start_instance_refresh, AutoScalingGroupName=group.name)
    assert again == (400, "InstanceRefreshInProgress")
    assert told(group)["InstanceRefreshId"] == first


def test_a_matching_member_may_be_skipped(group: Group) -> None:
    """SkipMatching: nothing to replace, done at once."""
    before = group.members()
    start(group, "1", SkipMatching=True)
    assert status(group) == "Successful"
    assert group.members() == before


def test_a_version_that_is_not_there_is_refused(group: Group, refusal: Refusal) -> None:
    """ValidationError, and no refresh is begun."""
    refused = refusal(
        group.client.start_instance_refresh,
        AutoScalingGroupName=group.name,
        DesiredConfiguration=group.configuration("7"),
    )
    assert refused == (400, "ValidationError")
    found = group.client.describe_instance_refreshes(AutoScalingGroupName=group.name)
    assert found["InstanceRefreshes"] == []


def test_a_refresh_is_cancelled(group: Group, refusal: Refusal) -> None:
    """What is in flight ends first; then nothing more happens, and it cannot be cancelled again."""
    start(group)
    group.client.cancel_instance_refresh(AutoScalingGroupName=group.name)
    assert status(group) == "Cancelling"
    for _ in range(3):
        group.wait()
    assert status(group) == "Cancelled"
    assert len(group.states()) == 1
    again = refusal(group.client.cancel_instance_refresh, AutoScalingGroupName=group.name)
    assert again == (400, "ActiveInstanceRefreshNotFound")


@pytest.mark.parametrize(
    ("choice", "after_an_hour"), [("Wait", "Failed"), ("Refresh", "Successful")]
)
def test_rule_28_a_protected_member_holds_a_refresh_up(
    group: Group, choice: str, after_an_hour: str
) -> None:
    """For an hour, then it fails; unless it was told to replace protected ones as well."""
    group.client.set_instance_protection(
        AutoScalingGroupName=group.name,
        InstanceIds=list(group.members()),
        ProtectedFromScaleIn=True,
    )
    start(group, ScaleInProtectedInstances=choice)
    group.wait(3599)
    group.wait(1)
    assert status(group) == after_an_hour


def test_a_new_version_that_cannot_be_launched_leaves_the_old_one_alone(group: Group) -> None:
    """The refresh stalls, fails after an hour, and the member still serves."""
    before = group.members()
    start(group, group.version(InstanceType="t4g.micro"))
    group.wait(1800)
    assert (status(group), group.members()) == ("InProgress", before)
    group.wait(1800)
    assert (status(group), group.members()) == ("Failed", before)
    assert group.activities()[0]["StatusCode"] == "Failed"
