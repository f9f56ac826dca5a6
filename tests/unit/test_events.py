"""Message bodies become entries: whatever comes, nothing raises, and what S3 said comes back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import messages
from support.messages import Sample

from worker.core.events import MAX_WRAPPINGS, Malformed, ObjectEvent, parse
from worker.core.events import TestEvent as S3TestEvent
from worker.core.port import Location

Path = tuple[str | int, ...]

WRAPPINGS: dict[str, Callable[[str], str]] = {
    "direct": lambda body: body,
    "SNS": messages.sns,
    "SNS in SNS": lambda body: messages.sns(messages.sns(body)),
}
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=12,
)
SAMPLES = st.builds(
    Sample,
    key=KEYS,
    bucket=st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True),
    etag=st.none() | st.from_regex(r"[0-9a-f]{32}(-[1-9][0-9]{0,3})?", fullmatch=True),
    size=st.none() | st.integers(0, 50 * 1024**4),
    version_id=st.none() | st.from_regex(r"[A-Za-z0-9._]{1,32}", fullmatch=True),
    sequencer=st.none() | st.from_regex(r"[0-9A-F]{16,20}", fullmatch=True),
)


def event_of(sample: Sample) -> ObjectEvent:
    """Return the event that a sample's message tells of."""
    return ObjectEvent(
        sample.name,
        Location(sample.bucket, sample.key),
        sample.etag,
        sample.size,
        sample.version_id,
        sample.sequencer,
    )


# --- whatever comes, nothing raises ---------------------------------------------------------------


@given(st.text())
@example("[" * 100_000)
@example("{" + '"a":{' * 100_000)
@example("1" * 5000)
@example("NaN")
@example("\ud800")
def test_any_text_gives_at_least_one_entry(body: str) -> None:
    """No text raises, not even one nested too deeply, or a number too long, for Python's JSON."""
    assert parse(body)


@given(JSON_VALUES, st.sampled_from(list(WRAPPINGS)))
def test_any_json_gives_at_least_one_entry(value: Any, wrapping: str) -> None:  # noqa: ANN401 - JSON
    """No JSON raises, in any wrapping."""
    assert parse(WRAPPINGS[wrapping](json.dumps(value)))


def paths(value: Any, path: Path = ()) -> list[Path]:  # noqa: ANN401 - JSON
    """List the places within a JSON value, itself included."""
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    if isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for name, child in inner for found in paths(child, (*path, name)))]


