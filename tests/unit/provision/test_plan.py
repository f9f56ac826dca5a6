"""Wanted and found become steps: the least that is needed, and nothing of anybody else's."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.provision_twin import KIND, Heard, Things

from provision.apply import apply, observe
from provision.core.plan import (
    Create,
    Intention,
    Note,
    Plan,
    Refusal,
    Remove,
    Update,
    make_plan,
    plan_one,
)
from provision.core.resource import (
    OWNER_TAG,
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    tag_properties,
)

STACK = "files"
KEY = Key(KIND, "a")
OURS = Found(STACK, {"Size": 1, "Colour": "red", f"tag:{OWNER_TAG}": STACK})

VALUES: st.SearchStrategy[Json] = st.one_of(
    st.integers(0, 3), st.sampled_from(["red", "blue"]), st.none()
)
NAMES = st.sampled_from(["a", "b", "c", "d"])
PROPERTIES: st.SearchStrategy[dict[str, Json]] = st.dictionaries(
    st.sampled_from(["Size", "Colour", "Shape"]), VALUES
)
OWNERS = st.sampled_from([STACK, "other", None])


def wanted(values: Mapping[str, Json], key: Key = KEY) -> Wanted:
    """Return a thing with these properties, and the stack's tag."""
    properties = [Property(name, value) for name, value in values.items()]
    return Wanted(key, (*properties, *tag_properties({OWNER_TAG: STACK})))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Intention], dict[Key, Found]]:
    """Draw what is wanted of some things, and what is found of these and of others."""
    intentions = []
    for name in draw(st.lists(NAMES, unique=True)):
        key, absent = Key(KIND, name), draw(st.booleans())
        intentions.append(Intention(key, None if absent else wanted(draw(PROPERTIES), key)))
    found = {}
    for name in draw(st.lists(NAMES, unique=True)):
        owner = draw(OWNERS)
        tag = {f"tag:{OWNER_TAG}": owner} if owner else {}
        found[Key(KIND, name)] = Found(owner, {**draw(PROPERTIES), **tag})
    return intentions, found


@pytest.mark.parametrize("want", [None, "wanted"])
@pytest.mark.parametrize("found", [None, OURS])
def test_what_waits_for_something_is_left_as_it_is_and_noted(
    want: str | None, found: Found | None
) -> None:
    """Without an AMI nothing is known of the group: the running instances must not go with it."""
    waits = Intention(KEY, wanted({"Size": 2}) if want else None, waits_for="an AMI")
    plan = make_plan([waits], {KEY: found}, stack=STACK)
    assert (plan.steps, plan.refusals) == ((), ())
    assert plan.notes == (Note(KEY, "an AMI"),)


def test_a_missing_thing_is_created() -> None:
    """Nothing there, something wanted."""
    want = wanted({"Size": 1})
    assert plan_one(Intention(KEY, want), None, stack=STACK) == Create(want)


def test_a_thing_as_wanted_needs_no_step() -> None:
    """Properties that nobody asked for are nobody's business."""
    assert plan_one(Intention(KEY, wanted({"Size": 1})), OURS, stack=STACK) is None


def test_each_difference_is_a_change_with_its_reason() -> None:
    """Only what differs is changed; before and after, why and what it disrupts are told."""
    size = Property("Size", 2, why="two is right", disrupts="naps")
    want = Wanted(KEY, (size, Property("Colour", "red")))
    change = Change("Size", before=1, after=2, why="two is right", disrupts="naps")
    assert plan_one(Intention(KEY, want), OURS, stack=STACK) == Update(want, (change,))


def test_ours_is_removed_when_it_is_wanted_no_more() -> None:
    """A setting that was switched off takes its resource away."""
    assert plan_one(Intention(KEY, None), OURS, stack=STACK) == Remove(KEY)


def test_what_is_not_ours_is_never_removed() -> None:
    """The same name without our tag: not a word about it, for nothing was wanted."""
    for owner in (None, "other"):
        assert plan_one(Intention(KEY, None), Found(owner, {}), stack=STACK) is None


