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
from worker.demo.embedded.listening import unreachable_from_outside
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


@pytest.mark.parametrize("host", ["127.0.0.1", "127.7.7.7", "::1"])
def test_it_listens_on_loopback(host: str, tmp_path: Path) -> None:
    """Whatever routes there are."""
    routes = routes_of(tmp_path, "00000000")
    assert unreachable_from_outside((host, 0), routes) == (host, 0)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - nothing is bound: the test is that it is refused
def test_it_listens_on_no_network_that_leads_out(host: str, tmp_path: Path) -> None:
    """Any other address is refused where there is a default route, or nobody can tell."""
    with pytest.raises(ValueError, match="the embedded AWS listens on loopback"):
        unreachable_from_outside((host, 0), routes_of(tmp_path, "00000000"))
    with pytest.raises(ValueError, match="the embedded AWS listens on loopback"):
        unreachable_from_outside((host, 0), tmp_path / "nothing")


def test_it_listens_in_a_network_of_its_own(tmp_path: Path) -> None:
    """In a namespace whose routes stay inside of it."""
    address = ("172.31.0.1", 4566)
    assert unreachable_from_outside(address, routes_of(tmp_path, "00001FAC")) == address


def routes_of(folder: Path, destination: str) -> Path:
    """Write a table of one route as /proc has it."""
    table = folder / "route"
    table.write_text(f"Iface\tDestination\tGateway\nbr0\t{destination}\t00000000\n", "ascii")
    return table
