"""`provision apply` stands the system up, and the group's instances move files."""

import pytest
from region.lab.fleet import Fleet, moved_by, show

pytestmark = pytest.mark.region


def test_the_groups_instance_boots_from_the_baked_image_and_moves_a_file(fleet: Fleet) -> None:
    """Launched from the template, configured by its user data, in its role, with nobody's help."""
    (machine,) = fleet.wait_for(1)
    assert machine.launch.group_name == fleet.group_name
    assert machine.launch.metadata_http_tokens == "required"
    fleet.upload(["May report.pdf"])
    fleet.wait_until_moved(["May report.pdf"])
    assert "May report.pdf" in moved_by(machine)
    fleet.wait_until_settled()


def test_the_service_tells_systemd_how_it_is_doing(fleet: Fleet) -> None:
    """READY, a status with numbers, the watchdog on, no restart so far."""
    (machine,) = fleet.wait_for(1)
    properties = show(machine, "ActiveState", "WatchdogUSec", "StatusText")
    assert properties["ActiveState"] == "active"
    assert properties["WatchdogUSec"] == "3min"
    assert " moved, " in properties["StatusText"]


def test_two_instances_share_a_backlog(fleet: Fleet) -> None:
    """The group scales out, and each of the two moves some of the files; none is moved twice."""
    fleet.scale_to(2)
    machines = fleet.wait_for(2)
    names = [f"backlog-{number:03}" for number in range(200)]
    fleet.upload(names)
    fleet.wait_until_moved(names)
    shares = [
        {name for name in moved_by(machine) if name.startswith("backlog-")} for machine in machines
    ]
    assert all(shares), shares
    assert sum(map(len, shares)) == len(set.union(*shares)) == len(names)
