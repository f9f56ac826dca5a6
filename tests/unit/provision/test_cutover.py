"""A cutover leaves no gap: not when it goes well, nor when it is cut, nor when one is broken."""

from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cutover_twin import EMPTY, STAFFED, WORKER, CutError, StackTwin

from provision.core.cutover import (
    LAUNCH_SECONDS,
    Blocked,
    Cutover,
    CutoverFacts,
    Done,
    Proofs,
    Prove,
    Resize,
    Step,
    Switch,
    Wait,
)
from provision.core.group import GroupFacts
from provision.cutover import CuttingOver
from provision.errors import PartialError, RefusedError
from provision.spec.blueprint import Consumer, Sizes

SIZES = Sizes(1, 1, 2)
LAMBDA, EC2 = Consumer.LAMBDA, Consumer.EC2
OTHER = {LAMBDA: EC2, EC2: LAMBDA}


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Move it."""
        self.now += seconds


def cut_over(stack: StackTwin, target: Consumer, clock: Clock | None = None) -> Clock:
    """Run one cutover to its end."""
    clock = clock or Clock()
    cutover = Cutover(target, SIZES, 90)
    CuttingOver(cutover, stack, clock.said.append, clock.sleep, lambda: clock.now).run()
    return clock


def stack_on(consumer: Consumer) -> StackTwin:
    """Return a stack that this one consumes."""
    return StackTwin() if consumer is EC2 else StackTwin(EMPTY, "Enabled", LAMBDA)


def assert_alone(stack: StackTwin, consumer: Consumer) -> None:
    """Demand that it consumes, alone and declared, and that nobody ever was missing."""
    assert stack.consumers == {consumer}
    assert stack.declared is consumer
    assert stack.gaps == []


def changes(stack: StackTwin) -> list[str]:
    """Return what was done, without the looks."""
    return [each for each in stack.calls if each != "look"]


def test_to_lambda_the_function_is_proven_before_the_instances_are_drained() -> None:
    """On, proven, declared, drained, and a last canary."""
    stack = stack_on(EC2)
    cut_over(stack, LAMBDA)
    assert changes(stack) == [
        "switch on",
        "prove lambda",
        "declare lambda",
        "resize 0",
        "prove whole",
    ]
    assert_alone(stack, LAMBDA)


def test_to_ec2_the_instances_are_proven_before_the_function_rests() -> None:
    """Declared first, so that no apply empties the group again; then as the other way round."""
    stack = stack_on(LAMBDA)
    cut_over(stack, EC2)
    assert changes(stack) == ["declare ec2", "resize 1", "prove ec2", "switch off", "prove whole"]
    assert_alone(stack, EC2)


@pytest.mark.parametrize("target", Consumer)
def test_what_is_done_already_is_only_proven(target: Consumer) -> None:
    """Run again, a cutover changes nothing and sends a canary."""
    stack = stack_on(target)
    cut_over(stack, target)
    assert changes(stack) == ["prove whole"]


@given(
    target=st.sampled_from(Consumer),
    cut_at=st.integers(1, 40),
    after=st.booleans(),
    settles=st.integers(1, 4),
    back=st.booleans(),
)
def test_cut_anywhere_it_goes_on_or_turns_back_without_a_gap(
    *, target: Consumer, cut_at: int, after: bool, settles: int, back: bool
) -> None:
    """The same command goes on, the opposite one turns back; somebody consumes all the while."""
    stack = stack_on(OTHER[target])
    stack.settles, stack.cut_at, stack.after = settles, cut_at, after
    with suppress(CutError):
        cut_over(stack, target)
    stack.cut_at = 0
    end = OTHER[target] if back else target
    cut_over(stack, end)
    assert_alone(stack, end)


@pytest.mark.parametrize("target", Consumer)
def test_an_incoming_one_that_moves_nothing_never_replaces_the_other(target: Consumer) -> None:
    """It is not proven, so the other one goes on, and the error says so."""
    stack = stack_on(OTHER[target])
    stack.broken = frozenset({target})
    with pytest.raises(PartialError, match="none was taken; whoever consumed before goes on"):
        cut_over(stack, target)
    assert OTHER[target] in stack.consumers
    assert stack.gaps == []


@pytest.mark.parametrize("target", Consumer)
def test_should_the_last_canary_fail_the_outgoing_one_is_brought_back(target: Consumer) -> None:
    """The incoming one broke after it was proven."""

    class Breaks(StackTwin):
        def prove(self, consumer: Consumer) -> str:
            told = super().prove(consumer)
            self.broken = frozenset({target})
            return told

    well = stack_on(OTHER[target])
    broken = Breaks(well.group, well.mapping, well.declared)
    with pytest.raises(PartialError, match="the other consumer was brought back"):
        cut_over(broken, target)
    for _ in range(20):
        broken.look()
    assert broken.consumers == {EC2, LAMBDA}
    assert broken.gaps == []


@pytest.mark.parametrize(
    ("target", "facts", "hint"),
    [
        (LAMBDA, CutoverFacts(EC2, "", STAFFED), "[lambda]"),
        (EC2, CutoverFacts(LAMBDA, "Enabled", None), "ami bake"),
        (LAMBDA, CutoverFacts(EC2, "Disabled", STAFFED, refreshing=True), "status --watch"),
        (EC2, CutoverFacts(LAMBDA, "Enabled", EMPTY, refreshing=True), "status --watch"),
    ],
)
def test_what_cannot_begin_says_what_to_do_first(
    target: Consumer, facts: CutoverFacts, hint: str
) -> None:
    """No function, no group, or a refresh that would be disturbed."""
    step = Cutover(target, SIZES, 90).next_step(facts, Proofs())
    assert isinstance(step, Blocked)
    assert hint in step.hint


def test_a_blocked_cutover_is_refused() -> None:
    """Nothing was changed."""
    stack = StackTwin(mapping="")
    with pytest.raises(RefusedError, match="no function"):
        cut_over(stack, LAMBDA)
    assert changes(stack) == []


def test_a_stack_without_a_group_can_be_cut_over_to_lambda() -> None:
    """As before the first AMI."""
    stack = StackTwin(group=None)
    cut_over(stack, LAMBDA)
    assert stack.consumers == {LAMBDA}
    assert stack.declared is LAMBDA


def test_instances_that_never_come_are_not_waited_for_for_ever() -> None:
    """The reason of the failed launch is told, and the function goes on."""

    class NoCapacity(StackTwin):
        def look(self) -> CutoverFacts:
            facts = replace(super().look(), group=replace(EMPTY, minimum=1, desired=1, maximum=2))
            return replace(facts, trouble="no capacity in us-east-2a")

    stack, clock = NoCapacity(EMPTY, "Enabled", EC2), Clock()
    with pytest.raises(PartialError, match="no capacity in us-east-2a") as stopped:
        cut_over(stack, EC2, clock)
    assert "`provision cutover ec2` goes on" in stopped.value.hint
    assert LAUNCH_SECONDS < clock.now < LAUNCH_SECONDS + 60
    assert stack.consumers == {LAMBDA}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (replace(STAFFED, minimum=0, desired=0, maximum=0), Resize(SIZES)),
        (replace(STAFFED, minimum=0), Resize(SIZES)),
        (replace(STAFFED, desired=2, maximum=5), Resize(Sizes(1, 2, 2))),
        (replace(STAFFED, desired=2, instances=(WORKER, WORKER)), Prove(EC2)),
    ],
)
def test_rule_39_the_sizes_are_the_files_and_desired_is_the_scalers(
    group: GroupFacts, expected: Step
) -> None:
    """More instances that the scaler wanted stay, within the file's maximum."""
    facts = CutoverFacts(EC2, "Enabled", group)
    assert Cutover(EC2, SIZES, 90).next_step(facts, Proofs()) == expected


