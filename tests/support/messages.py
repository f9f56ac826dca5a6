"""Messages as AWS sends them to a queue, by builders: S3, SNS, EventBridge. All values are made up.

Structures: "Event message structure" and "EventBridge event message structure" in the S3 user
guide, "HTTP/HTTPS notification JSON format" in the SNS developer guide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

TOPIC_ARN = "arn:aws:sns:us-east-2:123456789012:uploads"


@dataclass(frozen=True, slots=True)
class Sample:
    """What happened to an object; `key` is literal. A None is left out of the message."""

    key: str = "uploads/report.csv"
    bucket: str = "acme-inbox"
    etag: str | None = "9bb58f26192e4ba00f01e2e7b136bbd8"
    size: int | None = 11
    version_id: str | None = None
    sequencer: str | None = "0066A1B2C3D4E5F607"
    name: str = "ObjectCreated:Put"


def record(sample: Sample, version: str = "2.1") -> dict[str, Any]:
    """Return one record of an S3 notification; its key is URL-encoded (rule 19)."""
    told = {
        "key": quote_plus(sample.key, safe="/"),
        "size": sample.size,
        "eTag": sample.etag,
        "versionId": sample.version_id,
        "sequencer": sample.sequencer,
    }
    return {
        "eventVersion": version,
        "eventSource": "aws:s3",
        "awsRegion": "us-east-2",
        "eventTime": "2025-11-03T09:41:07.318Z",
        "eventName": sample.name,
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLEUPLOADER"},
        "requestParameters": {"sourceIPAddress": "198.51.100.24"},
        "responseElements": {
            "x-amz-request-id": "7Q3EXAMPLE5Z1M0K",
            "x-amz-id-2": "bWFkZS11cC1ob3N0LWlk",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "s3-event-worker",
            "bucket": {
                "name": sample.bucket,
                "ownerIdentity": {"principalId": "A1EXAMPLEOWNER"},
                "arn": f"arn:aws:s3:::{sample.bucket}",
            },
            "object": {name: value for name, value in told.items() if value is not None},
        },
    }


def notification(*samples: Sample, version: str = "2.1") -> str:
    """Return an S3 notification with a record for each sample, in order."""
    return json.dumps({"Records": [record(sample, version) for sample in samples]})


def eventbridge(sample: Sample, detail_type: str = "Object Created") -> str:
    """Return an S3 event of EventBridge; its key is literal (rule 19)."""
    told = {
        "key": sample.key,
        "size": sample.size,
        "etag": sample.etag,
        "version-id": sample.version_id,
        "sequencer": sample.sequencer,
    }
    return json.dumps(
        {
            "version": "0",
            "id": "4b1f7c52-0a6e-4d0e-9d5e-0f3a6c8e2b71",
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": "123456789012",
            "time": "2025-11-03T09:41:08Z",
            "region": "us-east-2",
            "resources": [f"arn:aws:s3:::{sample.bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": sample.bucket},
                "object": {name: value for name, value in told.items() if value is not None},
                "request-id": "7Q3EXAMPLE5Z1M0K",
                "requester": "123456789012",
                "source-ip-address": "198.51.100.24",
                "reason": "PutObject",
            },
        }
    )


def s3_test_event(bucket: str = "acme-inbox") -> str:
    """Return what S3 sends when a notification is set up (rule 11)."""
    return json.dumps(
        {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": "2025-11-03T09:40:00.000Z",
            "Bucket": bucket,
            "RequestId": "7Q3EXAMPLE5Z1M0K",
            "HostId": "bWFkZS11cC1ob3N0LWlk",
        }
    )


def sns(message: str, attributes: Mapping[str, str] | None = None) -> str:
    """Wrap a message as SNS does without raw delivery."""
    envelope: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "d2c5a6f0-5e1b-5d0c-8d43-fb0e3c1a9a11",
        "TopicArn": TOPIC_ARN,
        "Subject": "Amazon S3 Notification",
        "Message": message,
        "Timestamp": "2025-11-03T09:41:08.002Z",
        "SignatureVersion": "1",
        "Signature": "bWFkZS11cC1zaWduYXR1cmU=",
        "SigningCertURL": "https://sns.us-east-2.amazonaws.com/made-up.pem",
        "UnsubscribeURL": f"https://sns.us-east-2.amazonaws.com/?SubscriptionArn={TOPIC_ARN}:1",
    }
    if attributes:
        envelope["MessageAttributes"] = {
            name: {"Type": "String", "Value": value} for name, value in attributes.items()
        }
    return json.dumps(envelope)
