"""`provision destroy` takes the whole stack away, and leaves the files."""

import pytest
from region.conftest import STACK
from region.lab.fleet import Fleet
from region.lab.operator import Operator
from region.lab.waiting import wait_until

pytestmark = pytest.mark.region


def test_destroy_leaves_no_instance_and_every_file(fleet: Fleet, operator: Operator) -> None:
    """The group drains, then goes; the bucket and what it holds stay."""
    before = fleet.keys("processed/")
    assert before
    operator.run("destroy", "--confirm", STACK)
    wait_until(lambda: not fleet.region.machines.all(), "the end of every instance", 180)
    assert fleet.keys("processed/") == before
    groups = fleet.region.client("autoscaling").describe_auto_scaling_groups()
    assert groups["AutoScalingGroups"] == []
    assert operator.run("plan", expecting=2).stdout
