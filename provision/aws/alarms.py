"""The stack's alarms as they stand: who may watch over a refresh, and who rings already."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from provision.resources import alarm
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

RINGING: Final = "ALARM"


def alarm_states(cloudwatch: "CloudWatchClient", blueprint: Blueprint) -> dict[str, str]:
    """Return the state of each alarm of the stack that exists. Raises ClientError."""
    names = [key.name for key in alarm.keys(blueprint)]
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNames=names, AlarmTypes=["MetricAlarm"]
    )
    return {
        each["AlarmName"]: each["StateValue"] for page in pages for each in page["MetricAlarms"]
    }


def silent(states: Mapping[str, str]) -> tuple[str, ...]:
    """Return the alarms that can tell of something new."""
    return tuple(sorted(name for name, state in states.items() if state != RINGING))


def ringing(states: Mapping[str, str]) -> tuple[str, ...]:
    """Return the alarms that ring already."""
    return tuple(sorted(name for name, state in states.items() if state == RINGING))
