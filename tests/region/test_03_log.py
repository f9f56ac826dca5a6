"""Each instance's log gets to where the CloudWatch agent, which the lab has not, would read it."""

import json
from functools import partial
from typing import Any

import pytest
from region.lab.fleet import Fleet, log_lines
from region.lab.machines import Machine
from region.lab.waiting import wait_until

from provision.spec.user_data import AGENT_FILE, LOG_FILE

pytestmark = pytest.mark.region

COPY = "s3-event-worker-log.service"
COPYING_SECONDS = 30


def copied(machine: Machine) -> list[dict[str, Any]]:
    """Return the worker's lines in the agent's file; what systemd says of it stands there, too."""
    said = machine.container.run("cat", LOG_FILE).stdout
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def is_whole(machine: Machine) -> bool:
    """Say whether the copy has what the journal has."""
    return copied(machine) == log_lines(machine)


def test_the_audit_line_of_a_file_is_in_the_file_that_the_agent_reads(fleet: Fleet) -> None:
    """Every line of every worker, from its first start on, once and in its order."""
    fleet.upload(["for the log.txt"])
    fleet.wait_until_moved(["for the log.txt"])
    machines = fleet.serving()
    for machine in machines:
        wait_until(
            partial(is_whole, machine),
            f"the log of {machine.launch.instance_id} in {LOG_FILE}",
            COPYING_SECONDS,
        )
    audited = [line.get("source", "") for machine in machines for line in copied(machine)]
    assert len([source for source in audited if source.endswith("/for the log.txt")]) == 1


def test_the_agent_is_told_of_that_file_before_it_would_start(fleet: Fleet) -> None:
    """Cloud-init wrote the stack's log group; the agent's unit waits for cloud-init."""
    for machine in fleet.serving():
        told = json.loads(machine.container.read(AGENT_FILE))
        (log,) = told["logs"]["logs_collected"]["files"]["collect_list"]
        assert (log["file_path"], log["log_group_name"]) == (LOG_FILE, "/s3-event-worker/files")
        drop_ins = machine.container.run(
            "ls", "/etc/systemd/system/amazon-cloudwatch-agent.service.d"
        )
        assert drop_ins.stdout.split() == ["s3-event-worker.conf"]


def test_a_copy_that_is_killed_comes_back_and_repeats_no_more_than_it_may(fleet: Fleet) -> None:
    """What was copied before stands there once more, at most a thousand lines of it."""
    machine = fleet.serving()[0]
    before = copied(machine)
    machine.container.run("systemctl", "kill", "--signal=KILL", COPY)
    wait_until(lambda: len(copied(machine)) > len(before), "a new copy", COPYING_SECONDS)
    assert copied(machine)[: len(before)] == before
    assert len(copied(machine)) - len(before) <= 1000


def test_the_journal_keeps_within_the_size_that_the_image_gives_it(fleet: Fleet) -> None:
    """Journald itself says so at its start: nothing that is logged fills the disk."""
    for machine in fleet.serving():
        said = machine.container.run("journalctl", "--unit=systemd-journald", "--output=cat")
        sizes = [line for line in said.stdout.splitlines() if line.startswith("System Journal")]
        assert ", max 1.0G, " in sizes[-1]
