"""Credentials that end before, or half-way: what is told, and that the same command goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.ending_session import MANY, Session
from support.provision_world import World


@pytest.fixture
def session(world: World, tmp_path: Path) -> Session:
    """Give a session for a stack without instances."""
    world.blueprint = replace(world.blueprint, image=None)
    return Session(world, tmp_path)


@pytest.mark.parametrize("command", ["plan", "apply", "status", "destroy", "rollout"])
def test_without_a_session_nothing_is_changed_and_signing_in_is_the_next_step(
    session: Session, command: str
) -> None:
    """Exit status 1."""
    ended = session.run(0, command)
    assert ended.exit_code == 1, ended.output
    assert "the session has expired" in ended.stderr
    assert "sign in again" in ended.stderr


@pytest.mark.parametrize(
    ("profile", "told"), [("", "sign in again"), ("sos", "--profile")], ids=["none", "a slip"]
)
def test_no_credentials_and_a_slip_in_the_profile_are_told(
    session: Session, profile: str, told: str
) -> None:
    """By name."""
    ended = session.run_as(profile, "plan")
    assert ended.exit_code == 1, ended.output
    assert told in ended.stderr


@pytest.mark.heavy
def test_a_session_that_ends_half_way_is_gone_on_with_by_the_next(session: Session) -> None:
    """Apply and destroy: what remains is told, and the same command in a new session ends it."""
    assert session.run(MANY, "plan").exit_code == 2  # there are changes
    looks = session.spent(MANY)
    cut = session.run(looks + 30, "apply", "--yes")
    assert cut.exit_code == 3, cut.output  # half-way
    assert "remaining: " in cut.stderr
    assert "sign in again" in cut.stderr
    assert "run `provision apply` again" in cut.stderr
    again = session.run(MANY, "apply", "--yes")
    assert again.exit_code == 0, again.output
    gone = ("destroy", "--confirm", session.world.stack, "--delete-bucket")
    cut = session.run(looks + 20, *gone)
    assert cut.exit_code == 3, cut.output  # half-way
    assert "run `provision destroy` again" in cut.stderr
    again = session.run(MANY, *gone)
    assert again.exit_code == 0, again.output
    assert session.world.stack not in str(session.world.aws.sqs.list_queues().get("QueueUrls"))
