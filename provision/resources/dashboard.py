"""The dashboard: what an operator looks at first, top down: is it well, how much, who does it.

Dashboards are found by name, one for all regions: ours is the one whose title names our stack and
region.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from provision.aws.calls import unless_gone
from provision.core.resource import Change, Found, Json, Key, Property, Wanted
from provision.resources import alarm
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

KIND: Final = "dashboard"

WIDTH: Final = 24
"""A dashboard's grid, in columns."""

ROW_HEIGHT: Final = 6
PERIOD_SECONDS: Final = 60

RED, ORANGE, GREEN, BLUE, GREY = "#d62728", "#ff7f0e", "#2ca02c", "#1f77b4", "#7f7f7f"

Lines: TypeAlias = Sequence[Json]


def key(blueprint: Blueprint) -> Key:
    """Name the dashboard."""
    return Key(KIND, blueprint.names.dashboard)


def dashboard(blueprint: Blueprint) -> Wanted:
    """Return the dashboard, whole: what somebody changed in the console is put back."""
    return Wanted(
        key(blueprint), (Property("Body", body(blueprint), "what an operator looks at first"),)
    )


def body(blueprint: Blueprint) -> Json:
    """Return the dashboard's document ("Dashboard body structure and syntax", CloudWatch)."""
    rows = (
        (_title(blueprint),),
        (_alarms(blueprint),),
        (_waiting(blueprint), _oldest(blueprint), _dead_letters(blueprint)),
        (_throughput(blueprint), _instances(blueprint), _function(blueprint)),
        (_outcomes(blueprint), _troubles(blueprint)),
        (_audit(blueprint),),
    )
    return {"start": "-PT3H", "periodOverride": "inherit", "widgets": list(_laid_out(rows))}


def _laid_out(rows: Sequence[Sequence[Mapping[str, Json]]]) -> Sequence[Json]:
    """Place each row's widgets side by side, each as wide as the others."""
    placed: list[Json] = []
    y = 0
    for row in rows:
        width = WIDTH // len(row)
        height = max(int(str(widget.get("height", ROW_HEIGHT))) for widget in row)
        placed += [
            {**widget, "x": column * width, "y": y, "width": width, "height": height}
            for column, widget in enumerate(row)
        ]
        y += height
    return placed


def title_of(names: Names) -> str:
    """Return the title that makes a dashboard this stack's."""
    return f"# {names.stack} in {names.region}: s3-event-worker"


def _title(blueprint: Blueprint) -> Mapping[str, Json]:
    pipeline, names = blueprint.stack.pipeline, blueprint.names
    bucket = f"s3://{pipeline.bucket}/"
    return {
        "type": "text",
        "height": 2,
        "properties": {
            "markdown": f"{title_of(names)}\n"
            f"`{bucket}{pipeline.source_prefix}` → topic `{names.topic}` → queue `{names.queue}` →"
            f" worker → `{bucket}{pipeline.destination_prefix}`"
            "   ·   who consumes: `provision status`"
        },
    }


def _alarms(blueprint: Blueprint) -> Mapping[str, Json]:
    names = blueprint.names
    arns = [names.arn("cloudwatch", f"alarm:{each.name}") for each in alarm.alarms(blueprint)]
    return {"type": "alarm", "height": 2, "properties": {"title": "Alarms", "alarms": list(arns)}}


def _waiting(blueprint: Blueprint) -> Mapping[str, Json]:
    queue = blueprint.names.queue
    return _metrics(
        blueprint,
        "Messages waiting and in flight",
        [
            _queue(queue, "ApproximateNumberOfMessagesVisible", "waiting", BLUE, "Maximum"),
            _queue(queue, "ApproximateNumberOfMessagesNotVisible", "in flight", GREEN, "Maximum"),
        ],
    )


def _oldest(blueprint: Blueprint) -> Mapping[str, Json]:
    seconds = blueprint.stack.watch.oldest_message_seconds
    line = _queue(
        blueprint.names.queue, "ApproximateAgeOfOldestMessage", "seconds", ORANGE, "Maximum"
    )
    limit: Json = {"label": "alarm", "value": seconds, "color": RED}
    return _metrics(blueprint, "Oldest message", [line], {"annotations": {"horizontal": [limit]}})


def _dead_letters(blueprint: Blueprint) -> Mapping[str, Json]:
    line = _queue(
        blueprint.names.dead_letter_queue,
        "ApproximateNumberOfMessagesVisible",
        "set aside",
        RED,
        "Maximum",
    )
    return _metrics(blueprint, "Dead letters (provision dlq list)", [line])


def _throughput(blueprint: Blueprint) -> Mapping[str, Json]:
    queue = blueprint.names.queue
    return _metrics(
        blueprint,
        "Messages a minute",
        [
            _queue(queue, "NumberOfMessagesSent", "arrived", BLUE),
            _queue(queue, "NumberOfMessagesDeleted", "done", GREEN),
        ],
    )


