"""Where requests go is botocore's word: its endpoint rules, read off a request that is not sent."""

from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from worker.aws.http.places import OutOfReachError, learn_bucket, learn_queue

Client = Any
"""A boto3 client."""

REGION = "us-east-2"


def client(
    service: str, region: str = REGION, endpoint: str | None = None, config: Config | None = None
) -> Client:
    """Make a client as an operator's settings would."""
    make: Any = boto3.client
    return make(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=config,
    )


@pytest.mark.parametrize(
    ("bucket", "region", "endpoint", "config", "host", "path"),
    [
        ("files", REGION, None, None, "files.s3.us-east-2.amazonaws.com", "/"),
        ("dots.in.it", REGION, None, None, "s3.us-east-2.amazonaws.com", "/dots.in.it/"),
        ("files", "cn-north-1", None, None, "files.s3.cn-north-1.amazonaws.com.cn", "/"),
        (
            "files",
            REGION,
            None,
            Config(use_dualstack_endpoint=True),
            "files.s3.dualstack.us-east-2.amazonaws.com",
            "/",
        ),
        (
            "files",
            REGION,
            None,
            Config(use_fips_endpoint=True),
            "files.s3-fips.us-east-2.amazonaws.com",
            "/",
        ),
        ("files", REGION, "http://127.0.0.1:9000", None, "127.0.0.1:9000", "/files/"),
        ("files", REGION, "https://s3.local/base", None, "s3.local", "/base/files/"),
    ],
    ids=["virtual", "dots", "china", "dual-stack", "fips", "own", "own-with-path"],
)
def test_a_bucket_is_where_botocore_says(
    bucket: str, region: str, endpoint: str | None, config: Config | None, host: str, path: str
) -> None:
    """Host, path and scope; the port and the trust follow from the scheme."""
    place = learn_bucket(client("s3", region, endpoint, config), bucket, None)
    assert (place.host, place.path) == (host, path)
    assert (place.service, place.region) == ("s3", region)
    assert (place.origin.tls is None) == bool(endpoint and endpoint.startswith("http:"))
    assert place.origin.port == (9000 if endpoint == "http://127.0.0.1:9000" else 443)
    assert "Boto" in place.agent


def test_a_queue_is_where_botocore_says() -> None:
    """In SQS's JSON protocol everything goes to the root."""
    url = "https://sqs.us-east-2.amazonaws.com/123456789012/uploads"
    place = learn_queue(client("sqs"), url, None)
    assert (place.host, place.path) == ("sqs.us-east-2.amazonaws.com", "/")
    assert (place.service, place.region) == ("sqs", REGION)


@pytest.mark.parametrize(
    ("bucket", "config"),
    [
        ("files--use2-az1--x-s3", None),
        ("arn:aws:s3::123456789012:accesspoint:name.mrap", None),
        ("files", Config(signature_version=UNSIGNED)),
    ],
    ids=["directory-bucket", "multi-region-access-point", "unsigned"],
)
def test_what_is_signed_otherwise_is_out_of_reach(bucket: str, config: Config | None) -> None:
    """Sessions, SigV4A and no signature at all are boto3's."""
    with pytest.raises(OutOfReachError, match="sign"):
        learn_bucket(client("s3", config=config), bucket, None)


def test_behind_a_proxy_it_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies are boto3's; addresses that go past them are not."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    with pytest.raises(OutOfReachError, match="proxy"):
        learn_bucket(client("s3"), "files", None)
    monkeypatch.setenv("NO_PROXY", "amazonaws.com")
    assert learn_bucket(client("s3"), "files", None).origin.port == 443


def test_learning_sends_nothing_and_leaves_no_trace() -> None:
    """The client goes on working: its next call is its own."""
    once = Config(retries={"total_max_attempts": 1})
    made = client("s3", endpoint="http://127.0.0.1:1", config=once)
    learn_bucket(made, "files", None)
    with pytest.raises(Exception, match=r"127\.0\.0\.1:1"):
        made.head_object(Bucket="files", Key="k")
