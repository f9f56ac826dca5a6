"""`pytest tests/live --live --account 123456789012 --live-bucket NAME` (of your own)."""

import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from support.corner import Corner
from support.live_stack import LiveStack

from worker.aws.clients import Clients
from worker.aws.s3 import BotoS3


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> str:
    """Give the account's number: the one that was named, and whose the credentials are."""
    named = request.config.getoption("--account")
    assert named, "--live needs --account"
    ours = Clients(region()).sts().get_caller_identity()["Account"]
    assert ours == named, f"these credentials are account {ours}'s"
    return str(named)


def region() -> str:
    """Return the region that boto3 is set up for."""
    return boto3.Session().region_name or "us-east-1"


@pytest.fixture(scope="session")
def corner(request: pytest.FixtureRequest, account: str) -> Iterator[Corner]:
    """Give a corner of the bucket, and empty it afterwards; only in the account that was named."""
    del account  # it was looked at
    bucket = request.config.getoption("--live-bucket")
    assert bucket, "--live needs --live-bucket"
    clients = Clients(region())
    s3 = clients.s3(16)
    with ThreadPoolExecutor(16) as pool:
        prefix = f"s3-event-worker-live/{uuid.uuid4()}/"
        yield Corner(clients, s3, BotoS3(s3, pool, time.sleep), bucket, prefix)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=found["Key"])


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest, account: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveStack]:
    """Give a stack of a name that nobody has, of which nothing exists yet; it is destroyed."""
    made = LiveStack(
        request.config.getoption("--live-stack") or f"live-{uuid.uuid4().hex[:10]}",
        region(),
        account,
        ami=request.config.getoption("--live-ami") or "latest",
        folder=tmp_path_factory.mktemp("stack"),
        environment=dict(os.environ),
    )
    yield made
    made.run("destroy", "--confirm", made.name, "--with-files")
