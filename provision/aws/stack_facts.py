"""How a stack is doing. Describe, get and list calls only; what is not there is no error."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from provision.aws.calls import unless_gone
from provision.aws.consumer import read_consumer
from provision.aws.group_facts import group_facts
from provision.aws.refresh import GroupRefreshes
from provision.aws.session import Aws
from provision.core.finding import Finding
from provision.core.group import GroupFacts
from provision.core.refresh import Refresh, judge_end
from provision.core.status import (
    ActivityFacts,
    AlarmFacts,
    QueueFacts,
    StackFacts,
    TwinFacts,
)
from provision.resources import alarm
from provision.resources.launch_template import default_version
from provision.resources.mapping import find_mapping
from provision.resources.metrics import Series, series
from provision.resources.queue import QueueProvider
from provision.spec.blueprint import Blueprint

ACTIVITIES: Final = 6
"""The last few say what the group is about."""

METRIC_LOOKBACK: Final = timedelta(minutes=15)
"""SQS's metrics can come a quarter of an hour late (rule 31)."""


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at one stack."""

    aws: Aws
    blueprint: Blueprint

    def stack(self) -> StackFacts:
        """Return everything that `provision status` shows. Raises ClientError."""
        names = self.blueprint.names
        group = self.group()
        return StackFacts(
            at=datetime.now(UTC),
            declared=read_consumer(self.aws.sqs, names.queue),
            queue=self.queue(),
            dead_letters=self.dead_letters(),
            group=group,
            refresh=self.refresh() if group else None,
            template_default=self.template_default() if group else "",
            activities=tuple(self.activities()) if group else (),
            twin=self.twin(),
            alarms=tuple(self._alarms()),
        )

    def group(self) -> GroupFacts | None:
        """Return the group with its instances."""
        return group_facts(self.aws.autoscaling, self.aws.ec2, self.blueprint.names.group)

    def queue(self) -> QueueFacts | None:
        """Return what is in the queue."""
        depth = self._depth(self.blueprint.names.queue)
        return None if depth is None else QueueFacts(*depth, self._oldest_seconds())

    def twin(self) -> TwinFacts | None:
        """Return the states of function and mapping; None without a function."""
        names = self.blueprint.names
        configuration = unless_gone(
            lambda: self.aws.lambda_.get_function_configuration(FunctionName=names.function)
        )
        if configuration is None:
            return None
        mapping = find_mapping(self.aws.lambda_, names.queue_arn, names.function) or {}
        return TwinFacts(configuration.get("State", ""), mapping.get("State", ""))

    def _depth(self, queue_name: str) -> tuple[int, int] | None:
        """Return how many messages wait, and how many are in flight; None without a queue."""
        url = QueueProvider(self.aws.sqs).url(queue_name)
        if url is None:
            return None
        told = unless_gone(
            lambda: self.aws.sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
        )
        if told is None:
            return None
        counts = told["Attributes"]
        return (
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
        )

    def dead_letters(self) -> int | None:
        """Return how many messages were set aside; None without a queue for them."""
        depth = self._depth(self.blueprint.names.dead_letter_queue)
        return None if depth is None else depth[0]

    def _oldest_seconds(self) -> float | None:
        now = datetime.now(UTC)
        query: Any = series("oldest", Series.oldest_message(self.blueprint.names.queue))
        told = self.aws.cloudwatch.get_metric_data(
            MetricDataQueries=[query],
            StartTime=now - METRIC_LOOKBACK,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
        values = [value for each in told["MetricDataResults"] for value in each.get("Values", [])]
        return values[0] if values else None

    def refresh(self) -> Refresh | None:
        """Return the latest instance refresh."""
        return GroupRefreshes(self.aws.autoscaling, self.blueprint.names.group).latest()

    def template_default(self) -> str:
        """Return the launch template's default version; empty without a template."""
        number = default_version(self.aws.ec2, self.blueprint.names.launch_template)
        return "" if number is None else str(number)

    def rollout_findings(self) -> Iterator[Finding]:
        """Yield what a rollout left that was cut off. Raises ClientError."""
        if group := self.group():
            yield from judge_end(group, self.refresh(), self.template_default())

    def activities(self) -> Iterator[ActivityFacts]:
        """Yield the last few scaling activities, newest first."""
        told = self.aws.autoscaling.describe_scaling_activities(
            AutoScalingGroupName=self.blueprint.names.group, MaxRecords=ACTIVITIES
        )
        for each in told["Activities"]:
            yield ActivityFacts(
                each["StartTime"],
                each["StatusCode"],
                each.get("Description", ""),
                each.get("StatusMessage", ""),
            )

    def _alarms(self) -> Iterator[AlarmFacts]:
        asked = [key.name for key in alarm.keys(self.blueprint)]
        told = self.aws.cloudwatch.describe_alarms(AlarmNames=asked)
        for each in told["MetricAlarms"]:
            yield AlarmFacts(
                each["AlarmName"],
                each.get("StateValue", ""),
                each.get("StateTransitionedTimestamp") or each.get("StateUpdatedTimestamp"),
                each.get("StateReason", ""),
                each.get("AlarmDescription", ""),
            )
