"""Credentials that end before, or half-way: what is told, and that the same command goes on."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.provision_cli import stack_file
from support.provision_world import World

from provision.cli import main

PROFILE = "sso"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

PROCESS = """
import pathlib, sys
left = pathlib.Path(sys.argv[1])
count = int(left.read_text())
left.write_text(str(count - 1))
sys.exit("the session has expired") if count <= 0 else print(sys.argv[2])
"""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody whose session holds for so many more requests."""

    world: World
    folder: Path

    def run(self, requests: int, *arguments: str) -> Result:
        """Run a command with credentials that botocore renews before each request."""
        self._left.write_text(str(requests))
        return self.run_as(PROFILE, *arguments)

    def run_as(self, profile: str, *arguments: str) -> Result:
        """Run a command under a profile."""
        environment: Mapping[str, str | None] = {
            **self.world.region.environment(),
            **dict.fromkeys(KEYS),
            "AWS_CONFIG_FILE": str(self._config()),
            "PROVISION_STACK": str(stack_file(self.world.blueprint.stack, self.folder)),
            "COLUMNS": "200",
        }
        chosen = ("--profile", profile) if profile else ()
        return CliRunner().invoke(main, [*arguments, *chosen], env=environment)

    def spent(self, requests: int) -> int:
        """Return how many of so many requests were made."""
        return requests - int(self._left.read_text())

    @property
    def _left(self) -> Path:
        return self.folder / "left"

    def _config(self) -> Path:
        soon = datetime.now(UTC) + timedelta(minutes=5)
        told = json.dumps(
            {
                "Version": 1,
                "AccessKeyId": "testing",
                "SecretAccessKey": "testing",
                "Expiration": soon.isoformat(timespec="seconds"),
            },
            separators=(",", ":"),
        )
        program = self.folder / "session.py"
        program.write_text(PROCESS)
        config = self.folder / "config"
        command = f"{sys.executable} -S {program} {self._left} '{told}'"
        config.write_text(f"[profile {PROFILE}]\ncredential_process = {command}\n")
        return config


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
    lots = 10_000
    assert session.run(lots, "plan").exit_code == 2  # there are changes
    looks = session.spent(lots)
    cut = session.run(looks + 30, "apply", "--yes")
    assert cut.exit_code == 3, cut.output  # half-way
    assert "remaining: " in cut.stderr
    assert "sign in again" in cut.stderr
    assert "run `provision apply` again" in cut.stderr
    again = session.run(lots, "apply", "--yes")
    assert again.exit_code == 0, again.output
    gone = ("destroy", "--confirm", session.world.stack, "--delete-bucket")
    cut = session.run(looks + 20, *gone)
    assert cut.exit_code == 3, cut.output  # half-way
    assert "run `provision destroy` again" in cut.stderr
    again = session.run(lots, *gone)
    assert again.exit_code == 0, again.output
    assert session.world.stack not in str(session.world.aws.sqs.list_queues().get("QueueUrls"))