def test_a_foreign_thing_of_that_name_is_refused_with_a_way_out() -> None:
    """The refusal names the very option that would take it over."""
    refused = plan_one(Intention(KEY, wanted({})), Found(None, {}), stack=STACK)
    assert isinstance(refused, Refusal)
    assert "--adopt thing/a" in refused.hint


def test_a_thing_of_another_stack_cannot_be_adopted() -> None:
    """Adopting is for what is nobody's."""
    foreign, adopt = Found("other", {}), frozenset({KEY})
    refused = plan_one(Intention(KEY, wanted({})), foreign, stack=STACK, adopt=adopt)
    assert isinstance(refused, Refusal)
    assert "'other'" in refused.why


def test_an_adopted_thing_is_tagged_like_our_own() -> None:
    """Consent turns the refusal into the change of its tag."""
    adopted = plan_one(
        Intention(KEY, wanted({})), Found(None, {}), stack=STACK, adopt=frozenset({KEY})
    )
    assert isinstance(adopted, Update)
    assert [change.name for change in adopted.changes] == [f"tag:{OWNER_TAG}"]


def test_what_aws_cannot_change_is_refused_and_not_tried() -> None:
    """A fixed property that differs stops the run before anything is changed."""
    want = Wanted(KEY, (Property("Size", 2, why="sizes are for ever", fixed=True),))
    refused = plan_one(Intention(KEY, want), OURS, stack=STACK)
    assert isinstance(refused, Refusal)
    assert "Size is 1" in refused.why
    assert "sizes are for ever" in refused.why


def test_removals_come_first_and_backwards() -> None:
    """What was made last goes first, and before anything new is made."""
    keys = [Key(KIND, name) for name in "abc"]
    intentions = [Intention(keys[0], None), Intention(keys[1], wanted({}, keys[1]))]
    intentions.append(Intention(keys[2], None))
    ours = {keys[0]: OURS, keys[2]: OURS}
    plan = make_plan(intentions, ours, stack=STACK)
    assert [type(step) for step in plan.steps] == [Remove, Remove, Create]
    assert [step.key.name for step in plan.steps] == ["c", "a", "b"]


@given(worlds())
def test_a_plan_that_was_carried_out_leaves_nothing_to_plan(
    world: tuple[list[Intention], dict[Key, Found]],
) -> None:
    """Whatever is wanted and found: one apply is enough, and refusals alone remain."""
    intentions, found = world
    things = Things(dict(found))
    plan = make_plan(intentions, found, stack=STACK)
    apply(plan, {KIND: things}, stack=STACK, progress=Heard(), sleep=lambda _: None)
    again = make_plan(intentions, observe(intentions, {KIND: things}), stack=STACK)
    assert again == Plan((), plan.refusals)


@given(worlds())
def test_nothing_of_anybody_else_is_touched(
    world: tuple[list[Intention], dict[Key, Found]],
) -> None:
    """Things without our tag, and things that no intention names, stay as they are."""
    intentions, found = world
    things = Things(dict(found))
    plan = make_plan(intentions, found, stack=STACK)
    apply(plan, {KIND: things}, stack=STACK, progress=Heard(), sleep=lambda _: None)
    named = {each.key for each in intentions}
    others = {key: each for key, each in found.items() if each.owner != STACK or key not in named}
    assert {key: things.found.get(key) for key in others} == others


def test_what_is_barred_cannot_even_be_adopted() -> None:
    """Another account's bucket stays another account's; the operator chooses another name."""
    key = Key("bucket", "taken")
    found = Found(None, barred="the name is another AWS account's")
    plan = make_plan(
        [Intention(key, Wanted(key, ()))],
        {key: found},
        stack="files",
        adopt=frozenset({key}),
    )
    assert plan.steps == ()
    assert plan.refusals == (
        Refusal(key, "the name is another AWS account's", "choose another name in the stack file"),
    )
