"""A plan is carried out step by step, with patience, and stops where it must."""

import pytest
from support.provision_twin import KIND, OURS, Heard, Things, refusal

from provision.apply import Applied, apply
from provision.aws.patience import LONG_PATIENCE_SECONDS, PATIENCE_SECONDS
from provision.core.plan import Create, Plan, Remove, Update
from provision.core.resource import Change, Found, Key, Property, Wanted
from provision.errors import ProvisionError, RefusedError

A, B, C = (Key(KIND, name) for name in "abc")
NOT_YET = refusal("ValidationError", "Invalid IAM Instance Profile name")


def wanted(key: Key, size: int = 1) -> Wanted:
    """Return a thing of ours of this size."""
    return Wanted(key, (Property("Size", size), *(Property(n, v) for n, v in OURS.items())))


CREATE_ALL = Plan(tuple(Create(wanted(key)) for key in (A, B, C)))


class World:
    """Things, a progress that remembers, and a sleep that counts."""

    def __init__(self, *refusals: BaseException, after: bool = False) -> None:
        self.things = Things(refusals=list(refusals), after=after)
        self.heard = Heard()
        self.slept = 0.0

    def apply(self, plan: Plan) -> Applied:
        """Carry the plan out here."""
        return apply(
            plan, {KIND: self.things}, stack="files", progress=self.heard, sleep=self._sleep
        )

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds


def test_steps_are_taken_in_order_and_told() -> None:
    """Each step is announced before, and confirmed after."""
    world = World()
    assert world.apply(CREATE_ALL) == Applied(CREATE_ALL.steps)
    assert world.things.changed == ["create a", "create b", "create c"]
    assert world.heard.lines[:3] == ["begins a", "ends a", "begins b"]


def test_a_refusal_stops_the_run_and_says_what_remains() -> None:
    """The step that failed is the first of what remains; what was done is not undone."""
    denied = refusal("AccessDenied")
    world = World()
    world.things.refusals = []
    first = world.apply(Plan(CREATE_ALL.steps[:1]))
    world.things.refusals = [denied]
    rest = world.apply(Plan(CREATE_ALL.steps[1:]))
    assert first.error is None
    assert rest == Applied((), CREATE_ALL.steps[1:], denied)
    assert world.things.changed == ["create a"]


def test_rule_01_03_what_passes_by_itself_is_waited_for_and_said() -> None:
    """Three refusals of IAM's kind: waited for at rule 3's cadence, the reason on screen."""
    world = World(NOT_YET, NOT_YET, NOT_YET)
    assert world.apply(Plan(CREATE_ALL.steps[:1])).error is None
    assert world.slept == 0.25 + 0.5 + 1.0
    assert world.heard.lines[1] == "waits 0.25: the profile is not visible yet"


def test_rule_03_patience_has_an_end() -> None:
    """AWS that never comes round is not waited for for ever; its own words are the error."""
    world = World(*[NOT_YET] * 1000)
    assert world.apply(Plan(CREATE_ALL.steps[:1])).error is NOT_YET
    assert PATIENCE_SECONDS <= world.slept < PATIENCE_SECONDS + 3


def test_rule_13_a_queue_name_in_use_is_waited_for_longer() -> None:
    """Sixty seconds by the book: the usual patience would be over too soon."""
    recent = refusal("AWS.SimpleQueueService.QueueDeletedRecently", "wait 60 seconds")
    world = World(*[recent] * 1000)
    assert world.apply(Plan(CREATE_ALL.steps[:1])).error is recent
    assert LONG_PATIENCE_SECONDS <= world.slept < LONG_PATIENCE_SECONDS + 3


def test_a_try_that_worked_although_it_was_refused_is_not_repeated() -> None:
    """After a refusal the step is planned anew: what is there already is not created twice."""
    world = World(NOT_YET, after=True)
    assert world.apply(Plan(CREATE_ALL.steps[:1])).error is None
    assert world.things.changed == ["create a"]


def test_a_half_made_thing_is_finished_and_not_made_again() -> None:
    """Created in the first try, but smaller than wanted: the second try changes its size."""
    world = World()
    world.things.found[A] = Found("files", {"Size": 0, **OURS})
    world.things.refusals = [NOT_YET]
    assert world.apply(Plan(CREATE_ALL.steps[:1])).error is None
    assert world.things.changed == ["update a"]


@pytest.mark.parametrize(
    "code", ["EntityAlreadyExists", "BucketAlreadyOwnedByYou", "InvalidGroup.Duplicate"]
)
def test_what_was_made_by_a_request_without_an_answer_is_ours(code: str) -> None:
    """Botocore sends it again, AWS says that it is there: we look, and find it as it should be."""
    world = World(refusal(code), after=True)
    assert world.apply(CREATE_ALL) == Applied(CREATE_ALL.steps)
    assert world.things.changed == ["create a", "create b", "create c"]


def test_what_went_by_a_request_without_an_answer_is_gone() -> None:
    """Whatever AWS calls it: the second request cannot find it any more."""
    world = World(refusal("ValidationError", "not found"), after=True)
    world.things.found = {A: Found("files", {**OURS})}
    assert world.apply(Plan((Remove(A),))).error is None
    assert world.things.changed == ["delete a"]


@pytest.mark.parametrize("owner", [None, "other"])
def test_what_somebody_else_makes_meanwhile_is_neither_taken_nor_passed_over(
    owner: str | None,
) -> None:
    """Nobody consented to taking over what was not there when the plan was shown."""
    world = World()
    world.things.found[A] = Found(owner, {"Size": 1})
    world.things.refusals = [NOT_YET]
    applied = world.apply(Plan(CREATE_ALL.steps[:1]))
    assert isinstance(applied.error, RefusedError)
    assert world.things.changed == []


def test_an_update_and_a_removal_wait_as_well() -> None:
    """Patience is not for creating alone."""
    world = World()
    world.things.found = {A: Found("files", {"Size": 0, **OURS}), B: Found("files", {**OURS})}
    world.things.refusals = [NOT_YET]
    update = Update(wanted(A), (Change("Size", 0, 1),))
    assert world.apply(Plan((update,))).error is None
    world.things.refusals = [refusal("ResourceInUse")]
    assert world.apply(Plan((Remove(B),))).error is None
    assert world.things.changed == ["update a", "delete b"]


@pytest.mark.parametrize("stop", [ProvisionError("the canary died"), KeyboardInterrupt()])
def test_an_interrupt_or_a_fault_of_ours_ends_like_a_refusal(stop: BaseException) -> None:
    """Ctrl-C between two calls leaves a run that says what remains."""
    applied = World(stop).apply(CREATE_ALL)
    assert applied.remaining == CREATE_ALL.steps
    assert isinstance(applied.error, ProvisionError | InterruptedError)
