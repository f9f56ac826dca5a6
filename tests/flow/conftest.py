"""The back ends and the helpers of the flows: servers live for all flows, workers for one test."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.flow_aws import Aws, ministack, moto
from support.flow_process import Server, Start, Worker
from support.flow_proxy import FaultProxy
from support.flow_stub_client import StubClient


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Run honest moto."""
    with moto(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture(scope="session")
def aws(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Run the back end that the test's parameter names."""
    if request.param == "honest-moto":
        yield request.getfixturevalue("honest")
        return
    with ministack(tmp_path_factory.mktemp("aws")) as backend:
        yield backend


@pytest.fixture
def proxy(honest: Aws) -> Iterator[FaultProxy]:
    """Put a proxy before honest moto; it troubles nobody until told."""
    with FaultProxy(honest.url) as running:
        yield running


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubClient]:
    """Run the cheap S3 and SQS."""
    with Server("support.flow_stub", log=tmp_path / "stub.log") as server:
        yield StubClient(server.url)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a starter of workers; what still runs at the end is killed."""
    with ExitStack() as running:
        started: list[Worker] = []

        def start_one(environment: Mapping[str, str]) -> Worker:
            log = tmp_path / f"worker-{len(started)}.log"
            started.append(running.enter_context(Worker(environment, log)))
            return started[-1]

        yield start_one
