"""What CloudWatch refuses of alarms and dashboards. Every test here fails on plain moto."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

INVALID = (400, "ValidationError")


@pytest.fixture(scope="module")
def cloudwatch(client: Callable[[str], Client]) -> Client:
    """Give the CloudWatch client."""
    return client("cloudwatch")


def alarm(name: str, **changes: object) -> dict[str, Any]:
    """Write an alarm on one metric, with changes; None takes a field away."""
    usual: dict[str, object] = {
        "AlarmName": name,
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Period": 60,
        "Statistic": "Maximum",
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


def query(identifier: str, *, returns: bool = False) -> dict[str, object]:
    """Write a metric query."""
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible"}
    stat = {"Metric": metric, "Period": 60, "Stat": "Maximum"}
    return {"Id": identifier, "MetricStat": stat, "ReturnData": returns}


def computed(name: str, *queries: dict[str, object], **changes: object) -> dict[str, Any]:
    """Write an alarm on metric math."""
    plain = dict.fromkeys(("Namespace", "MetricName", "Period", "Statistic"))
    return alarm(name, **plain, Metrics=list(queries), **changes)


def expression(text: str) -> dict[str, object]:
    """Write the query that returns data."""
    return {"Id": "e1", "Expression": text, "ReturnData": True}


def test_rule_31_a_guarded_backlog_is_taken(cloudwatch: Client, name: str) -> None:
    """IF and functions are known words; the alarm begins without data and keeps its state."""
    backlog = expression("IF(m2 > 0, m1 / m2, FILL(m1, 0))")
    wanted = computed(name, query("m1"), query("m2"), backlog)
    cloudwatch.put_metric_alarm(**wanted)
    [made] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (made["StateValue"], len(made["Metrics"])) == ("INSUFFICIENT_DATA", 3)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    cloudwatch.put_metric_alarm(**wanted | {"Threshold": 1.0})
    [kept] = cloudwatch.describe_alarms(AlarmNames=[name], StateValue="ALARM")["MetricAlarms"]
    assert kept["Threshold"] == 1.0


@pytest.mark.parametrize(
    "queries",
    [
        (query("m1"), query("m2")),
        (query("m1", returns=True), query("m2", returns=True)),
        (query("m1"), query("m1"), expression("m1")),
        (query("M1"), expression("M1")),
        (query("m1"), expression("m1 + m9")),
        (query("m1"), expression("m1" + "+m1" * 683)),
    ],
    ids=["none-returns", "two-return", "same-id", "capital-id", "unknown-id", "2051-characters"],
)
def test_rule_31_metric_math_has_one_result(
    cloudwatch: Client, name: str, refusal: Refusal, queries: tuple[dict[str, object], ...]
) -> None:
    """ValidationError, and no alarm is made."""
    assert refusal(cloudwatch.put_metric_alarm, **computed(name, *queries)) == INVALID
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"MetricName": None},
        {"Period": 45},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"EvaluationPeriods": 1441},
        {"DatapointsToAlarm": 2},
        {"TreatMissingData": "sometimes"},
        {"ComparisonOperator": "Above"},
        {"AlarmActions": ["our-topic"]},
    ],
)
def test_an_alarm_that_could_not_be_evaluated_is_refused(
    cloudwatch: Client, name: str, refusal: Refusal, changes: dict[str, object]
) -> None:
    """ValidationError."""
    assert refusal(cloudwatch.put_metric_alarm, **alarm(name, **changes)) == INVALID


def test_a_metric_and_metric_math_exclude_each_other(
    cloudwatch: Client, name: str, refusal: Refusal
) -> None:
    """InvalidParameterCombination."""
    both = alarm(name, Metrics=[query("m1", returns=True)])
    refused = refusal(cloudwatch.put_metric_alarm, **both)
    assert refused == (400, "InvalidParameterCombination")


@pytest.mark.parametrize(
    ("name_of_it", "body"),
    [
        ("with space", {"widgets": []}),
        ("fine", {}),
        ("fine", {"widgets": [{"type": "metrics", "properties": {}}]}),
        ("fine", {"widgets": [{"type": "metric"}]}),
    ],
)
def test_a_dashboard_is_made_of_widgets(
    cloudwatch: Client, refusal: Refusal, name_of_it: str, body: dict[str, object]
) -> None:
    """A name of other characters, no widgets, a widget of no kind or without properties."""
    put = cloudwatch.put_dashboard
    refused = refusal(put, DashboardName=name_of_it, DashboardBody=json.dumps(body))
    assert refused == (400, "InvalidParameterInput")
