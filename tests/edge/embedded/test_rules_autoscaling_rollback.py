"""A refresh that is taken back, by hand or by an alarm. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

import pytest
from support.groups import Group
from support.refreshes import start, status, told, versions

Client = Any
"""A boto3 client."""
MakeGroup = Callable[..., Group]
Refusal = Callable[..., tuple[int, str]]


def test_rule_26_a_running_refresh_is_rolled_back(make_group: MakeGroup) -> None:
    """What it launched goes, what was there stays or comes back, of the old version."""
    group = make_group(DesiredCapacity=2, MaxSize=4)
    group.wait()
    group.version(InstanceType="t3.small")
    start(group, MaxHealthyPercentage=150, InstanceWarmup=0)
    group.wait()
    assert sorted(versions(group)) == ["1", "2"]
    group.client.rollback_instance_refresh(AutoScalingGroupName=group.name)
    assert status(group) == "RollbackInProgress"
    for _ in range(5):
        group.wait()
    refresh = told(group)
    assert refresh["Status"] == "RollbackSuccessful"
    assert refresh["RollbackDetails"]["RollbackReason"] == "User initiated rollback"
    assert refresh["RollbackDetails"]["PercentageCompleteOnRollback"] == 50
    assert versions(group) == ["1", "1"]
    assert group.describe()["LaunchTemplate"]["Version"] == "1"


def test_rule_26_a_finished_refresh_is_not_rolled_back(group: Group, refusal: Refusal) -> None:
    """Roll forward to the old version instead."""
    start(group)
    group.wait()
    assert status(group) == "Successful"
    refused = refusal(group.client.rollback_instance_refresh, AutoScalingGroupName=group.name)
    assert refused == (400, "ActiveInstanceRefreshNotFound")
    start(group, "1")
    group.wait()
    assert versions(group) == ["1"]


def test_rule_25_with_latest_there_is_no_way_back(group: Group, refusal: Refusal) -> None:
    """Neither by RollbackInstanceRefresh nor by AutoRollback."""
    one = {"AutoScalingGroupName": group.name}
    latest = {"LaunchTemplateName": group.name, "Version": "$Latest"}
    group.client.update_auto_scaling_group(**one, LaunchTemplate=latest)
    automatic = refusal(
        group.client.start_instance_refresh,
        **one,
        DesiredConfiguration=group.configuration("2"),
        Preferences={"AutoRollback": True},
    )
    assert automatic == (400, "ValidationError")
    start(group)
    refused = refusal(group.client.rollback_instance_refresh, **one)
    assert refused == (400, "IrreversibleInstanceRefresh")


@pytest.mark.parametrize(("automatic", "end"), [(True, "RollbackSuccessful"), (False, "Failed")])
def test_an_alarm_ends_a_refresh(
    group: Group,
    client: Callable[[str], Client],
    *,
    automatic: bool,
    end: str,
) -> None:
    """With AutoRollback it rolls back, without it fails."""
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=group.name,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=1.0,
    )
    alarms = {"Alarms": [group.name]}
    start(group, AutoRollback=automatic, AlarmSpecification=alarms, InstanceWarmup=100)
    group.wait()
    cloudwatch.set_alarm_state(AlarmName=group.name, StateValue="ALARM", StateReason="test")
    group.wait()
    group.wait()
    refresh = told(group)
    assert refresh["Status"] == end
    assert group.name in refresh["StatusReason"]
    assert group.describe()["LaunchTemplate"]["Version"] == "1"
