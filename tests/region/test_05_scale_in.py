"""A group that scales in lets the worker finish: the hook waits, the drain ends, the hook ends."""

import pytest
from region.lab.fleet import Fleet, events
from region.lab.waiting import gone, wait_until

pytestmark = pytest.mark.region


def test_scale_in_drains_completes_the_hook_and_loses_nothing(fleet: Fleet) -> None:
    """The instance learns of it by its metadata, drains, and goes before the hook's timeout."""
    machines = fleet.wait_for(2)
    names = [f"scale-in-{number:03}" for number in range(200)]
    fleet.upload(names)
    fleet.scale_to(1)
    leaving_id = wait_until(
        lambda: next(
            (name for name, state in fleet.members().items() if state.startswith("Terminating")), ""
        ),
        "a member that leaves",
        60,
    )
    (leaving,) = (each for each in machines if each.launch.instance_id == leaving_id)
    said = wait_until(lambda: events(leaving, "hook-completed"), "the hook's end", 120)
    assert said[0]["group"] == fleet.group_name
    assert events(leaving, "drained")[-1]["unfinished"] == []
    assert events(leaving, "stop-requested")[-1]["reason"] == "asg-termination"
    gone(fleet.region, leaving_id)
    fleet.wait_until_moved(names)
    fleet.wait_until_settled()
    assert len(fleet.wait_for(1)) == 1
