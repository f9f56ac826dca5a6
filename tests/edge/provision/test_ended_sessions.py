"""Sessions that end inside a rollout and inside a cutover, in a hurried region, by the commands."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cutover_crew import Crew
from support.ending_session import MANY, Session
from support.group_world import new_image, settle, versions
from support.hurried import Hurried
from support.provision_world import World
from support.recorded_aws import RecordedAws

from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.core.status import consumers
from provision.spec.blueprint import Consumer
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

WORK_SECONDS = 0.2

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def region() -> Iterator[EmbeddedAws]:
    """Start an AWS whose hour is short."""
    with EmbeddedAws(clock=Hurried(), delays=Delays()) as server:
        yield server


@pytest.fixture
def session(region: EmbeddedAws, aws: RecordedAws, name: str, tmp_path: Path) -> Iterator[Session]:
    """Give a session for a stack with one instance and a function, both at work."""
    world = settle(World.of(region, aws, name))
    crew = Crew(region, Aws(aws.session, region.endpoint_url), world.blueprint)
    over = threading.Event()

    def work() -> None:
        while not over.wait(WORK_SECONDS):
            crew.sleep(WORK_SECONDS)

    working = threading.Thread(target=work)
    working.start()
    yield Session(world, tmp_path)
    over.set()
    working.join()


def test_a_rollout_goes_on_by_the_same_command_in_a_new_session(session: Session) -> None:
    """The refresh goes on meanwhile; the canary flies in the second session."""
    world = session.world
    command = ("rollout", "--ami", new_image(world).id)
    cut = session.run_until("StartInstanceRefresh", *command)
    assert cut.exit_code == 3, cut.output
    assert "sign in again" in cut.stderr
    assert f"then run `provision {' '.join(command)}` again: it goes on" in cut.stderr
    again = session.run(MANY, *command)
    assert again.exit_code == 0, again.output
    assert "a canary has arrived" in again.stderr
    assert versions(world) == ("2", ["2"], 2)
    assert world.region.requests["StartInstanceRefresh"] <= 2


def test_a_cutover_goes_on_by_the_same_command_in_a_new_session(session: Session) -> None:
    """Both consume until then: nobody waits for the operator."""
    world = session.world
    cut = session.run_until("TagQueue", "cutover", "lambda")
    assert cut.exit_code == 3, cut.output
    assert "sign in again" in cut.stderr
    assert "then `provision cutover lambda` goes on from there" in cut.stderr
    facts = Observer(world.aws, world.blueprint).stack()
    assert set(consumers(facts)) == {Consumer.EC2, Consumer.LAMBDA}
    again = session.run(MANY, "cutover", "lambda")
    assert again.exit_code == 0, again.output
    facts = Observer(world.aws, world.blueprint).stack()
    assert (set(consumers(facts)), facts.declared) == ({Consumer.LAMBDA}, Consumer.LAMBDA)
