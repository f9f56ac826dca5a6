"""SQS message body -> the object events in it. Pure; no input makes it raise.

Understood: S3 notifications delivered directly, through SNS (wrapped or raw), and S3 events of
EventBridge, also through SNS. Everything else comes back as `Malformed`, never as an exception.
"""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from worker.core.port import Location

MAX_WRAPPINGS = 3
"""SNS may wrap EventBridge may wrap S3; deeper nesting is not something AWS makes."""


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """One record of an S3 event. `name` is S3's (`ObjectCreated:Put`), `etag` without quotes.

    `size` in bytes; None where the event does not tell. `sequencer` orders one key's events
    (rule 18).
    """

    name: str
    location: Location
    etag: str | None = None
    size: int | None = None
    version_id: str | None = None
    sequencer: str | None = None


@dataclass(frozen=True, slots=True)
class TestEvent:
    """`s3:TestEvent`, sent once when a notification is set up (rule 11)."""

    __test__ = False  # not a test class, whatever its name looks like to a test runner
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that is no S3 event; `reason` says what was expected."""

    reason: str


Entry: TypeAlias = ObjectEvent | TestEvent | Malformed


def parse(body: str) -> tuple[Entry, ...]:
    """Read a message body; at least one entry comes back, in the message's order.

    Sources: "Event message structure" and "Mapping Amazon S3 events" in the S3 user guide,
    "SNS message formats" in the SNS developer guide; rules 11, 17 to 19.
    """
    return _parse_document(body, MAX_WRAPPINGS)


def _parse_document(text: str, wrappings_left: int) -> tuple[Entry, ...]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return (Malformed("the body is not JSON"),)
    if not isinstance(document, dict):
        return (Malformed("the body is JSON, but not an object"),)
    if document.get("Type") == "Notification" and isinstance(document.get("Message"), str):
        if not wrappings_left:
            return (Malformed("SNS envelopes are nested too deeply"),)
        return _parse_document(document["Message"], wrappings_left - 1)
    if document.get("Event") == "s3:TestEvent":
        return (TestEvent(str(document.get("Bucket", ""))),)
    if "detail-type" in document and document.get("source") == "aws.s3":
        return (_from_eventbridge(document),)
    if "Records" in document:
        return _from_notification(document["Records"])
    return (Malformed("neither an S3 event nor an SNS envelope nor an EventBridge event"),)


def _from_notification(records: object) -> tuple[Entry, ...]:
    if not isinstance(records, list) or not records:
        return (Malformed("`Records` is not a list with something in it"),)
    return tuple(_from_record(record) for record in records)


def _from_record(record: Any) -> Entry:  # noqa: ANN401 - anything at all may stand in a message
    try:
        source, name = record["eventSource"], record["eventName"]
        bucket, s3_object = record["s3"]["bucket"]["name"], record["s3"]["object"]
        if source != "aws:s3":
            return Malformed(f"a record of the source {source!r:.60}, not aws:s3")
        # Rule 19: notifications carry keys URL-encoded, with + for a space.
        key = unquote_plus(_text(s3_object["key"]), errors="strict")
        return ObjectEvent(
            name=_text(name).removeprefix("s3:"),
            location=Location(_text(bucket), _key(key)),
            etag=_etag(s3_object.get("eTag")),
            size=_size(s3_object.get("size")),
            version_id=_optional_text(s3_object.get("versionId")),
            sequencer=_optional_text(s3_object.get("sequencer")),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        return Malformed(f"a record without what an S3 record has: {_describe(fault)}")


_EVENTBRIDGE_NAMES = {"Object Created": "ObjectCreated", "Object Deleted": "ObjectRemoved"}
_EVENTBRIDGE_REASONS = {"PutObject": "Put", "POST Object": "Post", "CopyObject": "Copy"}


def _from_eventbridge(document: dict[str, Any]) -> Entry:
    try:
        detail_type, detail = _text(document["detail-type"]), document["detail"]
        reason = _text(detail.get("reason", ""))
        family = _EVENTBRIDGE_NAMES.get(detail_type, detail_type)
        s3_object = detail["object"]
        return ObjectEvent(
            name=f"{family}:{_EVENTBRIDGE_REASONS.get(reason, reason)}",
            # Rule 19: EventBridge carries keys as they are; a + is a +.
            location=Location(_text(detail["bucket"]["name"]), _key(_text(s3_object["key"]))),
            etag=_etag(s3_object.get("etag")),
            size=_size(s3_object.get("size")),
            version_id=_optional_text(s3_object.get("version-id")),
            sequencer=_optional_text(s3_object.get("sequencer")),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        return Malformed(f"an EventBridge event without what S3's have: {_describe(fault)}")


def _describe(fault: Exception) -> str:
    return f"{fault.args[0]!r} is missing" if isinstance(fault, KeyError) else str(fault)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is not text")
    value.encode()  # a lone surrogate is no text that S3 could have stored: ValueError
    return value


def _key(key: str) -> str:
    if not key:
        raise ValueError("the key is empty")
    return key


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value) or None


def _etag(value: object) -> str | None:
    text = _optional_text(value)
    if text and not (text.isascii() and text.isprintable()):
        raise ValueError(f"{text!r:.60} is no ETag")  # no header could carry it
    return (text.strip('"') or None) if text else None


def _size(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"{value!r:.60} is not a size")
    return value
