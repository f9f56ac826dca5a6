"""`pytest tests/live --live --account 123456789012 --live-bucket NAME` (of your own)."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from support.corner import Corner

from worker.aws.clients import Clients
from worker.aws.s3 import BotoS3


@pytest.fixture(scope="session")
def corner(request: pytest.FixtureRequest) -> Iterator[Corner]:
    """Give a corner of the bucket, and empty it afterwards; only in the account that was named."""
    account = request.config.getoption("--account")
    bucket = request.config.getoption("--live-bucket")
    assert account, "--live needs --account"
    assert bucket, "--live needs --live-bucket"
    region = boto3.Session().region_name or "us-east-1"
    clients = Clients(region)
    ours = clients.sts().get_caller_identity()["Account"]
    assert ours == account, f"these credentials are account {ours}'s"
    s3 = clients.s3(16)
    with ThreadPoolExecutor(16) as pool:
        prefix = f"s3-event-worker-live/{uuid.uuid4()}/"
        yield Corner(clients, s3, BotoS3(s3, pool, time.sleep), bucket, prefix)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=found["Key"])
