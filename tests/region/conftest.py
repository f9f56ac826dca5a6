"""One region for all the tests of this folder, which are one story in the order of their files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from region.lab import network
from region.lab.baking import Baked, Oven, Wheels, build_wheels
from region.lab.base import base_file_system, cache_folder
from region.lab.fleet import Fleet
from region.lab.host import missing
from region.lab.journal import Journal
from region.lab.operator import Operator
from region.lab.region import Region, open_region
from support.packer_template import Packer, find_packer

from worker.demo.embedded.server import REGION

STACK, BUCKET = "files", "files-of-the-lab"


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which Packer bakes."""
    program = config.getoption("--packer")
    return f"packer: {find_packer(program)}" if program else None


@pytest.fixture(scope="session")
def base() -> Path:
    """Return the file system under every image; the first time on a machine it is built."""
    lacking = missing()
    if lacking:
        pytest.fail(lacking)
    return base_file_system(cache_folder(os.environ))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Build what is baked in, while this process still is on the machine's own network."""
    return build_wheels(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def packer(request: pytest.FixtureRequest) -> Packer:
    """Find the Packer that `--packer` names, else the one that is installed."""
    return find_packer(request.config.getoption("--packer") or "packer")


@pytest.fixture(scope="session")
def region(base: Path, wheels: Wheels, request: pytest.FixtureRequest) -> Iterator[Region]:
    """Open the region; what went wrong behind the API fails the tests in the end."""
    assert wheels.own.exists()
    records = request.config.getoption("--region-records")
    with open_region(base, Journal()) as opened:
        yield opened
        failures = opened.machines.failures
        if records:
            opened.journal.save(Path(records))
    assert failures == []


@pytest.fixture(scope="session")
def published(region: Region) -> str:
    """Return an image that somebody else published."""
    return str(region.client("ec2").describe_images()["Images"][0]["ImageId"])


@pytest.fixture(scope="session")
def operator(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Give a person a folder and an account."""
    environment = {
        "AWS_ENDPOINT_URL": network.AWS_URL,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",  # Packer asks its maker for news otherwise
        "PACKER_PLUGIN_PATH": os.environ.get(
            "PACKER_PLUGIN_PATH", str(Path.home() / ".config/packer/plugins")
        ),
    }
    operator = Operator(tmp_path_factory.mktemp("operator"), environment, region.journal)
    operator.run("init", "--name", STACK, "--region", REGION, "--bucket", BUCKET)
    return operator


@pytest.fixture(scope="session")
def oven(
    operator: Operator,
    region: Region,
    packer: Packer,
    wheels: Wheels,
    published: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Oven:
    """Have all that a bake needs."""
    folder = tmp_path_factory.mktemp("bakes")
    return Oven(operator, packer, wheels, published, region.subnet_id(), folder)


@pytest.fixture(scope="session")
def baked(oven: Oven) -> Baked:
    """Bake the first image."""
    return oven.bake("1" * 40)


@pytest.fixture(scope="session")
def fleet(region: Region, operator: Operator, baked: Baked) -> Fleet:
    """Apply the stack, which finds the baked image by itself; its group launches one instance."""
    assert baked.image_id
    operator.run("apply", "--yes")
    return Fleet(region, STACK, BUCKET)
