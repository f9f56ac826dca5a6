"""Our one rule in the bucket's notification configuration: tells our topic of each new file.

The configuration has no tags: a rule is ours by its Id, which names the stack. S3 gets and puts the
configuration as a whole, so everybody else's rules and EventBridge are put back as they were got
(rule 7). S3 offers no condition on the put: two tools that write at one moment can undo each other.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote_plus, unquote_plus

from provision.aws.buckets import ANOTHERS, region_of
from provision.aws.calls import unless_gone
from provision.core.resource import Change, Found, Json, Key, Property, Wanted, in_region
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KIND: Final = "notification"
TOPIC_RULES: Final = "TopicConfigurations"
EVENTS: Final = ("s3:ObjectCreated:*",)


def notification(blueprint: Blueprint) -> Wanted:
    """Return the rule: every object created below the source prefix is told to our topic."""
    names = blueprint.names
    return Wanted(
        Key(KIND, names.notification_rule),
        (
            Property("TopicArn", names.topic_arn, "the topic that our queue listens to"),
            Property("Events", list(EVENTS), "uploads of every kind, and copies"),
            Property(
                "Filter",
                {"prefix": blueprint.stack.pipeline.source_prefix},
                "where files land; what we move lies outside of it",
            ),
        ),
    )


class NotificationProvider:
    """Rules by Id, in one bucket."""

    def __init__(self, s3: "S3Client", names: Names) -> None:
        self._s3 = s3
        self._names = names

    def observe(self, key: Key) -> Found | None:
        """Return the rule of this Id, whatever it tells and whom."""
        region = region_of(self._s3, self._names.bucket, self._names.account)
        if region in {None, ANOTHERS}:
            return None
        rules = self.configuration().get(TOPIC_RULES, [])
        mine = next((each for each in rules if each.get("Id") == key.name), None)
        if mine is None:
            return None
        found: dict[str, Json] = {
            "TopicArn": mine["TopicArn"],
            "Events": sorted(mine["Events"]),
            "Filter": plain_filter(mine),
        }
        # S3 tells topics of its own region alone: elsewhere it is the stack's of that region.
        return in_region(Found(self._names.stack, found), self._names.region, region)

    def create(self, wanted: Wanted) -> None:
        """Add the rule to the others; S3 sends the topic a test event first (rules 7, 11)."""
        self._put(wanted.key.name, [_rule(wanted)])

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Put the whole rule in the place of ours, whatever changes."""
        del changes
        self._put(wanted.key.name, [_rule(wanted)])

    def delete(self, key: Key) -> None:
        """Take the rule out from among the others."""
        if self.observe(key) is not None:
            self._put(key.name, [])

    def configuration(self) -> dict[str, Any]:
        """Return the bucket's configuration as it can be put again; empty without a bucket."""
        got = unless_gone(
            lambda: self._s3.get_bucket_notification_configuration(Bucket=self._names.bucket)
        )
        return {name: each for name, each in (got or {}).items() if name != "ResponseMetadata"}

    def _put(self, rule_id: str, ours: list[dict[str, Json]]) -> None:
        configuration: Any = merged(self.configuration(), rule_id, ours)
        self._s3.put_bucket_notification_configuration(
            Bucket=self._names.bucket, NotificationConfiguration=configuration
        )


def merged(
    configuration: Mapping[str, Any], rule_id: str, ours: Sequence[Mapping[str, Json]]
) -> dict[str, Any]:
    """Return the configuration with our rules instead of those of our Id; all else as it was."""
    rules = configuration.get(TOPIC_RULES, [])
    kept = [each for each in rules if each.get("Id") != rule_id]
    others = {name: each for name, each in configuration.items() if name != TOPIC_RULES}
    return {**others, TOPIC_RULES: [*kept, *ours]} if kept or ours else others


def plain_filter(rule: Mapping[str, Any]) -> dict[str, str]:
    """Return a rule's filter as {"prefix": …, "suffix": …}, decoded (rules 8 and 9)."""
    listed = rule.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return {each["Name"].lower(): unquote_plus(each["Value"]) for each in listed}


def _rule(wanted: Wanted) -> dict[str, Json]:
    values = wanted.values()
    chosen = cast("Mapping[str, str]", values["Filter"])
    return {
        "Id": wanted.key.name,
        "TopicArn": values["TopicArn"],
        "Events": values["Events"],
        "Filter": {
            "Key": {
                "FilterRules": [
                    {"Name": name, "Value": quote_plus(value, safe="/")}
                    for name, value in chosen.items()
                ]
            }
        },
    }
