"""Whatever somebody changes behind our back, the plan shows it alone, and apply repairs it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from support.provision_world import World
from support.recorded_aws import RecordedAws
from support.stacks import a_blueprint
from support.tampering import COUPLED, tamper

from provision.core.plan import Plan, Update
from provision.core.resource import OWNER_TAG, REGION_TAG, Change, Key, Property, Wanted
from provision.resources.catalogue import intentions
from worker.demo.embedded.server import EmbeddedAws

STACK = "drift"
TAGS = {"cost-centre": "42"}
SHOWN = 1
"""So many properties of a kind are changed in the plain run, and all of them in the heavy one."""

OWNERSHIP = (f"tag:{OWNER_TAG}", f"tag:{REGION_TAG}")

WANTED = [each.wanted for each in intentions(a_blueprint(STACK, tags=TAGS)) if each.wanted]
"""Names alone are used of these: what surrounds the stack in the embedded AWS has other ids."""


def marked(wanted: Sequence[Wanted], names: Callable[[Wanted], Iterable[str]]) -> list[Any]:
    """Return a case for each name of each; what a kind has shown so often is heavy from then on."""
    seen: set[tuple[str, str]] = set()
    shown: Counter[str] = Counter()
    cases = []
    for position, each in enumerate(wanted):
        for name in names(each):
            again = (each.key.kind, name) in seen
            seen.add((each.key.kind, name))
            marks = [pytest.mark.heavy] if again or shown[each.key.kind] == SHOWN else []
            shown[each.key.kind] += not marks
            cases.append(pytest.param(position, name, id=f"{each.key}-{name}", marks=marks))
    return cases


def changeable(wanted: Wanted) -> list[str]:
    """Return the names of the properties that can differ without the resource being another's."""
    return [
        each.name for each in wanted.properties if not each.fixed and each.name not in OWNERSHIP
    ]


def ownership(wanted: Wanted) -> list[str]:
    """Return the tags that say whose it is, if it has any."""
    return [each for each in OWNERSHIP if each in wanted.values()]


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


@pytest.mark.parametrize(("position", "name"), marked(WANTED, changeable))
def test_what_is_changed_behind_our_back_is_shown_and_repaired(
    world: World, wanted: list[Wanted], position: int, name: str
) -> None:
    """The plan is that one property of that one resource, and empty once it is carried out."""
    key = wanted[position].key
    tamper(world, wanted[position], name)
    planned = world.plan()
    world.carry_out(planned)
    assert differences(planned) == {
        (key, each) for each in COUPLED.get(f"{key.kind}:{name}", {name})
    }
    assert not world.plan().steps


@pytest.mark.parametrize(("position", "name"), marked(WANTED, ownership))
def test_what_another_stack_has_taken_over_is_touched_no_more(
    world: World, wanted: list[Wanted], position: int, name: str
) -> None:
    """The tags say whose it is: another name or region in them stops the run, until it is back."""
    taken = wanted[position]
    set_property(world, taken, name, "another-stack")
    refusals = world.plan().refusals
    set_property(world, taken, name, str(taken.values()[name]))
    assert taken.key in {each.key for each in refusals}
    assert not world.plan().steps


def set_property(world: World, wanted: Wanted, name: str, value: str) -> None:
    """Write a property through its provider."""
    others = tuple(each for each in wanted.properties if each.name != name)
    world.providers[wanted.key.kind].update(
        Wanted(wanted.key, (*others, Property(name, value))), [Change(name, None, value)]
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
