"""The tests for a real account work at all: run on the embedded AWS, with real consumers.

What they show here is that they themselves are right; of AWS they show nothing here.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path

import boto3
import pytest
from support.recorded_aws import RecordedAws
from support.worker_machines import WorkerMachines

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import REGION, EmbeddedAws

pytestmark = pytest.mark.heavy

NAME, BUCKET, AMI = "live-here", "of-mine", "ami-03cf127a"
ROOT = Path(__file__).resolve().parents[2]
DELAYS = Delays(launch_seconds=1, terminate_seconds=2, image_seconds=1, lambda_seconds=0.5)
FASTER = 10
"""Seconds that pass in one: a refresh bakes for minutes."""


@pytest.fixture
def region(tmp_path: Path) -> Iterator[EmbeddedAws]:
    """Run an AWS whose instances and functions run, and whose clock is fast."""
    machines = WorkerMachines(tmp_path, f"/s3-event-worker/{NAME}")
    with EmbeddedAws(
        run_lambdas=True, machines=machines, shell=machines, delays=DELAYS, tick_seconds=0.2
    ) as aws:
        clients = RecordedAws(aws)
        machines.start(aws, clients.logs)
        with hurrying(aws):
            yield aws
        machines.end()
        clients.close()


@contextmanager
def hurrying(aws: EmbeddedAws) -> Iterator[None]:
    """Let the clock run faster."""
    over = threading.Event()

    def hurry() -> None:
        while not over.wait(1):
            aws.clock.advance(FASTER - 1)

    thread = threading.Thread(target=hurry)
    thread.start()
    yield
    over.set()
    thread.join()


def test_every_live_test_passes_on_the_embedded_aws(region: EmbeddedAws) -> None:
    """All of them: with instances, and none left out."""
    s3 = boto3.client(
        "s3",
        endpoint_url=region.endpoint_url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.close()
    ran = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "tests/live",
                "--live",
                "-p",
                "no:cacheprovider",
            ),
            *("--account", "123456789012", "--live-bucket", BUCKET),
            *("--live-stack", NAME, "--live-ami", AMI),
        ],
        env={**environ, **region.environment()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "skipped" not in ran.stdout
