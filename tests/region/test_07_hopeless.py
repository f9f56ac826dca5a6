"""A worker that cannot stay up on its instance: systemd gives up, and the group gives another."""

from datetime import timedelta

import pytest
from region.lab.fleet import FAILED_UNIT, UNIT, Fleet, events, log_lines, show
from region.lab.machines import Machine
from region.lab.waiting import gone, wait_until

pytestmark = pytest.mark.region

DAMAGE = (
    "truncate --size=0"
    " /opt/s3-event-worker/lib/python3*/site-packages/botocore/data/sqs/*/service-2.json.gz"
)
"""A file that a full or broken disk left empty: without it nothing can ask a queue."""

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


def damage(fleet: Fleet, machine: Machine) -> None:
    """Break the worker for good; returns when its first start has failed."""
    fleet.region.journal.note(machine.launch.instance_id, "damaged")
    machine.container.shell(SHORT_PAUSE)
    machine.container.shell(
        f"{DAMAGE}; systemctl reset-failed {UNIT}; systemctl restart {UNIT}", seconds=120
    )


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
    damage(fleet, machine)
    names = [f"hopeless-{number:03}" for number in range(100)]
    fleet.upload(names)

    stays = decision(machine, 1)
    assert stays["event"] == "instance-stays"
    assert "minutes old; below 60" in stays["why"]
    assert show(machine, "ActiveState") == {"ActiveState": "failed"}
    assert fleet.members() == {instance_id: "InService"}

    machine.pending_time -= timedelta(hours=1)
    given_up = decision(machine, 2)
    fleet.region.journal.note(instance_id, "given-up")
    assert given_up["event"] == "instance-given-up"
    assert given_up["why"] == "the worker keeps failing: exit-code (1)"

    wait_until(lambda: fleet.members().get(instance_id) == "Terminating:Wait", "the hook", 60)
    fleet.region.aws.clock.advance(HOOK_SECONDS)
    gone(fleet.region, instance_id)
    (other,) = fleet.wait_for(1)
    assert other.launch.instance_id != instance_id
    fleet.wait_until_moved(names)
    fleet.wait_until_settled()
