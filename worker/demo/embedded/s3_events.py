"""The events that S3 sends: which, with what in them, and to whom."""

import itertools
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from moto.s3 import models, notifications
from moto.s3.models import S3Backend
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from worker.demo.embedded.patches import Moto
from worker.operator import policy

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

SUBJECT: Final = "Amazon S3 Notification"
_SERVICE: Final = "s3.amazonaws.com"
_PUT: Final = "s3:ObjectCreated:Put"
_sequence: Final = itertools.count(time.time_ns())


def correct(layer: "Layer") -> None:
    """Send events in AWS's form, to those whose policy lets S3 send."""
    patches = layer.patches
    patches.replace(notifications, "send_event", events_as_aws_sends_them(layer))
    patches.replace(notifications, "send_test_event", test_event_to_new_destinations(layer))
    patches.wrap(S3Backend, "_set_delete_marker", delete_marker_is_told)


def record(event_name: str, bucket: Moto, key: Moto, rule_id: str, when: float) -> dict[str, Moto]:
    """Build one record of version 2.1, with all the fields that AWS sends (rules 18 and 19).

    `event_name` without "s3:", `when` in Unix seconds. The key is URL-encoded, with "+" for a
    space and "/" as it is. A removal has neither size nor ETag.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    stored: dict[str, Moto] = {"key": quote_plus(key.name, safe="/")}
    if event_name.startswith("ObjectCreated"):
        stored |= {"size": key.size, "eTag": key.etag.strip('"')}
    if bucket.is_versioned:
        stored["versionId"] = key.version_id
    stored["sequencer"] = f"{next(_sequence):018X}"
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region_name,
        "eventTime": _iso(when),
        "eventName": event_name,
        "userIdentity": {"principalId": "AWS:AIDAEMBEDDEDAWSUSER00"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {
            "x-amz-request-id": uuid.uuid4().hex[:16].upper(),
            "x-amz-id-2": uuid.uuid4().hex,
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule_id,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": "AEMBEDDEDAWSOWNER"},
                "arn": bucket.arn,
            },
            "object": stored,
        },
    }


def events_as_aws_sends_them(layer: "Layer") -> Callable[..., None]:
    """Emulators' table, "key in S3 event" and "event fields": AWS's form, and one event per upload.

    Moto tells a completed multipart upload twice, as Put and as CompleteMultipartUpload.
    The message is made now, and delivered when the request has let go of S3's lock.
    """

    def send_event(account_id: str, event_name: str, bucket: Moto, key: Moto) -> None:
        name = str(getattr(event_name, "value", event_name))
        rules = bucket.notification_configuration
        if rules is None or (name == _PUT and key.multipart is not None):
            return
        for kind in ("topic", "queue", "cloud_function"):
            for rule in getattr(rules, kind):
                if rule.matches(name, key.name):
                    made = record(name.removeprefix("s3:"), bucket, key, rule.id, layer.clock())
                    layer.outbox.append(_delivery(layer, bucket, rule.arn, {"Records": [made]}))
        if rules.event_bridge is not None:
            notifications._send_event_bridge_message(account_id, bucket, name, key)  # noqa: SLF001 # moto's own way

    return send_event


def test_event_to_new_destinations(layer: "Layer") -> Callable[..., None]:
    """Rule 11: each queue and topic of a new configuration gets an `s3:TestEvent`."""

    def send_test_event(account_id: str, bucket: Moto) -> None:  # noqa: ARG001 # moto's signature
        rules = bucket.notification_configuration
        message = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": _iso(layer.clock()),
            "Bucket": bucket.name,
            "RequestId": uuid.uuid4().hex[:16].upper(),
            "HostId": uuid.uuid4().hex,
        }
        for arn in dict.fromkeys(rule.arn for rule in (*rules.topic, *rules.queue)):
            layer.outbox.append(_delivery(layer, bucket, arn, message))

    return send_test_event


def delete_marker_is_told(mark: Callable[..., Moto]) -> Callable[..., Moto]:
    """Emulators' table, "event fields": a delete in a versioned bucket is DeleteMarkerCreated."""

    def marked(self: Moto, bucket_name: str, key_name: str) -> Moto:
        marker = mark(self, bucket_name, key_name)
        models.notifications.send_event(
            self.account_id,
            "s3:ObjectRemoved:DeleteMarkerCreated",
            self.get_bucket(bucket_name),
            marker,
        )
        return marker

    return marked


def destination_accepts(bucket: Moto, arn: str) -> bool:
    """Say whether the topic, queue or function exists and its policy lets S3 send (rule 10)."""
    service = arn.split(":")[2]
    if service not in {"sns", "sqs"}:
        return True
    found = _topic(arn) if service == "sns" else _queue(arn)
    if found is None:
        return False
    return policy.allows(
        found._policy_json,  # noqa: SLF001 # moto keeps the parsed policy nowhere else
        service=_SERVICE,
        action="sns:Publish" if service == "sns" else "sqs:SendMessage",
        resource=arn,
        context={"aws:SourceArn": bucket.arn, "aws:SourceAccount": bucket.account_id},
    )


def _delivery(layer: "Layer", bucket: Moto, arn: str, message: Moto) -> Callable[[], None]:
    body = json.dumps(message, separators=(",", ":"))

    def deliver() -> None:
        if not destination_accepts(bucket, arn):
            layer.undelivered.append(f"S3 may not send to {arn}")
            return
        _, _, service, region, account, name, *_ = arn.split(":")
        if service == "sns":
            sns_backends[account][region].publish(body, arn=arn, subject=SUBJECT)
        elif service == "sqs":
            sqs_backends[account][region].send_message(name, body)
        else:
            notifications._invoke_awslambda(account, message, arn, region)  # noqa: SLF001 # moto's own way

    return deliver


def _topic(arn: str) -> Moto:
    _, _, _, region, account, _ = arn.split(":")
    return sns_backends[account][region].topics.get(arn)


def _queue(arn: str) -> Moto:
    _, _, _, region, account, name = arn.split(":")
    return sqs_backends[account][region].queues.get(name)


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
