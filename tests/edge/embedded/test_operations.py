"""Every request is named as boto3 names its operation: what the counts rest on."""

from collections import Counter
from typing import Any

import pytest

from worker.demo.embedded.operations import operation_name
from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""


S3 = {"authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-2/s3/aws4_request"}


@pytest.mark.parametrize(
    ("method", "path", "query", "extra", "expected"),
    [
        ("GET", "/", {}, {}, "ListBuckets"),
        ("GET", "/b", {"list-type": ["2"]}, {}, "ListObjectsV2"),
        ("POST", "/b", {"delete": [""]}, {}, "DeleteObjects"),
        ("PUT", "/b", {"notification": [""]}, {}, "PutBucketNotificationConfiguration"),
        ("PUT", "/b/k", {}, {}, "PutObject"),
        ("PUT", "/b/k", {}, {"x-amz-copy-source": "b/a"}, "CopyObject"),
        ("PUT", "/b/k", {"uploadId": ["u"], "partNumber": ["1"]}, {}, "UploadPart"),
        (
            "PUT",
            "/b/k",
            {"uploadId": ["u"], "partNumber": ["1"]},
            {"x-amz-copy-source": "b/a"},
            "UploadPartCopy",
        ),
        ("POST", "/b/k", {"uploads": [""]}, {}, "CreateMultipartUpload"),
        ("POST", "/b/k", {"uploadId": ["u"]}, {}, "CompleteMultipartUpload"),
        ("DELETE", "/b/k", {"uploadId": ["u"]}, {}, "AbortMultipartUpload"),
        ("DELETE", "/b/k/with/slashes", {}, {}, "DeleteObject"),
        ("HEAD", "/b/k", {}, {}, "HeadObject"),
        ("GET", "/b/k", {"tagging": [""]}, {}, "GetObjectTagging"),
    ],
)
def test_s3_is_named_by_method_path_and_query(
    method: str, path: str, query: dict[str, Any], extra: dict[str, str], expected: str
) -> None:
    """One line per operation that the project counts."""
    assert operation_name(method, path, query, {**S3, **extra}) == expected


def test_the_json_protocol_is_named_by_its_target() -> None:
    """SQS sends the operation in a header."""
    assert operation_name("POST", "/", {}, {"x-amz-target": "AmazonSQS.ReceiveMessage"}) == (
        "ReceiveMessage"
    )


def test_the_query_protocol_is_named_by_its_action() -> None:
    """SNS, IAM, EC2 and Auto Scaling send it in the form."""
    form = "Action=Publish&Version=2010-03-31"
    headers = {"authorization": "Credential=testing/20260101/us-east-2/sns/aws4_request"}
    assert operation_name("POST", "/", {}, headers, form) == "Publish"


def test_real_requests_are_counted(
    aws: EmbeddedAws, s3: Client, sqs: Client, sns: Client, name: str
) -> None:
    """Through boto3 and the server, one request each."""
    before = aws.requests.snapshot()
    s3.list_buckets()
    sqs.list_queues()
    sns.create_topic(Name=name)
    after = aws.requests.snapshot() - before
    assert after == Counter({"ListBuckets": 1, "ListQueues": 1, "CreateTopic": 1})
