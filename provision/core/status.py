"""How a stack is doing at one moment, and what an operator must know of it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from provision.core.finding import Finding, failure, ok, warning
from provision.core.group import GroupFacts
from provision.core.refresh import Refresh, judge_end
from provision.spec.blueprint import Consumer

RECENT: Final = timedelta(hours=1)
"""A launch that failed longer ago is history; it stays among the activities."""


RESTS: Final = "no worker runs, as minimum = 0 in the stack file allows"
WAKE: Final = "say minimum = 1 and desired = 1 there, and `provision apply` starts one"


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """Messages in the queue; `oldest_seconds` None where CloudWatch tells nothing (rule 31)."""

    waiting: int
    in_flight: int
    oldest_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TwinFacts:
    """The function's State and its mapping's, in Lambda's words; "" for a mapping that is not."""

    function_state: str
    mapping_state: str


@dataclass(frozen=True, slots=True)
class ActivityFacts:
    """One scaling activity; `message` is why it failed (rule 35)."""

    started: datetime
    status: str
    description: str
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the group could not do it."""
        return self.status in {"Failed", "Cancelled"}


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """One alarm of the stack: OK, ALARM or INSUFFICIENT_DATA, and since when.

    `reason` is CloudWatch's, `description` ours: what to do about it.
    """

    name: str
    state: str
    since: datetime | None = None
    reason: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class StackFacts:
    """A stack at one moment. None, or nothing, for what does not exist (yet).

    `declared` is who was cut over to, `template_default` the launch template's default version;
    activities stand newest first.
    """

    at: datetime
    declared: Consumer = Consumer.EC2
    queue: QueueFacts | None = None
    dead_letters: int | None = None
    group: GroupFacts | None = None
    refresh: Refresh | None = None
    template_default: str = ""
    activities: tuple[ActivityFacts, ...] = ()
    twin: TwinFacts | None = None
    alarms: tuple[AlarmFacts, ...] = ()


def consumers(facts: StackFacts) -> frozenset[Consumer]:
    """Return who takes messages at this moment."""
    found = set[Consumer]()
    if facts.group is not None and facts.group.in_service:
        found.add(Consumer.EC2)
    if facts.twin is not None and _polls(facts.twin.mapping_state, facts.declared):
        found.add(Consumer.LAMBDA)
    return frozenset(found)


def _polls(mapping_state: str, declared: Consumer) -> bool:
    if mapping_state == "Updating":  # of either kind: Lambda does not tell which it was before
        return declared is Consumer.LAMBDA
    return mapping_state in {"Enabled", "Disabling"}


def judge(facts: StackFacts) -> tuple[Finding, ...]:
    """Return what an operator must know, who consumes first."""
    return (
        _who_consumes(facts),
        *_dead_letters(facts),
        *_alarms(facts),
        *judge_end(facts.group, facts.refresh, facts.template_default),
        *_launches(facts),
        *_suspended(facts),
    )


def _who_consumes(facts: StackFacts) -> Finding:
    found, declared = consumers(facts), facts.declared
    if facts.queue is None:
        return failure("consumer", "there is no queue yet", "`provision apply` makes the stack")
    if len(found) > 1:
        detail = f"both EC2 and Lambda consume, on the way to {named(declared)} or from it"
        return warning("consumer", detail, f"`provision cutover {declared}` brings it to an end")
    if not found:
        return _nobody(facts, facts.queue.waiting)
    (only,) = found
    if only is not declared:
        detail = f"{named(only)} consumes, though {named(declared)} was cut over to"
        return warning("consumer", detail, f"`provision cutover {declared}` brings it to an end")
    return ok("consumer", f"{named(only)} consumes")


def _nobody(facts: StackFacts, waiting: int) -> Finding:
    if facts.declared is Consumer.LAMBDA:
        hint = "`provision cutover lambda` turns the function on"
    elif facts.group is None:
        hint = "`provision ami bake` and `provision apply`, or `provision cutover lambda`"
    elif facts.group.rests:
        return warning("consumer", f"{RESTS}; messages waiting: {waiting}", WAKE)
    else:
        hint = "the scaling activities below say why no instance is in service"
    return failure("consumer", f"nobody consumes; messages waiting: {waiting}", hint)


def judge_twin(twin: TwinFacts | None) -> Finding:
    """Say whether the function consumes, as it should once it was cut over to."""
    if twin is None:
        return failure("function", "is not there", "`provision apply`")
    seen = f"{twin.function_state}, its mapping {twin.mapping_state or 'not there'}"
    if (twin.function_state, twin.mapping_state) == ("Active", "Enabled"):
        return ok("function", seen)
    return failure("function", f"is {seen}", "`provision cutover lambda` turns it on")


def named(consumer: Consumer) -> str:
    """Return the consumer as people call it."""
    return "EC2" if consumer is Consumer.EC2 else "Lambda"


def _dead_letters(facts: StackFacts) -> Iterator[Finding]:
    if facts.dead_letters:
        detail = f"set aside: {facts.dead_letters}"
        yield failure("dead letters", detail, "`provision dlq list` says why")


def _alarms(facts: StackFacts) -> Iterator[Finding]:
    for each in facts.alarms:
        if each.state == "ALARM":
            yield failure(f"alarm {each.name}", each.reason or "in ALARM", each.description)


def _launches(facts: StackFacts) -> Iterator[Finding]:
    for each in facts.activities:
        if each.failed and facts.at - each.started < RECENT:
            told = each.message or each.description
            yield failure("scaling activity", told, "mend the cause; the group tries again")
            return


def _suspended(facts: StackFacts) -> Iterator[Finding]:
    if facts.group is not None and facts.group.suspended:
        detail = f"suspended: {', '.join(facts.group.suspended)}"
        yield warning("scaling processes", detail, "`aws autoscaling resume-processes`")
