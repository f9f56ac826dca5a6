"""A destroy takes all that is ours, in an order that works, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from provision.core.plan import Remove
from provision.core.removal import plan_removal
from provision.core.resource import Found, Key

STACK = "files"
ORDER = ("notification", "queue", "bucket")
KEYS = st.builds(Key, st.sampled_from(ORDER), st.sampled_from("abc"))
FOUND = st.dictionaries(
    KEYS, st.one_of(st.none(), st.builds(Found, st.sampled_from([STACK, "other", None])))
)


def test_users_of_a_thing_go_before_the_thing() -> None:
    """Kinds go in the given order; within a kind the last made goes first."""
    keys = [Key("queue", "dlq"), Key("queue", "main"), Key("notification", "n")]
    removal = plan_removal({key: Found(STACK) for key in keys}, stack=STACK, order=ORDER)
    assert [step.key.name for step in removal.plan.steps] == ["n", "main", "dlq"]


def test_the_bucket_stays_unless_it_was_asked_for() -> None:
    """What is kept is told."""
    bucket = Key("bucket", "acme")
    removal = plan_removal({bucket: Found(STACK)}, stack=STACK, order=ORDER, keep=("bucket",))
    assert (removal.plan.steps, removal.kept) == ((), (bucket,))


@given(FOUND, st.sets(st.sampled_from(ORDER)))
def test_everything_that_is_there_goes_stays_or_is_not_ours(
    found: dict[Key, Found | None], keep: set[str]
) -> None:
    """Each key stands in exactly one of the three lists, by its owner and its kind alone."""
    removal = plan_removal(found, stack=STACK, order=ORDER, keep=keep)
    going = [step.key for step in removal.plan.steps]
    there = [key for key, each in found.items() if each is not None]
    assert sorted([*going, *removal.kept, *removal.foreign]) == sorted(there)
    assert all(found[key] == Found(STACK) for key in [*going, *removal.kept])
    assert not {key.kind for key in going} & keep
    assert all(isinstance(step, Remove) for step in removal.plan.steps)
