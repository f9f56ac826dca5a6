"""A rollout from its start to its end, against a group's refreshes in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.core.finding import Level, failures
from provision.core.group import GroupFacts, InstanceFacts
from provision.core.refresh import UNDER_WAY, Next, Refresh, judge_end, judge_start, next_step
from provision.errors import ProvisionError
from provision.rollout import (
    LIMIT_SECONDS,
    CanaryFailedError,
    RolloutError,
    Target,
    no_canary,
    roll_out,
)

TARGET = Target("2", {"LaunchTemplate": {"LaunchTemplateName": "files-worker", "Version": "2"}})
STATUSES = [
    *sorted(UNDER_WAY),
    "Successful",
    "Failed",
    "Cancelled",
    "RollbackFailed",
    "RollbackSuccessful",
]


@dataclass
class RefreshesInMemory:
    """A refresh that takes one status after the other, a step a look; the last one stays."""

    statuses: list[str]
    found: Refresh | None = None
    calls: list[str] = field(default_factory=list)
    alarms: Sequence[str] = ()
    beaten_by: Refresh | None = None
    """What is under way when the rollout wants to start."""

    def latest(self) -> Refresh | None:
        """Return what is there before the rollout."""
        return self.found

    def find(self, refresh_id: str) -> Refresh:
        """Go one status on."""
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Refresh(refresh_id, status, "2")

    def start(self, configuration: object, alarms: Sequence[str]) -> str | None:
        """Note what was started."""
        assert configuration == TARGET.configuration
        self.alarms = alarms
        self.calls.append("start")
        self.found = self.beaten_by
        return None if self.found else "new"

    def roll_back(self) -> None:
        """Turn round."""
        self.calls.append("roll back")
        self.statuses = ["RollbackInProgress", "RollbackSuccessful"]


def run(
    refreshes: RefreshesInMemory, canary: Callable[[], str | None] = no_canary
) -> list[tuple[str, float]]:
    """Roll out; return what was waited for."""
    waited: list[tuple[str, float]] = []
    roll_out(
        refreshes,
        TARGET,
        alarms=("dlq",),
        pause=lambda why, seconds: waited.append((why, seconds)),
        canary=canary,
    )
    return waited


def test_a_rollout_waits_to_its_end_and_tells_how_it_goes() -> None:
    """The operator sees each status; the alarms watch over it."""
    refreshes = RefreshesInMemory(["Pending", "InProgress", "Baking", "Successful"])
    told = [why for why, _ in run(refreshes)]
    assert told == ["refresh Pending, 0 %", "refresh InProgress, 0 %"]
    assert refreshes.calls == ["start"]
    assert refreshes.alarms == ("dlq",)


def test_the_canary_flies_once_while_the_refresh_bakes() -> None:
    """All instances are new then, and it can still be turned back."""
    flights: list[int] = []
    refreshes = RefreshesInMemory(["InProgress", "Baking", "Baking", "Baking", "Successful"])

    def canary() -> None:
        flights.append(len(refreshes.statuses))

    run(refreshes, canary)
    assert flights == [3]


def test_a_canary_that_fails_turns_the_refresh_back() -> None:
    """The rollout ends as failed, for the canary's reason, with all instances the old ones."""
    refreshes = RefreshesInMemory(["InProgress", "Baking", "Successful"])
    with pytest.raises(RolloutError, match="it is stuck; refresh RollbackSuccessful") as told:
        run(refreshes, lambda: "it is stuck")
    assert refreshes.calls == ["start", "roll back"]
    assert "old ones again" in told.value.hint


def test_rule_26_a_refresh_that_is_over_is_not_turned_back_but_rolled_forward() -> None:
    """A canary that fails too late is told apart: whoever called rolls forward to the old one."""
    refreshes = RefreshesInMemory(["Successful"])
    with pytest.raises(CanaryFailedError, match="it is stuck") as told:
        run(refreshes, lambda: "it is stuck")
    assert told.value.is_over
    assert refreshes.calls == ["start"]


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"])
def test_a_rollout_that_aws_ended_is_an_error_with_the_next_command(status: str) -> None:
    """Also if an alarm rolled it back behind our back."""
    with pytest.raises(RolloutError, match=status) as told:
        run(RefreshesInMemory(["InProgress", status]))
    assert "provision rollout" in told.value.hint


def test_a_refresh_to_the_same_version_is_gone_on_with() -> None:
    """Cut off and run again: no second refresh is started."""
    refreshes = RefreshesInMemory(["Successful"], Refresh("old", "InProgress", "2"))
    run(refreshes)
    assert refreshes.calls == []


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (Refresh("old", "InProgress", "7"), "to template version 7"),
        (Refresh("old", "RollbackInProgress", "2"), "on its way back"),
        (Refresh("old", "Cancelling", "2"), "on its way back"),
    ],
)
def test_another_refresh_under_way_is_left_alone(found: Refresh, what: str) -> None:
    """Whoever started it has to end it."""
    refreshes = RefreshesInMemory(["Successful"], found)
    with pytest.raises(ProvisionError, match=what):
        run(refreshes)
    assert refreshes.calls == []


