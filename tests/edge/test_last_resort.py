"""What is left when `worker give-up` cannot start: the instance powers off, by the same rules."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.imds_server import PATHS, FakeImds, imds_server

from worker.errors import ExitCode
from worker.host.give_up import IN_SERVICE, YOUNGEST_SECONDS

SCRIPT = Path(__file__).parents[2] / "systemd" / "last-resort.sh"
STATE = "meta-data/autoscaling/target-lifecycle-state"
NOT_FOUND = 127
"""What a shell ends with where a program is not there."""

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")


@dataclass
class Instance:
    """One instance: its metadata, and a systemctl that only notes what it is asked for."""

    imds: FakeImds
    folder: Path

    def be(self, state: str | None = IN_SERVICE, age: timedelta = timedelta(days=1)) -> None:
        """Have the metadata service tell its state in its group, and when it was launched."""
        launched = f"{datetime.now(UTC) - age:%Y-%m-%dT%H:%M:%SZ}"
        self.imds.items[PATHS["identity"]] = json.dumps({"pendingTime": launched}, indent=1)
        if state:
            self.imds.items[STATE] = state

    def run(self, status: int) -> tuple[str, str]:
        """Run the script after that status; returns what systemctl was asked for, and the words."""
        (self.folder / "status").write_text(f"{status}\n", encoding="utf-8")
        systemctl = self.folder / "systemctl"
        systemctl.write_text(f'#!/bin/sh\necho "$*" > {self.folder}/asked\n', encoding="utf-8")
        systemctl.chmod(0o755)
        done = subprocess.run(
            [SCRIPT, self.folder / "status"],
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.imds.endpoint,
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        asked = self.folder / "asked"
        return asked.read_text(encoding="utf-8").strip() if asked.exists() else "", done.stdout


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """Be an instance of no group."""
    with imds_server() as imds:
        yield Instance(imds, tmp_path)


@pytest.mark.parametrize("status", [NOT_FOUND, 126, 1, 2, 139])
def test_rule_30_an_instance_whose_judge_cannot_start_powers_off(
    instance: Instance, status: int
) -> None:
    """Auto Scaling replaces an instance that is off; nobody here could ask it to."""
    instance.be()
    asked, said = instance.run(status)
    assert asked == "poweroff"
    assert f"(status {status}): the instance powers off" in said


@pytest.mark.parametrize("status", [ExitCode.DONE, ExitCode.PREFLIGHT])
def test_a_judge_that_spoke_is_not_overruled(instance: Instance, status: ExitCode) -> None:
    """It decided, or could not ask: not even the metadata service is asked."""
    instance.be()
    assert instance.run(status) == ("", "")
    assert not instance.imds.asked


def test_a_young_instance_stays_on(instance: Instance) -> None:
    """As by the judge's own rule: its predecessor failed just like it."""
    instance.be(age=timedelta(seconds=YOUNGEST_SECONDS - 90))
    assert instance.run(NOT_FOUND)[0] == ""
    instance.be(age=timedelta(seconds=YOUNGEST_SECONDS + 1))
    assert instance.run(NOT_FOUND)[0] == "poweroff"


@pytest.mark.parametrize(
    ("state", "told"),
    [(None, "in no Auto Scaling group"), ("Standby", "as Standby"), ("Terminated", "Terminated")],
)
def test_an_instance_that_no_group_would_replace_stays_on(
    instance: Instance, state: str | None, told: str
) -> None:
    """A builder, somebody's own machine, or one that is set aside or going already."""
    instance.be(state)
    asked, said = instance.run(NOT_FOUND)
    assert asked == ""
    assert told in said


def test_where_nobody_tells_of_the_instance_it_stays_on(instance: Instance) -> None:
    """No metadata service, or none that knows the instance's age: nothing can be judged."""
    instance.imds.items[STATE] = IN_SERVICE
    assert "nobody says when" in instance.run(NOT_FOUND)[1]
    instance.imds.token_status = 403
    asked, said = instance.run(NOT_FOUND)
    assert asked == ""
    assert "does not answer" in said


def test_a_judge_of_whom_nothing_is_known_is_not_overruled(instance: Instance) -> None:
    """While an instance ends, systemd takes the file away first."""
    done = subprocess.run(
        [SCRIPT, instance.folder / "status"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_it_goes_by_the_judges_own_hour() -> None:
    """The number stands in both."""
    (seconds,) = re.findall(r"^YOUNGEST_SECONDS=(\d+)$", SCRIPT.read_text(), re.MULTILINE)
    assert float(seconds) == YOUNGEST_SECONDS
