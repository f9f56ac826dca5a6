"""Carries a cutover out: looks, takes the next step, and looks again, until it is done."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from provision.canary import CanaryError
from provision.core.cutover import (
    Blocked,
    Cutover,
    CutoverFacts,
    Declare,
    Done,
    Proofs,
    Prove,
    ProveWhole,
    Resize,
    Step,
    Switch,
    Wait,
)
from provision.core.status import named
from provision.errors import PartialError, RefusedError
from provision.spec.blueprint import Consumer, Sizes

LOOK_SECONDS: Final = 5.0


class Hands(Protocol):
    """What a cutover does in AWS; all raise botocore's ClientError."""

    def look(self) -> CutoverFacts:
        """Return what is there at this moment."""

    def switch(self, *, enabled: bool) -> None:
        """Turn the function's mapping on or off; returns while it changes."""

    def declare(self, consumer: Consumer) -> None:
        """Write down who is to consume."""

    def resize(self, sizes: Sizes) -> None:
        """Set the group's sizes."""

    def prove(self, consumer: Consumer) -> str:
        """Show that the consumer takes messages; returns how. Raises CanaryError."""

    def prove_whole(self) -> str:
        """Send a canary from end to end; returns how it went. Raises CanaryError."""


@dataclass
class CuttingOver:
    """One run. `say` hears what happens; `sleep` and `clock` in seconds."""

    cutover: Cutover
    hands: Hands
    say: Callable[[str], None]
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    _proofs: Proofs = field(default_factory=Proofs)
    _waiting_for: str = ""
    _waiting_since: float = 0.0

    def run(self) -> None:
        """Go on until the target consumes alone.

        Raises RefusedError if it cannot begin, PartialError if it stopped half-way: the same
        command goes on from there, and meanwhile somebody consumes, if anybody did before.
        """
        while not isinstance(step := self._next(), Done):
            self._take(step)
        self.say(f"{named(self.cutover.target)} consumes, alone")

    def _next(self) -> Step:
        return self.cutover.next_step(self.hands.look(), self._proofs)

    def _take(self, step: Step) -> None:
        if isinstance(step, Wait):
            self._wait(step)
            return
        self._waiting_for = ""
        if isinstance(step, Blocked):
            raise RefusedError(step.why, step.hint)
        if isinstance(step, Switch):
            self.say(f"turning Lambda {'on' if step.enabled else 'off'}")
            self.hands.switch(enabled=step.enabled)
        elif isinstance(step, Declare):
            self.hands.declare(step.consumer)
            self.say(f"from now on {named(step.consumer)} is to consume")
        elif isinstance(step, Resize):
            self.say(f"setting the group to {_told(step.sizes)}")
            self.hands.resize(step.sizes)
        elif isinstance(step, Prove):
            self._prove(step.consumer)
        elif isinstance(step, ProveWhole):
            self._prove_whole()

    def _wait(self, step: Wait) -> None:
        """Wait for one thing for its time at most, however its text changes meanwhile."""
        if step.kind != self._waiting_for:
            self._waiting_for, self._waiting_since = step.kind, self.clock()
        if self.clock() - self._waiting_since > step.seconds:
            raise PartialError(
                f"still waiting after {step.seconds:.0f} s: {step.what}", self._again()
            )
        self.say(f"waiting: {step.what}")
        self.sleep(LOOK_SECONDS)

    def _prove(self, consumer: Consumer) -> None:
        self.say(f"sending canaries, until {named(consumer)} takes one")
        try:
            self.say(self.hands.prove(consumer))
        except CanaryError as error:
            raise PartialError(f"{error}; whoever consumed before goes on", error.hint) from error
        self._proofs = replace(self._proofs, incoming=True)

    def _prove_whole(self) -> None:
        self.say("sending a last canary")
        try:
            self.say(self.hands.prove_whole())
        except CanaryError as error:
            self._bring_back()
            raise PartialError(
                f"{error}; the other consumer was brought back", error.hint
            ) from error
        self._proofs = replace(self._proofs, whole=True)

    def _bring_back(self) -> None:
        """Turn the outgoing consumer on again, beside the incoming one."""
        if self.cutover.target is Consumer.EC2:
            self.hands.switch(enabled=True)
            return
        self.hands.declare(Consumer.EC2)
        if self.hands.look().group is not None:
            self.hands.resize(self.cutover.sizes)

    def _again(self) -> str:
        return f"look at `provision status`; {again(self.cutover.target)}"


def again(target: Consumer) -> str:
    """Say how a cutover that stopped half-way is gone on with."""
    return f"`provision cutover {target}` goes on from there, and leaves no gap"


def _told(sizes: Sizes) -> str:
    return f"minimum {sizes.minimum}, desired {sizes.desired}, maximum {sizes.maximum}"
