"""The embedded AWS as a process of its own, so that any number of tests can have one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-2"


@contextmanager
def embedded_aws() -> Iterator[str]:
    """Run it for as long as the block lasts; gives its endpoint."""
    arguments = [sys.executable, "-m", "worker.demo.embedded"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(20)


def environment(endpoint: str) -> dict[str, str]:
    """Give the variables that point boto3, or a child process, at an endpoint."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def connect(service: str, endpoint: str, **config: Any) -> Any:  # noqa: ANN401 - any service
    """Make a client that does not retry, as `worker.aws.s3` wants it."""
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, **config),
    )
