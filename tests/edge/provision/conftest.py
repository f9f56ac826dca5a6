"""One embedded AWS for a module's tests, and `provision`'s clients of it."""

import uuid
from collections.abc import Iterator

import pytest
from support.recorded_aws import RecordedAws

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws


@pytest.fixture(scope="module")
def region() -> Iterator[EmbeddedAws]:
    """Start an AWS whose changes hold at once."""
    with EmbeddedAws(delays=Delays.none()) as server:
        yield server


@pytest.fixture(scope="module")
def aws(region: EmbeddedAws) -> Iterator[RecordedAws]:
    """Give the clients, which remember what they sent."""
    clients = RecordedAws(region)
    yield clients
    clients.close()


@pytest.fixture
def name() -> str:
    """Give a stack's name that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"
