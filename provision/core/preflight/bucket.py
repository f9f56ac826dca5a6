"""The bucket: whose its name is, and whether S3 will take our notification rule (rule 9). Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from provision.core.finding import Finding, failure, ok, warning
from provision.spec.stack import Pipeline


@dataclass(frozen=True, slots=True)
class Rule:
    """A notification rule: event types such as `s3:ObjectCreated:*`, and its filter."""

    id: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """`state`: "free", "ours" (this account's), "others" or "elsewhere" (another region).

    `rules` are those of others, not the stack's own.
    """

    state: str
    region: str = ""
    rules: tuple[Rule, ...] = ()


def judge_bucket(pipeline: Pipeline, ours: Rule, facts: BucketFacts) -> Iterator[Finding]:
    """Yield whether the bucket can be made or used, and takes our rule."""
    subject = f"bucket {pipeline.bucket}"
    match facts.state:
        case "others":
            detail = "exists, and is another account's or closed to you"
            yield failure(subject, detail, "choose another `bucket`: names are taken worldwide")
        case "elsewhere":
            detail = f"is in {facts.region}, and the topic has to be in its region (rule 10)"
            yield failure(subject, detail, f'region = "{facts.region}", or another `bucket`')
        case "free" if pipeline.existing_bucket:
            yield failure(subject, "is not there", "correct `bucket`, or existing_bucket = false")
        case "free":
            yield ok(subject, "its name is free")
        case _:
            yield from _rules(subject, ours, facts.rules)
    if "." in pipeline.bucket:
        detail = "a dot in its name breaks TLS host names"
        yield warning(subject, detail, "choose a name without dots")


def _rules(subject: str, ours: Rule, others: Sequence[Rule]) -> Iterator[Finding]:
    clashes = [each for each in others if overlap(ours, each)]
    for each in clashes:
        where = f"prefix {each.prefix!r}, suffix {each.suffix!r}"
        detail = f"its rule {each.id!r} ({where}) tells of the same uploads: S3 refuses (rule 9)"
        hint = "give that rule another prefix, or let it listen to the stack's topic"
        yield failure(subject, detail, hint)
    if not clashes:
        yield ok(subject, f"is this account's; no clash with {len(others)} other rules")


def overlap(one: Rule, other: Rule) -> bool:
    """Say whether some upload would match both: one event type, and one possible key.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
    """
    return (
        any(_same_event(a, b) for a in one.events for b in other.events)
        and _either(str.startswith, one.prefix, other.prefix)
        and _either(str.endswith, one.suffix, other.suffix)
    )


def _same_event(one: str, other: str) -> bool:
    return _covers(one, other) or _covers(other, one)


def _covers(general: str, special: str) -> bool:
    return general == special or (general.endswith("*") and special.startswith(general[:-1]))


def _either(within: Callable[[str, str], bool], one: str, other: str) -> bool:
    return within(one, other) or within(other, one)
