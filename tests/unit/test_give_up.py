"""Whether an instance whose worker keeps failing is replaced: where a new one may do better."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.aws.autoscaling import GroupMember
from worker.host.give_up import YOUNGEST_SECONDS, Ending, Replace, Stay, judge, stays_for

OLD = YOUNGEST_SECONDS * 24
MEMBER = GroupMember("i-0123456789abcdef0", "workers", "InService")
STALLED = Ending("watchdog", "ABRT")

endings = st.builds(
    Ending,
    st.sampled_from(["exit-code", "signal", "core-dump", "watchdog", "timeout", "oom-kill"]),
    st.integers(0, 255).map(str),
)


@pytest.mark.parametrize(
    "ending",
    [
        STALLED,
        Ending("exit-code", "1"),
        Ending("exit-code", "203"),
        Ending("signal", "KILL"),
        Ending("core-dump", "SEGV"),
        Ending("oom-kill", "KILL"),
        Ending("timeout", "TERM"),
        Ending("signal", "3"),  # not what systemd says, but no exit status either
    ],
    ids=str,
)
def test_a_fault_of_this_instance_has_it_replaced(ending: Ending) -> None:
    """Stalls, crashes, faults of ours; a signal's number is no exit status."""
    assert judge(ending, OLD, MEMBER) == Replace(f"the worker keeps failing: {ending}")


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("2", "settings cannot work"),
        ("3", "a permission or the queue is missing"),
        ("4", "access to the queue was lost"),
    ],
)
def test_what_a_new_instance_would_find_as_well_replaces_none(status: str, why: str) -> None:
    """A mistake in a policy must not cycle through the whole fleet."""
    decision = judge(Ending("exit-code", status), OLD, MEMBER)
    assert isinstance(decision, Stay)
    assert why in decision.why


@pytest.mark.parametrize("ending", [Ending("", ""), Ending("success", "0")], ids=repr)
def test_without_a_failure_nothing_happens(ending: Ending) -> None:
    """Begun by hand, it changes nothing, and asks nobody."""
    assert isinstance(stays_for(ending), Stay)


def test_outside_a_group_nobody_would_replace_it() -> None:
    """It stays, and is tried again."""
    assert judge(STALLED, OLD, None) == Stay(
        "the instance is in no Auto Scaling group that could replace it"
    )


@pytest.mark.parametrize("state", ["Terminating:Wait", "Standby", "Pending:Wait", "Detaching"])
def test_an_instance_on_its_way_out_or_set_aside_is_left_to_its_group(state: str) -> None:
    """Somebody has decided about it already."""
    decision = judge(STALLED, OLD, GroupMember("i-1", "workers", state))
    assert isinstance(decision, Stay)
    assert state in decision.why


@given(endings, st.floats(0, YOUNGEST_SECONDS, exclude_max=True))
def test_a_place_in_the_group_is_refilled_at_most_once_an_hour(
    ending: Ending, age_seconds: float
) -> None:
    """However it fails: a bad image is no storm."""
    assert isinstance(judge(ending, age_seconds, MEMBER), Stay)


@given(endings, st.floats(0, 1e9), st.sampled_from([None, MEMBER]))
def test_replacing_needs_every_reason_at_once(
    ending: Ending, age_seconds: float, member: GroupMember | None
) -> None:
    """A group, an age, and a fault of the instance's own."""
    replaced = isinstance(judge(ending, age_seconds, member), Replace)
    assert replaced == (
        member is not None
        and age_seconds >= YOUNGEST_SECONDS
        and (ending.result, ending.exit_status) not in {("exit-code", code) for code in "234"}
    )
