"""Another image reaches the group without a moment's pause, and the first comes back as well."""

import pytest
from region.lab.baking import Baked, Oven
from region.lab.fleet import Fleet
from region.lab.operator import Operator
from region.lab.watch import watched

pytestmark = pytest.mark.region


@pytest.fixture(scope="module")
def second(oven: Oven, baked: Baked) -> Baked:
    """Bake another image, upon the first one: every step runs where it has run before."""
    return oven.bake("2" * 40, upon=baked.image_id)


def images_in_use(fleet: Fleet) -> set[str]:
    """Return the images that the group's instances booted from."""
    return {machine.launch.image_id for machine in fleet.serving()}


def test_a_rollout_never_leaves_the_queue_without_a_worker(
    fleet: Fleet, operator: Operator, second: Baked
) -> None:
    """`provision rollout`: from one image to the other, with files arriving all the while."""
    fleet.wait_for(1)
    names = [f"rollout-{number:03}" for number in range(100)]
    with watched(fleet) as counts:
        fleet.upload(names)
        operator.run("rollout", "--ami", second.image_id)
        fleet.wait_for(1)
    assert images_in_use(fleet) == {second.image_id}
    assert min(counts) >= 1, counts
    fleet.wait_until_moved(names)


def test_a_rollback_brings_the_first_image_back_as_smoothly(
    fleet: Fleet, operator: Operator, baked: Baked, second: Baked
) -> None:
    """`provision rollback`: nobody has to know which image it was."""
    assert images_in_use(fleet) == {second.image_id}
    names = [f"rollback-{number:03}" for number in range(100)]
    with watched(fleet) as counts:
        fleet.upload(names)
        operator.run("rollback")
        fleet.wait_for(1)
    assert images_in_use(fleet) == {baked.image_id}
    assert min(counts) >= 1, counts
    fleet.wait_until_moved(names)