def test_a_refresh_whose_start_had_no_answer_is_gone_on_with() -> None:
    """AWS says that one is under way, and it is ours: botocore asked twice."""
    ours = Refresh("new", "Pending", "2")
    refreshes = RefreshesInMemory(["InProgress", "Successful"], beaten_by=ours)
    assert run(refreshes)
    assert refreshes.calls == ["start"]


def test_who_comes_second_hears_of_the_other_s_refresh() -> None:
    """Two operators at one moment: between the look and the start came somebody else's."""
    refreshes = RefreshesInMemory(["Successful"], beaten_by=Refresh("old", "InProgress", "7"))
    with pytest.raises(ProvisionError, match="to template version 7"):
        run(refreshes)


def test_a_refresh_that_is_over_is_no_obstacle() -> None:
    """The newest of AWS's list may be months old."""
    refreshes = RefreshesInMemory(["Successful"], Refresh("old", "Successful", "1"))
    run(refreshes)
    assert refreshes.calls == ["start"]


def test_a_rollout_is_bounded() -> None:
    """One that never ends is given up, with how to go on watching."""
    waited: list[float] = []
    refreshes = RefreshesInMemory(["InProgress"])
    with pytest.raises(ProvisionError) as told:
        roll_out(refreshes, TARGET, alarms=(), pause=lambda _, seconds: waited.append(seconds))
    assert sum(waited) == LIMIT_SECONDS
    assert "provision rollout" in told.value.hint


@given(status=st.sampled_from(STATUSES), canary_flown=st.booleans())
def test_every_status_has_a_next_step_and_only_success_is_done(
    status: str, *, canary_flown: bool
) -> None:
    """Under way: wait; never done before the canary has flown."""
    step = next_step(Refresh("r", status), canary_flown=canary_flown)
    assert (step is Next.DONE) == (status == "Successful" and canary_flown)
    assert (step is Next.FAILED) == (status not in {*UNDER_WAY, "Successful"})
    if status in UNDER_WAY:
        assert step in {Next.WAIT, Next.FLY_CANARY}


MEMBER = InstanceFacts("i-1", "us-east-2a", "InService", "Healthy", "t3.small", "1")
GROUP = GroupFacts("files-workers", 1, 1, 2, "1", (MEMBER,))


def test_rule_27_there_has_to_be_room_for_a_successor() -> None:
    """Desired at its maximum is refused, unless there is no instance to lose."""
    assert not failures(judge_start(GROUP, ()))
    [full] = failures(judge_start(replace(GROUP, desired=2), ()))
    assert "rule 27" in full.detail
    assert "maximum" in full.hint
    empty = replace(GROUP, desired=0, maximum=0, instances=())
    assert not list(judge_start(empty, ()))


@pytest.mark.parametrize(
    ("status", "brought", "default", "own", "left"),
    [
        ("RollbackSuccessful", "2", "2", "1", True),
        ("RollbackFailed", "2", "2", "1", True),
        ("Failed", "2", "2", "1", True),
        ("Cancelled", "2", "2", "1", False),  # somebody's will, and no fault of the version
        ("InProgress", "2", "2", "1", False),
        ("Successful", "2", "2", "2", False),
        ("RollbackSuccessful", "2", "1", "1", False),  # settled
        ("RollbackSuccessful", "2", "3", "1", False),  # there is a third, not tried yet
        ("RollbackSuccessful", "1", "2", "2", False),  # a rollback that failed
        ("Failed", "2", "2", "$Latest", False),
    ],
)
def test_a_version_that_failed_when_nobody_watched_is_to_be_taken_back(
    status: str, brought: str, default: str, own: str, *, left: bool
) -> None:
    """As long as it is what the next apply would bring; the way back is named."""
    group = replace(GROUP, template_version=own)
    found = list(judge_end(group, Refresh("r", status, brought), default))
    assert bool(failures(found)) == left
    assert all("`provision rollback`" in each.hint for each in found)


def test_rule_28_what_would_stall_a_refresh_is_found_before() -> None:
    """Suspended processes stop it, instances in Standby are passed over, ringing alarms useless."""
    suspended = replace(GROUP, suspended=("Launch", "AZRebalance"))
    [stalled] = failures(judge_start(suspended, ()))
    assert stalled.detail.startswith("Launch suspended")
    standby = replace(GROUP, instances=(replace(MEMBER, lifecycle_state="Standby"),))
    levels = [each.level for each in judge_start(standby, ("dlq",))]
    assert levels == [Level.WARNING, Level.WARNING]


@pytest.mark.parametrize(
    ("state", "alike"), [("InService", False), ("Pending", False), ("Terminating:Wait", True)]
)
def test_an_instance_on_its_way_out_is_not_replaced_once_more(state: str, *, alike: bool) -> None:
    """A rollback behind it has nothing to do, and need not bake a refresh for minutes."""
    other = replace(MEMBER, id="i-2", lifecycle_state=state, template_version="2")
    assert replace(GROUP, instances=(MEMBER, other)).is_all_of("1") == alike
