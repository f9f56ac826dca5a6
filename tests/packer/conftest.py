"""The Packer that `--packer` names, the template for it, and a wheel to name."""

from pathlib import Path

import pytest
from support.packer_template import Packer, find_packer


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which Packer it is."""
    program = config.getoption("--packer")
    return f"packer: {find_packer(program)}" if program else None


@pytest.fixture(scope="session")
def packer(request: pytest.FixtureRequest) -> Packer:
    """Find the program."""
    return find_packer(request.config.getoption("--packer"))


@pytest.fixture(scope="session")
def template(packer: Packer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that holds the template for it."""
    return packer.template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty file of the right name: nothing is installed here."""
    wheel = tmp_path_factory.mktemp("dist") / "s3_event_worker-0.1.0-py3-none-any.whl"
    wheel.touch()
    return wheel