def test_a_minimum_of_zero_still_brings_one_instance() -> None:
    """Or nobody could be proven."""
    for group in (EMPTY, replace(EMPTY, maximum=2)):
        facts = CutoverFacts(EC2, "Enabled", group)
        step = Cutover(EC2, Sizes(0, 0, 2), 90).next_step(facts, Proofs())
        assert step == Resize(Sizes(0, 1, 2))


@pytest.mark.parametrize("state", ["Creating", "Enabling", "Disabling", "Updating"])
def test_rule_47_a_mapping_that_changes_is_waited_for(state: str) -> None:
    """Lambda refuses another change meanwhile."""
    facts = CutoverFacts(EC2, state, STAFFED)
    step = Cutover(LAMBDA, SIZES, 90).next_step(facts, Proofs())
    assert isinstance(step, Wait)
    assert state in step.what


def test_the_steps_to_lambda_and_their_ends() -> None:
    """A table of what follows from what."""
    to_lambda = Cutover(LAMBDA, SIZES, 90)
    drained = CutoverFacts(LAMBDA, "Enabled", EMPTY)
    assert to_lambda.next_step(CutoverFacts(EC2, "Disabled", STAFFED), Proofs()) == Switch(
        enabled=True
    )
    assert to_lambda.next_step(drained, Proofs(whole=True)) == Done()
    leaving = replace(EMPTY, instances=(replace(WORKER, lifecycle_state="Terminating:Wait"),))
    step = to_lambda.next_step(replace(drained, group=leaving), Proofs())
    assert isinstance(step, Wait)
    assert "i-1 (Terminating:Wait)" in step.what
