"""Whatever somebody changes behind our back, the plan shows it alone, and apply repairs it."""

from collections.abc import Iterator

import pytest
from support.provision_world import World
from support.recorded_aws import RecordedAws
from support.stacks import a_blueprint
from support.tampering import COUPLED, tamper

from provision.core.plan import Plan, Update
from provision.core.resource import OWNER_TAG, Change, Key, Property, Wanted
from provision.resources.catalogue import intentions
from worker.demo.embedded.server import EmbeddedAws

STACK = "drift"
TAGS = {"cost-centre": "42"}
OWNER = f"tag:{OWNER_TAG}"

WANTED = [each.wanted for each in intentions(a_blueprint(STACK, tags=TAGS)) if each.wanted]
"""Names alone are used of these: what surrounds the stack in the embedded AWS has other ids."""

PROPERTIES = [
    pytest.param(position, name, id=f"{wanted.key}-{name}")
    for position, wanted in enumerate(WANTED)
    for name in (each.name for each in wanted.properties if not each.fixed)
    if name != OWNER
]

OWNED = [
    pytest.param(position, id=str(wanted.key))
    for position, wanted in enumerate(WANTED)
    if OWNER in wanted.values()
]


@pytest.fixture(scope="module")
def world(region: EmbeddedAws, aws: RecordedAws) -> Iterator[World]:
    """Apply one stack that all tests here tamper with."""
    made = World.of(region, aws, STACK, tags=TAGS)
    made.apply()
    yield made
    made.destroy()


@pytest.fixture(scope="module")
def wanted(world: World) -> list[Wanted]:
    """Say what the stack wants, in the order of WANTED."""
    found = {each.key: each.wanted for each in intentions(world.blueprint)}
    return [found[each.key] or each for each in WANTED]


@pytest.mark.parametrize(("position", "name"), PROPERTIES)
def test_what_is_changed_behind_our_back_is_shown_and_repaired(
    world: World, wanted: list[Wanted], position: int, name: str
) -> None:
    """The plan is that one property of that one resource, and empty once it is carried out."""
    key = wanted[position].key
    tamper(world, wanted[position], name)
    planned = world.plan()
    world.apply()
    assert differences(planned) == {
        (key, each) for each in COUPLED.get(f"{key.kind}:{name}", {name})
    }
    assert not world.plan().steps


@pytest.mark.parametrize("position", OWNED)
def test_what_another_stack_has_taken_over_is_touched_no_more(
    world: World, wanted: list[Wanted], position: int
) -> None:
    """The tag says whose it is: another name in it stops the run, until it is put back."""
    taken = wanted[position]
    tag_as(world, taken, "another-stack")
    refusals = world.plan().refusals
    tag_as(world, taken, STACK)
    assert taken.key in {each.key for each in refusals}
    assert not world.plan().steps


def tag_as(world: World, wanted: Wanted, stack: str) -> None:
    """Set the tag that says whose a resource is."""
    others = tuple(each for each in wanted.properties if each.name != OWNER)
    world.providers[wanted.key.kind].update(
        Wanted(wanted.key, (*others, Property(OWNER, stack))), [Change(OWNER, None, stack)]
    )


def differences(plan: Plan) -> set[tuple[Key, str]]:
    """Return which property of what the plan would change; nothing may be made or removed."""
    assert all(isinstance(step, Update) for step in plan.steps)
    return {
        (step.key, change.name)
        for step in plan.steps
        if isinstance(step, Update)
        for change in step.changes
    }
