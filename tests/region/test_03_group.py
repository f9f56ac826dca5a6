"""`provision apply` stands the system up, and the group's instances move files."""

import pytest
from region.lab.fleet import Fleet, events, show

pytestmark = pytest.mark.region


def test_the_groups_instance_boots_from_the_baked_image_and_moves_a_file(fleet: Fleet) -> None:
    """Launched from the template, configured by its user data, in its role, with nobody's help."""
    (machine,) = fleet.wait_for(1)
    assert machine.launch.group_name == fleet.group_name
    fleet.upload(["May report.pdf"])
    fleet.wait_until_moved(["May report.pdf"])
    (moved,) = [line for line in events(machine, "moved") if "May report" in line["key"]]
    assert moved["key"] == "uploads/May report.pdf"
    assert fleet.depths() == {fleet.queue_name: 0, f"{fleet.queue_name}-dlq": 0}


def test_the_service_tells_systemd_how_it_is_doing(fleet: Fleet) -> None:
    """READY, a status with numbers, the watchdog on, no restart so far."""
    (machine,) = fleet.wait_for(1)
    active, restarts, watchdog, status = show(
        machine, "ActiveState", "NRestarts", "WatchdogUSec", "StatusText"
    )
    assert (active, restarts, watchdog) == ("active", "0", "3min")
    assert " moved, " in status


def test_two_instances_share_a_backlog(fleet: Fleet) -> None:
    """The group scales out, and each of the two moves some of the files; none is moved twice."""
    fleet.scale_to(2)
    machines = fleet.wait_for(2)
    names = [f"backlog-{number:03}" for number in range(200)]
    fleet.upload(names)
    fleet.wait_until_moved(names)
    shares = [
        {line["key"] for line in events(machine, "moved") if "backlog-" in line["key"]}
        for machine in machines
    ]
    assert all(shares)
    assert sum(map(len, shares)) == len(set.union(*shares)) == len(names)
