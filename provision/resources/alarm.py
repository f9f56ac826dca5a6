"""The alarms: when an operator must look, and never because of whoever does not consume at present.

None of them is switched by the cutover. Their metrics are such that the one who rests is silent: a
group of desired size 0 misses no instance, and a function that is not invoked has no errors.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from provision.core.plan import Intention
from provision.core.resource import (
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    found_with_tags,
    plain_tags,
    tag_list,
    tag_properties,
    tags_of,
)
from provision.resources.function import waits_for as function_waits_for
from provision.resources.launch_template import NO_IMAGE
from provision.resources.metrics import Series, expression, series
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

KIND: Final = "alarm"

ATTRIBUTES: Final = (
    "AlarmDescription",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "ActionsEnabled",
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
)
"""What an alarm is, besides its metrics and tags."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One alarm: `queries` reaches `threshold` in `bad` of `of` minutes.

    `silence` says what no data means: "notBreaching" where it is the idle state (SQS falls silent
    after six idle hours, and a function that is not invoked tells nothing, rule 31); "missing"
    where it shows as a state of its own: should a group vanish, the oldest message tells soon.
    """

    what: str
    description: str
    queries: tuple[Json, ...]
    threshold: float
    bad: int
    of: int
    silence: Literal["notBreaching", "missing"] = "notBreaching"


def keys(blueprint: Blueprint) -> tuple[Key, ...]:
    """Name every alarm that a stack can have."""
    return tuple(_key(blueprint, what) for what in (*_ALWAYS, *_OF_GROUP, *_OF_FUNCTION))


def intentions(blueprint: Blueprint) -> Iterator[Intention]:
    """Yield what is wanted of each alarm; those of a group or function that stays, stay as well."""
    wanted = alarms(blueprint)
    waiting = {
        **dict.fromkeys(_OF_GROUP, "" if _has_group(blueprint) else NO_IMAGE),
        **dict.fromkeys(_OF_FUNCTION, function_waits_for(blueprint)),
    }
    for what in (*_ALWAYS, *_OF_GROUP, *_OF_FUNCTION):
        key = _key(blueprint, what)
        yield Intention(key, wanted.get(key), waits_for=waiting.get(what, ""))


def alarms(blueprint: Blueprint) -> Mapping[Key, Wanted]:
    """Return the alarms that are wanted: those of the group and function where these are."""
    return {
        wanted.key: wanted for wanted in (_wanted(blueprint, each) for each in _watches(blueprint))
    }


_ALWAYS: Final = ("dlq-not-empty", "oldest-message")
_OF_GROUP: Final = ("no-instance", "launches-fail")
_OF_FUNCTION: Final = ("function-errors",)


def _watches(blueprint: Blueprint) -> tuple[Watch, ...]:
    of_group = _of_group(blueprint) if _has_group(blueprint) else ()
    of_function = (_function_errors(blueprint),) if blueprint.stack.lambda_.enabled else ()
    return (_dead_letters(blueprint), _oldest_message(blueprint), *of_group, *of_function)


def _has_group(blueprint: Blueprint) -> bool:
    return blueprint.image is not None and blueprint.network is not None


def _dead_letters(blueprint: Blueprint) -> Watch:
    names = blueprint.names
    return Watch(
        "dlq-not-empty",
        f"Messages were set aside. Look: provision dlq list. Queue: {names.dead_letter_queue}",
        (series("m", Series.messages_visible(names.dead_letter_queue)),),
        threshold=1,
        bad=1,
        of=1,
    )


def _oldest_message(blueprint: Blueprint) -> Watch:
    seconds = blueprint.stack.watch.oldest_message_seconds
    return Watch(
        "oldest-message",
        f"A file waits for more than {seconds} s. Look: provision status",
        (series("m", Series.oldest_message(blueprint.names.queue)),),
        threshold=seconds,
        bad=3,
        of=5,
    )


def _of_group(blueprint: Blueprint) -> tuple[Watch, ...]:
    group = blueprint.names.group
    sizes = (
        series("desired", Series.group(group, "GroupDesiredCapacity"), shown=False),
        series("inservice", Series.group(group, "GroupInServiceInstances"), shown=False),
    )
    return (
        Watch(
            "no-instance",
            "No instance is in service though one should be. Look: provision status",
            (*sizes, expression("none", "IF(desired > 0 AND inservice < 1, 1, 0)")),
            threshold=1,
            bad=5,
            of=5,
            silence="missing",
        ),
        Watch(
            "launches-fail",
            "The group is short of instances for 15 minutes: launches fail, or instances do not"
            " stay. Look: provision status",
            (*sizes, expression("short", "desired - inservice")),
            threshold=1,
            bad=15,
            of=15,
        ),
    )


def _function_errors(blueprint: Blueprint) -> Watch:
    return Watch(
        "function-errors",
        "Invocations fail as a whole: a timeout, or a fault of the function. Its messages come"
        f" back. Look: the log group {blueprint.names.function_log_group}",
        (series("m", Series.function(blueprint.names.function, "Errors")),),
        threshold=1,
        bad=2,
        of=5,
    )


def _wanted(blueprint: Blueprint, watch: Watch) -> Wanted:
    topic: list[Json] = [blueprint.names.alarm_topic_arn]
    return Wanted(
        _key(blueprint, watch.what),
        (
            Property("AlarmDescription", watch.description, "what to do about it"),
            Property("Metrics", list(watch.queries), "what is watched"),
            Property("Threshold", watch.threshold, "from here on it is wrong"),
            Property("ComparisonOperator", "GreaterThanOrEqualToThreshold", "more is worse"),
            Property("DatapointsToAlarm", watch.bad, "so many minutes are bad"),
            Property("EvaluationPeriods", watch.of, "of so many"),
            Property("TreatMissingData", watch.silence, _why_of_silence(watch)),
            Property("ActionsEnabled", value=True, why="or nobody is told"),
            Property("AlarmActions", topic, "who is told"),
            Property("OKActions", topic, "who is told that it is over"),
            Property("InsufficientDataActions", [], "silence alone wakes nobody"),
            *tag_properties(blueprint.tags),
        ),
    )


def _why_of_silence(watch: Watch) -> str:
    if watch.silence == "missing":
        return "silence is a state of its own"
    return "no data comes where nothing happens (rule 31)"


def _key(blueprint: Blueprint, what: str) -> Key:
    return Key(KIND, blueprint.names.alarm(what))


class AlarmProvider:
    """Metric alarms by name."""

    def __init__(self, cloudwatch: "CloudWatchClient", names: Names) -> None:
        self._cloudwatch = cloudwatch
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the alarm as it was put; the state it is in is no property."""
        answer = self._cloudwatch.describe_alarms(AlarmNames=[key.name], AlarmTypes=["MetricAlarm"])
        if not answer["MetricAlarms"]:
            return None
        arn = self._arn(key)
        tags = self._cloudwatch.list_tags_for_resource(ResourceARN=arn).get("Tags", [])
        return found_with_tags(_readable(answer["MetricAlarms"][0]), plain_tags(tags))

    def create(self, wanted: Wanted) -> None:
        """Put the alarm with its tags in one call."""
        self._put(wanted, tags_of(wanted.values()))

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Put the alarm anew, whole; PutMetricAlarm ignores tags then, so they go by themselves."""
        changed = {each.name: each.after for each in changes}
        if any(not name.startswith("tag:") for name in changed):
            self._put(wanted)
        if tags := tags_of(changed):
            self._cloudwatch.tag_resource(ResourceARN=self._arn(wanted.key), Tags=tag_list(tags))

    def delete(self, key: Key) -> None:
        """Delete the alarm; CloudWatch takes one that is gone for deleted."""
        self._cloudwatch.delete_alarms(AlarmNames=[key.name])

    def _put(self, wanted: Wanted, tags: Mapping[str, str] | None = None) -> None:
        values: Any = wanted.values()
        attributes = {name: values[name] for name in (*ATTRIBUTES, "Metrics")}
        more: dict[str, Any] = {"Tags": tag_list(tags)} if tags else {}
        self._cloudwatch.put_metric_alarm(AlarmName=wanted.key.name, **attributes, **more)

    def _arn(self, key: Key) -> str:
        return self._names.arn("cloudwatch", f"alarm:{key.name}")


def _readable(alarm: "MetricAlarmTypeDef") -> dict[str, Json]:
    told: dict[str, Any] = dict(alarm)
    return {
        **{name: told.get(name) for name in ATTRIBUTES},
        "Metrics": [_query(each) for each in told.get("Metrics", [])],
    }


def _query(told: Mapping[str, Any]) -> Json:
    """Write a query as `metrics.py` does."""
    shown = told.get("ReturnData", True)
    if "Expression" in told:
        return expression(told["Id"], told["Expression"], shown=shown)
    stat = told["MetricStat"]
    metric = stat["Metric"]
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
    found = Series(metric["Namespace"], metric["MetricName"], dimensions, stat["Stat"])
    return series(told["Id"], found, shown=shown, period=stat["Period"])
