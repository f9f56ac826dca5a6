"""One embedded AWS for a module's tests, and `provision`'s clients of it."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.operator_role import Agents
from support.provision_world import World
from support.recorded_aws import RecordedAws

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws


@pytest.fixture(scope="module")
def agents() -> Agents:
    """Give the instances' agents, to a module that says HAS_AGENTS."""
    return Agents()


@pytest.fixture(scope="module")
def region(request: pytest.FixtureRequest, agents: Agents) -> Iterator[EmbeddedAws]:
    """Start an AWS whose changes hold at once, or take what the module says in DELAYS."""
    said = vars(request.module)
    shell = agents if said.get("HAS_AGENTS") else None
    with EmbeddedAws(delays=said.get("DELAYS", Delays.none()), shell=shell) as server:
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


@pytest.fixture
def build(region: EmbeddedAws, aws: RecordedAws) -> Iterator[Callable[..., World]]:
    """Give a maker of stacks, sections as in the stack file; they are taken down at the end."""
    made: list[World] = []

    def make(name: str = "", **sections: Any) -> World:  # noqa: ANN401 # sections of the stack file
        made.append(World.of(region, aws, name or f"t{uuid.uuid4().hex[:10]}", **sections))
        return made[-1]

    yield make
    for each in made:
        each.destroy()


@pytest.fixture
def world(build: Callable[..., World]) -> World:
    """Give a stack of which nothing exists yet."""
    return build()
