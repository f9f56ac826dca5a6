"""Log groups: the function's, and the one that the instances' agent writes to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from provision.aws.calls import unless_gone
from provision.core.resource import (
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    found_with_tags,
    tag_properties,
    tags_of,
)
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

KIND: Final = "log-group"


def worker_log_group(blueprint: Blueprint) -> Wanted:
    """Return the log group that the instances' CloudWatch agent writes the worker's log to."""
    return _log_group(blueprint, blueprint.names.worker_log_group)


def function_key(blueprint: Blueprint) -> Key:
    """Name the function's log group."""
    return Key(KIND, blueprint.names.function_log_group)


def function_log_group(blueprint: Blueprint) -> Wanted | None:
    """Return the function's log group, made before Lambda makes one that is kept for ever."""
    if not blueprint.stack.lambda_.enabled:
        return None
    return _log_group(blueprint, blueprint.names.function_log_group)


def _log_group(blueprint: Blueprint, name: str) -> Wanted:
    days = blueprint.stack.watch.log_retention_days
    return Wanted(
        Key(KIND, name),
        (
            Property("retentionInDays", days, "or logs are kept, and paid for, for ever"),
            *tag_properties(blueprint.tags),
        ),
    )


class LogGroupProvider:
    """Log groups by name."""

    def __init__(self, logs: "CloudWatchLogsClient", names: Names) -> None:
        self._logs = logs
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the retention in days (None: for ever) and the tags."""
        answer = self._logs.describe_log_groups(logGroupNamePrefix=key.name)
        # The name itself sorts before all that it is a prefix of, so one page holds it.
        groups = [each for each in answer["logGroups"] if each.get("logGroupName") == key.name]
        if not groups:
            return None
        tags = unless_gone(lambda: self._logs.list_tags_for_resource(resourceArn=self._arn(key)))
        if tags is None:
            return None
        retention: dict[str, Json] = {"retentionInDays": groups[0].get("retentionInDays")}
        return found_with_tags(retention, tags["tags"])

    def create(self, wanted: Wanted) -> None:
        """Create the log group with its tags, then set its retention: it takes two calls."""
        values = wanted.values()
        self._logs.create_log_group(logGroupName=wanted.key.name, tags=tags_of(values))
        self._retain(wanted.key, values["retentionInDays"])

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Set what changed."""
        changed = {each.name: each.after for each in changes}
        if "retentionInDays" in changed:
            self._retain(wanted.key, changed["retentionInDays"])
        if tags := tags_of(changed):
            self._logs.tag_resource(resourceArn=self._arn(wanted.key), tags=tags)

    def delete(self, key: Key) -> None:
        """Delete the log group and all that was logged."""
        unless_gone(lambda: self._logs.delete_log_group(logGroupName=key.name))

    def _retain(self, key: Key, days: Json) -> None:
        self._logs.put_retention_policy(logGroupName=key.name, retentionInDays=int(str(days)))

    def _arn(self, key: Key) -> str:
        return self._names.arn("logs", f"log-group:{key.name}")
