"""What moto has right of CloudWatch and Logs, and this project relies on."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]


def test_a_dashboard_comes_back_as_it_went(
    client: Callable[[str], Client], name: str, refusal: Refusal
) -> None:
    """Its body to the letter; a missing one is ResourceNotFound."""
    cloudwatch = client("cloudwatch")
    widget = {"type": "text", "properties": {"markdown": "hello"}}
    body = json.dumps({"widgets": [widget]})
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)
    assert cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"] == body
    missing = refusal(cloudwatch.get_dashboard, DashboardName=f"{name}-missing")
    assert missing == (404, "ResourceNotFound")


def test_what_was_measured_can_be_asked_for(client: Callable[[str], Client], name: str) -> None:
    """PutMetricData, and GetMetricData a moment later."""
    cloudwatch, now = client("cloudwatch"), datetime.now(UTC)
    data = [{"MetricName": "depth", "Value": 3.0, "Timestamp": now}]
    cloudwatch.put_metric_data(Namespace=name, MetricData=data)
    stat = {
        "Metric": {"Namespace": name, "MetricName": "depth"},
        "Period": 60,
        "Stat": "Maximum",
    }
    [told] = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": stat}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
    )["MetricDataResults"]
    assert told["Values"] == [3.0]


def test_a_log_group_keeps_its_retention(
    client: Callable[[str], Client], name: str, refusal: Refusal
) -> None:
    """Told by DescribeLogGroups; a group is made once."""
    logs = client("logs")
    logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    [told] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert told["retentionInDays"] == 30
    again = refusal(logs.create_log_group, logGroupName=name)
    assert again == (400, "ResourceAlreadyExistsException")