def with_value(document: Any, path: Path, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON document with another value in one place."""
    if not path:
        return value
    copy: Any = document.copy()
    copy[path[0]] = with_value(document[path[0]], path[1:], value)
    return copy


def without_value(document: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON document without what is in one place."""
    copy: Any = document.copy()
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = without_value(document[path[0]], path[1:])
    return copy


VALID = [
    messages.notification(Sample(version_id="v1")),
    messages.eventbridge(Sample(version_id="v1")),
    messages.s3_test_event(),
    messages.sns(messages.notification(Sample())),
]


@given(st.sampled_from(VALID), st.data(), JSON_VALUES)
def test_a_message_damaged_anywhere_gives_at_least_one_entry(
    body: str,
    data: st.DataObject,
    value: Any,  # noqa: ANN401 - JSON
) -> None:
    """Any value of a valid message may be anything else, or gone."""
    document = json.loads(body)
    path = data.draw(st.sampled_from(paths(document)))
    assert parse(json.dumps(with_value(document, path, value)))
    if path:
        assert parse(json.dumps(without_value(document, path)))


# --- what S3 said comes back ----------------------------------------------------------------------


@given(SAMPLES, st.sampled_from(list(WRAPPINGS)), st.sampled_from(["2.0", "2.1", "2.3", "2.6"]))
@example(Sample(key="uploads/a b+c%20d%2F\u00fc\x00\x7f\u2028\U0001f600"), "direct", "2.6")
def test_a_notification_gives_its_object_back(sample: Sample, wrapping: str, version: str) -> None:
    """Key, bucket, ETag, size, version and sequencer survive the encoding, in any wrapping."""
    body = WRAPPINGS[wrapping](messages.notification(sample, version=version))
    assert parse(body) == (event_of(sample),)


@given(SAMPLES, st.sampled_from(list(WRAPPINGS)))
@example(Sample(key="uploads/a+b%20c d"), "direct")
def test_rule_19_eventbridge_gives_its_literal_key_back(sample: Sample, wrapping: str) -> None:
    """EventBridge does not encode keys: a + is a +, and %20 is %20."""
    assert parse(WRAPPINGS[wrapping](messages.eventbridge(sample))) == (event_of(sample),)


@given(st.lists(SAMPLES, min_size=1, max_size=6))
def test_records_keep_their_order(samples: list[Sample]) -> None:
    """Several records of one message come back as they stood in it."""
    assert parse(messages.notification(*samples)) == tuple(map(event_of, samples))


def test_one_bad_record_does_not_hide_the_good_ones() -> None:
    """Each record is judged by itself."""
    good = messages.record(Sample())
    first, second, third = parse(json.dumps({"Records": [good, {"eventSource": "aws:s3"}, good]}))
    assert isinstance(second, Malformed)
    assert first == third == event_of(Sample())


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_rule_11_a_test_event_is_known_in_any_wrapping(wrapping: str) -> None:
    """S3 sends one when a notification is set up; it has no records."""
    assert parse(WRAPPINGS[wrapping](messages.s3_test_event("inbox"))) == (S3TestEvent("inbox"),)


def test_sns_message_attributes_make_no_difference() -> None:
    """An envelope may carry more than the message."""
    body = messages.sns(messages.notification(Sample()), {"team": "billing"})
    assert parse(body) == (event_of(Sample()),)


def test_envelopes_are_opened_to_a_depth_and_no_further() -> None:
    """AWS nests no deeper; who does, does not send S3 events."""
    body = messages.notification(Sample())
    for _ in range(MAX_WRAPPINGS):
        body = messages.sns(body)
    assert parse(body) == (event_of(Sample()),)
    (entry,) = parse(messages.sns(body))
    assert entry == Malformed("SNS envelopes are nested too deeply")


@pytest.mark.parametrize(
    ("detail_type", "name"),
    [
        ("Object Created", "ObjectCreated:Put"),
        ("Object Deleted", "ObjectRemoved:Put"),
        ("Object Restore Completed", "Object Restore Completed:Put"),
    ],
)
def test_eventbridge_names_become_s3s_own(detail_type: str, name: str) -> None:
    """One kind of name reaches the plan; what is not known stays recognisable."""
    (entry,) = parse(messages.eventbridge(Sample(), detail_type))
    assert isinstance(entry, ObjectEvent)
    assert entry.name == name


@pytest.mark.parametrize(
    ("etag", "read"), [('"abc"', "abc"), ("abc", "abc"), ("", None), ('""', None)]
)
def test_an_etag_is_read_without_its_quotes(etag: str, read: str | None) -> None:
    """Some senders quote it; an empty one tells nothing."""
    (entry,) = parse(messages.notification(Sample(etag=etag)))
    assert isinstance(entry, ObjectEvent)
    assert entry.etag == read


def test_an_event_name_may_carry_its_prefix() -> None:
    """Configurations say s3:ObjectCreated:Put, records ObjectCreated:Put: both are known."""
    (entry,) = parse(messages.notification(Sample(name="s3:ObjectCreated:Copy")))
    assert isinstance(entry, ObjectEvent)
    assert entry.name == "ObjectCreated:Copy"


def damaged(path: Path, value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a record's message with another value in one place of the record."""
    return json.dumps({"Records": [with_value(messages.record(Sample()), path, value)]})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "the body is not JSON"),
        ("hello", "the body is not JSON"),
        ("[]", "the body is JSON, but not an object"),
        ("7", "the body is JSON, but not an object"),
        ("{}", "neither an S3 event nor an SNS envelope nor an EventBridge event"),
        ('{"Type": "Notification"}', "neither an S3 event nor"),
        ('{"source": "aws.ec2", "detail-type": "x"}', "neither an S3 event nor"),
        ('{"Records": []}', "`Records` is not a list with something in it"),
        ('{"Records": {}}', "`Records` is not a list with something in it"),
        ('{"Records": [3]}', "a record without what an S3 record has"),
        ('{"Records": [{}]}', "'eventSource' is missing"),
        (damaged(("eventSource",), "aws:sqs"), "a record of the source 'aws:sqs', not aws:s3"),
        (damaged(("eventSource",), "x" * 9_000), "a record of the source 'xxx"),
        (damaged(("s3", "object", "key"), ""), "the key is empty"),
        (damaged(("s3", "object", "key"), "%ff"), "a record without what an S3 record has"),
        (damaged(("s3", "object", "key"), "\ud800"), "a record without what an S3 record has"),
        (damaged(("s3", "object", "key"), None), "None is not text"),
        (damaged(("s3", "object", "sequencer"), "\ud800"), "a record without what an S3 record"),
        (damaged(("s3", "object", "eTag"), "a\nb"), "is no ETag"),
        (damaged(("s3", "object", "eTag"), "\u00fc"), "is no ETag"),
        (damaged(("s3", "object", "size"), -1), "-1 is not a size"),
        (damaged(("s3", "object", "size"), value=True), "True is not a size"),
        (damaged(("s3", "object", "size"), 1.5), "1.5 is not a size"),
        (damaged(("s3", "object"), []), "a record without what an S3 record has"),
        ('{"source": "aws.s3", "detail-type": "Object Created"}', "'detail' is missing"),
        (messages.eventbridge(Sample(key="")), "the key is empty"),
    ],
)
def test_what_is_no_s3_event_comes_back_with_the_reason(body: str, reason: str) -> None:
    """The reason says what was expected, for whoever reads the dead-letter queue; in few words."""
    (entry,) = parse(body)
    assert isinstance(entry, Malformed)
    assert reason in entry.reason
    assert len(entry.reason) < 160
