"""Alarms and dashboard as wanted: they speak when they should, and of things that exist."""

import json
from dataclasses import replace
from typing import Any

import pytest
from support.stacks import a_blueprint

from provision.resources import alarm, dashboard, function, mapping
from provision.resources.metrics import EXPRESSION_MAX_CHARACTERS, expression
from provision.spec.blueprint import Blueprint, Consumer, Sizes

BLUEPRINT = a_blueprint()
NO_TWIN: dict[str, Any] = {"lambda": {"enabled": False}}


def values_of(what: str, blueprint: Blueprint = BLUEPRINT) -> dict[str, Any]:
    """Return the properties of one alarm."""
    wanted = alarm.alarms(blueprint)
    return next(dict(each.values()) for key, each in wanted.items() if key.name.endswith(what))


def whats(blueprint: Blueprint) -> set[str]:
    """Return which alarms are wanted."""
    return {key.name.removeprefix("files-") for key in alarm.alarms(blueprint)}


@pytest.mark.parametrize("consumer", Consumer)
def test_no_alarm_depends_on_who_consumes(consumer: Consumer) -> None:
    """A cutover leaves every alarm as it is, so nothing fires for want of a switch."""
    assert alarm.alarms(replace(BLUEPRINT, consumer=consumer)) == alarm.alarms(BLUEPRINT)


def test_the_group_alarms_are_silent_for_a_group_that_wants_no_instance() -> None:
    """They compare with the desired size, which is 0 while the function consumes."""
    shown = [
        each["Expression"] for each in values_of("no-instance")["Metrics"] if "Exp" in str(each)
    ]
    assert shown == ["IF(desired > 0 AND inservice < 1, 1, 0)"]
    assert [each["Expression"] for each in values_of("launches-fail")["Metrics"][2:]] == [
        "desired - inservice"
    ]


def test_alarms_are_of_what_the_stack_has() -> None:
    """Without an image there is no group, without a twin no function, and nothing to watch."""
    assert whats(BLUEPRINT) == {
        "dlq-not-empty",
        "oldest-message",
        "no-instance",
        "launches-fail",
        "function-errors",
    }
    assert whats(replace(BLUEPRINT, image=None)) == {
        "dlq-not-empty",
        "oldest-message",
        "function-errors",
    }
    assert "function-errors" not in whats(a_blueprint(**NO_TWIN))
    assert {*alarm.alarms(BLUEPRINT)} == {*alarm.keys(BLUEPRINT)}


def test_rule_31_one_query_returns_data_and_expressions_are_short() -> None:
    """CloudWatch refuses an alarm with two, and a longer expression."""
    for wanted in alarm.alarms(BLUEPRINT).values():
        queries: Any = wanted.values()["Metrics"]
        assert sum(each["ReturnData"] for each in queries) == 1
    with pytest.raises(ValueError, match="rule 31"):
        expression("m", "x" * (EXPRESSION_MAX_CHARACTERS + 1))


def test_rule_31_silence_of_an_idle_queue_is_no_alarm() -> None:
    """SQS's metrics stop after six idle hours; a function that rests has none."""
    silent = {what: values_of(what)["TreatMissingData"] for what in whats(BLUEPRINT)}
    assert silent.pop("no-instance") == "missing"
    assert {*silent.values()} == {"notBreaching"}


def test_every_alarm_tells_the_topic_and_says_what_to_do() -> None:
    """Both when it begins and when it is over, and with the next thing to look at."""
    topic = "arn:aws:sns:us-east-2:123456789012:files-alarms"
    for what in whats(BLUEPRINT):
        values = values_of(what)
        assert values["AlarmActions"] == values["OKActions"] == [topic]
        assert "Look: " in values["AlarmDescription"]


def test_the_dashboard_shows_what_is_watched() -> None:
    """Queue, dead letters, instances, function, every alarm, and the audit lines of both logs."""
    text = json.dumps(dashboard.body(BLUEPRINT))
    for told in (
        "files-uploads",
        "files-uploads-dlq",
        "GroupInServiceInstances",
        "Invocations",
        "SOURCE '/s3-event-worker/files' | SOURCE '/aws/lambda/files-worker'",
        *(key.name for key in alarm.alarms(BLUEPRINT)),
    ):
        assert told in text, told


def test_the_widgets_of_the_dashboard_neither_overlap_nor_leave_the_grid() -> None:
    """Every cell of the grid belongs to at most one widget."""
    body: Any = dashboard.body(BLUEPRINT)
    cells = [
        (x, y)
        for each in body["widgets"]
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]
    assert len(cells) == len({*cells}) == dashboard.WIDTH * (max(y for _, y in cells) + 1)


def test_while_the_function_consumes_the_group_is_to_be_empty() -> None:
    """No apply, and no scaler, starts instances behind the cutover's back."""
    assert BLUEPRINT.sizes == Sizes(1, 1, 2)
    assert replace(BLUEPRINT, consumer=Consumer.LAMBDA).sizes == Sizes(0, 0, 0)


def test_rule_46_the_twin_fits_its_queue() -> None:
    """Visibility is six timeouts, concurrency at least 2, batches need no window."""
    twin: Any = function.function(BLUEPRINT)
    joined: Any = mapping.mapping(BLUEPRINT)
    assert BLUEPRINT.visibility_seconds >= 6 * twin.values()["Timeout"]
    assert joined.values()["MaximumConcurrency"] >= 2
    assert joined.values()["BatchSize"] <= 10
    assert "Enabled" not in joined.values()


def test_rule_48_the_mapping_reports_single_messages() -> None:
    """One message that fails does not bring its batch back."""
    joined: Any = mapping.mapping(BLUEPRINT)
    assert joined.values()["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_no_variable_of_the_function_is_reserved() -> None:
    """Lambda refuses AWS_REGION and its like; the seed's names are used."""
    twin: Any = function.function(BLUEPRINT)
    variables = twin.values()["Environment"]
    assert {"REGION", "BUCKET", "SRC_PREFIX", "DST_PREFIX"} <= variables.keys()
    assert not [name for name in variables if name.startswith(("AWS_", "LAMBDA_", "_"))]
