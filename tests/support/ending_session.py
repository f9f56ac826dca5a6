"""`provision` with credentials that botocore renews before each request, until a session ends."""

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from provision.cli import main
from support.provision_cli import stack_file
from support.provision_world import World

PROFILE = "sso"
MANY = 10_000
LOOK_SECONDS = 0.01
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

    def run_until(self, operation: str, *arguments: str) -> Result:
        """Run a command whose session ends once AWS was asked for this operation."""
        requests = self.world.region.requests
        over, before = threading.Event(), requests[operation]

        def watch() -> None:
            while requests[operation] == before and not over.wait(LOOK_SECONDS):
                pass
            self._left.write_text("0")

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            return self.run(MANY, *arguments)
        finally:
            over.set()
            watching.join()

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