def _instances(blueprint: Blueprint) -> Mapping[str, Json]:
    group = blueprint.names.group

    def line(name: str, label: str, colour: str) -> Json:
        return ["AWS/AutoScaling", name, "AutoScalingGroupName", group, _shown(label, colour)]

    return _metrics(
        blueprint,
        "Instances",
        [
            line("GroupDesiredCapacity", "desired", GREY),
            line("GroupInServiceInstances", "in service", GREEN),
            line("GroupPendingInstances", "pending", ORANGE),
            line("GroupTerminatingInstances", "terminating", RED),
        ],
        {"yAxis": {"left": {"min": 0}}},
    )


def _function(blueprint: Blueprint) -> Mapping[str, Json]:
    name = blueprint.names.function

    def line(metric: str, label: str, colour: str, statistic: str = "Sum", **more: Json) -> Json:
        shown = _shown(label, colour, statistic, **more)
        return ["AWS/Lambda", metric, "FunctionName", name, shown]

    return _metrics(
        blueprint,
        "Lambda twin",
        [
            line("Invocations", "invocations", BLUE),
            line("Errors", "errors", RED),
            line("Throttles", "throttles", ORANGE),
            line("Duration", "longest, ms", GREY, "Maximum", yAxis="right"),
        ],
    )


def _outcomes(blueprint: Blueprint) -> Mapping[str, Json]:
    return _insights(
        blueprint,
        "Outcomes of the last hours",
        "filter event = 'object' | stats count(*) as objects, sum(bytes) / 1048576 as MiB,"
        " pct(seconds, 95) as p95_seconds by outcome | sort objects desc",
    )


def _troubles(blueprint: Blueprint) -> Mapping[str, Json]:
    return _insights(
        blueprint,
        "Warnings and errors",
        "filter level in ['warning', 'error', 'critical'] | fields @timestamp, level, event,"
        " coalesce(why, detail, error, hint) as told | sort @timestamp desc | limit 20",
    )


def _audit(blueprint: Blueprint) -> Mapping[str, Json]:
    return _insights(
        blueprint,
        "The last objects",
        "filter event = 'object' | fields @timestamp, outcome, source, destination, bytes, seconds,"
        " attempt | sort @timestamp desc | limit 20",
    )


def _metrics(
    blueprint: Blueprint, title: str, lines: Lines, more: Mapping[str, Json] | None = None
) -> Mapping[str, Json]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": blueprint.stack.region,
            "view": "timeSeries",
            "stat": "Sum",
            "period": PERIOD_SECONDS,
            "metrics": lines,
            **(more or {}),
        },
    }


def _queue(queue: str, name: str, label: str, colour: str, statistic: str = "Sum") -> Json:
    return ["AWS/SQS", name, "QueueName", queue, _shown(label, colour, statistic)]


def _shown(label: str, colour: str, statistic: str = "Average", **more: Json) -> Json:
    return {"label": label, "color": colour, "stat": statistic, **more}


def _insights(blueprint: Blueprint, title: str, query: str) -> Mapping[str, Json]:
    names = blueprint.names
    groups = [names.worker_log_group]
    if blueprint.stack.lambda_.enabled:
        groups.append(names.function_log_group)
    sources = " | ".join(f"SOURCE '{each}'" for each in groups)
    return {
        "type": "log",
        "properties": {
            "title": title,
            "region": blueprint.stack.region,
            "view": "table",
            "query": f"{sources} | {query}",
        },
    }


class DashboardProvider:
    """Dashboards by name."""

    def __init__(self, cloudwatch: "CloudWatchClient", names: Names) -> None:
        self._cloudwatch = cloudwatch
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the dashboard's document; it is ours if its title says so."""
        answer = unless_gone(lambda: self._cloudwatch.get_dashboard(DashboardName=key.name))
        if answer is None:
            return None
        document: Json = json.loads(answer["DashboardBody"])
        stack = self._names.stack
        return Found(
            stack if _has_title(document, title_of(self._names)) else None, {"Body": document}
        )

    def create(self, wanted: Wanted) -> None:
        """Put the dashboard."""
        text = json.dumps(wanted.values()["Body"])
        self._cloudwatch.put_dashboard(DashboardName=wanted.key.name, DashboardBody=text)

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Put the dashboard anew, whole, whatever changes."""
        del changes
        self.create(wanted)

    def delete(self, key: Key) -> None:
        """Delete the dashboard."""
        unless_gone(lambda: self._cloudwatch.delete_dashboards(DashboardNames=[key.name]))


def _has_title(document: Json, title: str) -> bool:
    widgets = document.get("widgets") if isinstance(document, Mapping) else None
    return f"{json.dumps(title)[1:-1]}\\n" in json.dumps(widgets)
