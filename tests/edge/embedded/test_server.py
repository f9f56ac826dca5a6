"""The embedded AWS as a program: how it starts, stops, and leaves moto behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from worker.demo.embedded.corrections import switch_on
from worker.demo.embedded.layer import Layer
from worker.demo.embedded.patches import Patches
from worker.demo.embedded.server import EmbeddedAws

ROOT = Path(__file__).parents[3]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """Start `python -m worker.demo.embedded`, and make sure that it ends."""
    started = subprocess.Popen(
        [sys.executable, "-m", "worker.demo.embedded"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with started:
        yield started
        started.kill()


def test_the_program_names_its_endpoint_and_stops_on_sigterm(
    process: subprocess.Popen[str],
) -> None:
    """The first line of stdout is a URL that answers; SIGTERM ends it with status 0."""
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-2",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    assert client.list_buckets()["Buckets"] == []
    client.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_the_environment_points_a_child_at_the_server_and_nowhere_else(aws: EmbeddedAws) -> None:
    """A child with these variables alone finds the server, its region and its account."""
    environment = aws.environment()
    assert set(environment) == {
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
    }
    told = subprocess.run(
        [sys.executable, "-c", "import boto3; print(boto3.client('sns').create_topic(Name='n'))"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "arn:aws:sns:us-east-2:123456789012:n" in told.stdout


def test_a_process_has_one_at_a_time(aws: EmbeddedAws) -> None:
    """Moto's state is global: a second one is refused, and the first goes on."""
    assert aws.endpoint_url
    with pytest.raises(RuntimeError, match="one embedded AWS at a time"), EmbeddedAws():
        pytest.fail("a second server started")


def test_undoing_leaves_moto_as_it_was() -> None:
    """Every attribute that the corrections replace is back after `undo`."""
    absent = object()
    before: dict[tuple[int, str], tuple[object, object]] = {}

    class NotingPatches(Patches):
        """Notes of every attribute what it was when it was first replaced."""

        def replace(self, owner: object, name: str, new: object) -> None:
            """Note, then replace."""
            before.setdefault((id(owner), name), (owner, vars(owner).get(name, absent)))
            super().replace(owner, name, new)

    layer = Layer(patches=NotingPatches())
    switch_on(layer)
    changed = [vars(owner)[name] is not was for (_, name), (owner, was) in before.items()]
    layer.patches.undo()
    assert sum(changed) > 20
    assert all(vars(owner).get(name, absent) is was for (_, name), (owner, was) in before.items())
