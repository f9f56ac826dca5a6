"""A worker that hangs or dies comes back by systemd, and what it had in hand is moved."""

import pytest
from region.lab.fleet import UNIT, Fleet, is_active, show
from region.lab.machines import Machine
from region.lab.waiting import wait_until

pytestmark = pytest.mark.region

DROP_IN = f"/run/systemd/system/{UNIT}.d/50-impatient.conf"

LEASE_SECONDS = 130
"""Above VISIBILITY_TIMEOUT: by then what a dead worker had in hand is free again."""


def restarted(machine: Machine, before: dict[str, str]) -> bool:
    """Whether systemd has started the worker once more, and it is ready."""
    now = show(machine, "NRestarts", "MainPID")
    return now["NRestarts"] != before["NRestarts"] and is_active(machine)


def test_a_worker_that_hangs_is_restarted_by_the_watchdog(fleet: Fleet) -> None:
    """SIGSTOP: no word for WatchdogSec, here 10 s instead of 180, and systemd starts it anew."""
    machine = fleet.wait_for(2)[0]
    machine.container.shell(
        f"mkdir -p {DROP_IN.rpartition('/')[0]} && printf '[Service]\nWatchdogSec=10\n' > {DROP_IN}"
        f" && systemctl daemon-reload && systemctl restart {UNIT}"
    )
    before = show(machine, "NRestarts", "MainPID")
    fleet.region.journal.note(machine.launch.instance_id, "SIGSTOP")
    machine.container.run("kill", "-STOP", before["MainPID"])
    wait_until(lambda: restarted(machine, before), "the watchdog's restart", 120)
    fleet.region.journal.note(machine.launch.instance_id, "restarted")
    log = machine.container.run("journalctl", "--unit", UNIT, "--output=cat").stdout
    assert "Watchdog timeout" in log
    assert show(machine, "MainPID")["MainPID"] != before["MainPID"]


def test_a_killed_worker_comes_back_and_loses_nothing(fleet: Fleet) -> None:
    """Kill -9 amid a backlog: restarted after RestartSec, and every file arrives in the end."""
    machine = fleet.wait_for(2)[1]
    before = show(machine, "NRestarts", "MainPID")
    names = [f"killed-{number:03}" for number in range(200)]
    fleet.upload(names[:100])
    fleet.region.journal.note(machine.launch.instance_id, "kill -9")
    machine.container.run("kill", "-9", before["MainPID"])
    fleet.upload(names[100:])
    wait_until(lambda: restarted(machine, before), "the restart", 120)
    fleet.region.journal.note(machine.launch.instance_id, "restarted")
    fleet.region.aws.clock.advance(LEASE_SECONDS)
    fleet.wait_until_moved(names)
    fleet.wait_until_settled()
