"""EC2 takes a spot instance back: the worker has two minutes, and uses them."""

import pytest
from region.lab.fleet import Fleet, events, is_active
from region.lab.waiting import gone, wait_until

pytestmark = pytest.mark.region

WARNING_SECONDS = 120
"""What EC2 gives ("Spot Instance interruption notices")."""


def test_a_spot_notice_drains_the_worker_and_the_group_replaces_the_instance(fleet: Fleet) -> None:
    """The notice comes by the metadata; the worker drains and ends; EC2 takes the instance."""
    (machine,) = fleet.wait_for(1)
    instance_id = machine.launch.instance_id
    names = [f"spot-{number:03}" for number in range(100)]
    fleet.upload(names)
    fleet.region.announce_spot(instance_id, "terminate", WARNING_SECONDS)
    wait_until(lambda: not is_active(machine), "the drain", WARNING_SECONDS)
    assert events(machine, "drained")[-1]["unfinished"] == []
    assert events(machine, "stop-requested")[-1]["reason"] == "spot-interruption"
    fleet.region.client("ec2").terminate_instances(InstanceIds=[instance_id])
    gone(fleet.region, instance_id)
    (other,) = fleet.wait_for(1)
    assert other.launch.instance_id != instance_id
    fleet.wait_until_moved(names)
    fleet.wait_until_settled()
