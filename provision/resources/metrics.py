"""CloudWatch's metrics that alarms and dashboard show, in the form of a metric data query. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provision.core.resource import Json

PERIOD_SECONDS: Final = 60

EXPRESSION_MAX_CHARACTERS: Final = 2047
"""Of a metric math expression (rule 31)."""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one resource, and the statistic that is looked at."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str

    @classmethod
    def messages_visible(cls, queue: str) -> "Series":
        """Count what waits in a queue."""
        return cls.queue(queue, "ApproximateNumberOfMessagesVisible", "Maximum")

    @classmethod
    def oldest_message(cls, queue: str) -> "Series":
        """Tell how long the oldest message waits, in seconds."""
        return cls.queue(queue, "ApproximateAgeOfOldestMessage", "Maximum")

    @classmethod
    def queue(cls, queue: str, name: str, statistic: str) -> "Series":
        """Take one of SQS's metrics."""
        return cls("AWS/SQS", name, {"QueueName": queue}, statistic)

    @classmethod
    def group(cls, group: str, name: str) -> "Series":
        """Take one of the group's metrics; they exist once its collection is enabled (rule 31)."""
        return cls("AWS/AutoScaling", name, {"AutoScalingGroupName": group}, "Average")

    @classmethod
    def function(cls, function: str, name: str, statistic: str = "Sum") -> "Series":
        """Take one of Lambda's metrics."""
        return cls("AWS/Lambda", name, {"FunctionName": function}, statistic)


def series(
    name: str, of: Series, *, shown: bool = True, period: int = PERIOD_SECONDS
) -> Mapping[str, Json]:
    """Return the query of a metric; `shown` for the one whose values count (ReturnData)."""
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": of.namespace,
                "MetricName": of.name,
                "Dimensions": [
                    {"Name": each, "Value": of.dimensions[each]} for each in sorted(of.dimensions)
                ],
            },
            "Period": period,
            "Stat": of.statistic,
        },
        "ReturnData": shown,
    }


def expression(name: str, text: str, *, shown: bool = True) -> Mapping[str, Json]:
    """Return the query of a metric math expression over other queries' names."""
    if len(text) > EXPRESSION_MAX_CHARACTERS:
        raise ValueError(f"an expression of {len(text)} characters (rule 31)")
    return {"Id": name, "Expression": text, "ReturnData": shown}
