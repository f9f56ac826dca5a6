"""A worker that cannot stay up on its instance: systemd gives up, and the group gives another."""

from datetime import timedelta

import pytest
from region.lab.fleet import FAILED_UNIT, UNIT, Fleet, events, log_lines, show
from region.lab.machines import Machine
from region.lab.waiting import gone, wait_until

pytestmark = pytest.mark.region

EMPTY_FILE = (
    "truncate --size=0"
    " /opt/s3-event-worker/lib/python3*/site-packages/botocore/data/sqs/*/service-2.json.gz"
)
"""What a full or broken disk left of a file: without it nothing can ask a queue."""

NO_PYTHON = "rm /opt/s3-event-worker/bin/python*"
"""As after an update that took the interpreter away: not even `worker give-up` can start."""

SHORT_PAUSE = f"""
cd /run/systemd/system && mkdir -p {UNIT}.d {FAILED_UNIT}.d
printf '[Service]\\nRestartSec=100ms\\n' > {UNIT}.d/60-impatient.conf
printf '[Service]\\nExecStart=\\n' > {FAILED_UNIT}.d/60-impatient.conf
grep '^ExecStart=' /etc/systemd/system/{FAILED_UNIT} | sed 's/sleep 300/sleep 5/' \
  >> {FAILED_UNIT}.d/60-impatient.conf
systemctl daemon-reload
"""
"""The units as they are, with a tenth of a second between starts instead of ten seconds, and five
seconds before the next try instead of five minutes."""

STARTS = 5
DECIDING_SECONDS = 120
HOOK_SECONDS = 151
"""Above the termination hook's timeout: nobody is left to complete it."""


def break_worker(fleet: Fleet, machine: Machine, how: str) -> None:
    """Break the worker for good; returns when its first start has failed."""
    fleet.region.journal.note(machine.launch.instance_id, "damaged")
    machine.container.shell(SHORT_PAUSE)
    machine.container.shell(
        f"{how}; systemctl reset-failed {UNIT}; systemctl restart {UNIT}", seconds=120
    )


def replaced(fleet: Fleet, instance_id: str) -> Machine:
    """Wait for another instance; the hook, which nobody is left to complete, ends by its time."""
    fleet.region.journal.note(instance_id, "given-up")
    wait_until(lambda: fleet.members().get(instance_id) == "Terminating:Wait", "the hook", 60)
    fleet.region.aws.clock.advance(HOOK_SECONDS)
    gone(fleet.region, instance_id)
    (other,) = fleet.wait_for(1)
    assert other.launch.instance_id != instance_id
    return other


def decision(machine: Machine, number: int) -> dict[str, str]:
    """Return what `worker give-up` said on an instance for the first, second ... time."""
    found = wait_until(
        lambda: log_lines(machine, FAILED_UNIT)[number - 1 :],
        f"decision {number}",
        DECIDING_SECONDS,
    )
    assert len(events(machine, "unexpected")) == number * STARTS
    return found[0]


def test_a_hopeless_instance_is_kept_while_it_is_young_and_then_replaced(fleet: Fleet) -> None:
    """The only worker fails at each start; what is uploaded meanwhile waits for the next one."""
    (machine,) = fleet.wait_for(1)
    instance_id = machine.launch.instance_id
    break_worker(fleet, machine, EMPTY_FILE)
    names = [f"hopeless-{number:03}" for number in range(100)]
    fleet.upload(names)

    stays = decision(machine, 1)
    assert stays["event"] == "instance-stays"
    assert "minutes old; below 60" in stays["why"]
    assert show(machine, "ActiveState") == {"ActiveState": "failed"}
    assert fleet.members() == {instance_id: "InService"}

    machine.pending_time -= timedelta(hours=1)
    given_up = decision(machine, 2)
    assert given_up["event"] == "instance-given-up"
    assert given_up["why"] == "the worker keeps failing: exit-code (1)"
    replaced(fleet, instance_id)
    fleet.wait_until_moved(names)
    fleet.wait_until_settled()


def test_an_instance_that_cannot_even_judge_itself_powers_off_and_is_replaced(fleet: Fleet) -> None:
    """Without Python nobody can ask the group; an instance that is off it replaces by itself."""
    (machine,) = fleet.wait_for(1)
    instance_id = machine.launch.instance_id
    machine.pending_time -= timedelta(hours=1)
    break_worker(fleet, machine, NO_PYTHON)
    fleet.upload(["without python.txt"])
    wait_until(lambda: not machine.container.is_running, "the power to be off", DECIDING_SECONDS)
    fleet.region.client("ec2").stop_instances(InstanceIds=[instance_id])  # EC2 sees it by itself
    replaced(fleet, instance_id)
    fleet.wait_until_moved(["without python.txt"])
    fleet.wait_until_settled()
