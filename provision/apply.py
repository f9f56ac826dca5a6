"""Looks at what is, and carries a plan out, one resource after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import ClientError

from provision.aws.patience import Patience
from provision.aws.refusals import STOPS
from provision.core.plan import Create, Intention, Plan, Refusal, Remove, Step, Update, plan_one
from provision.core.resource import Found, Key, Provider
from provision.errors import ProvisionError, RefusedError


class Progress(Protocol):
    """Who is told how it goes."""

    def begins(self, step: Step) -> None:
        """Hear that a step is about to be taken."""

    def waits(self, why: str, seconds: float) -> None:
        """Hear that AWS needs a moment, after which the step is tried again."""

    def ends(self, step: Step) -> None:
        """Hear that the step is done."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a plan; `error` is what stopped it at `remaining[0]`."""

    done: tuple[Step, ...]
    remaining: tuple[Step, ...] = ()
    error: Exception | None = None


def observe(
    intentions: Sequence[Intention], providers: Mapping[str, Provider]
) -> dict[Key, Found | None]:
    """Look at every resource; describe, get and list calls only."""
    return {each.key: providers[each.key.kind].observe(each.key) for each in intentions}


def apply(
    plan: Plan,
    providers: Mapping[str, Provider],
    *,
    stack: str,
    progress: Progress,
    sleep: Callable[[float], None],
) -> Applied:
    """Take the plan's steps in order; stops at the first that AWS refuses for good.

    Nothing is undone then: the next run finds what was made, and goes on from there.
    """
    taker = _Taker(providers, stack, Patience(sleep, progress.waits))
    for position, step in enumerate(plan.steps):
        try:
            progress.begins(step)
            taker.take(step)
            progress.ends(step)
        except (*STOPS, ProvisionError, KeyboardInterrupt) as error:
            stopped = error if isinstance(error, Exception) else InterruptedError("interrupted")
            return Applied(plan.steps[:position], plan.steps[position:], stopped)
    return Applied(plan.steps)


class _Taker:
    """Takes one step; after a refusal half-way it plans the rest from what is there by then."""

    def __init__(self, providers: Mapping[str, Provider], stack: str, patience: Patience) -> None:
        self._providers = providers
        self._stack = stack
        self._patience = patience

    def take(self, step: Step) -> None:
        tries = iter([step])
        self._patience.call(lambda: self._try(next(tries, None) or self._again(step)))

    def _try(self, step: Step | None) -> None:
        if step is None:
            return
        provider = self._providers[step.key.kind]
        if isinstance(step, Create):
            provider.create(step.wanted)
        elif isinstance(step, Update):
            provider.update(step.wanted, step.changes)
        else:
            self._remove(provider, step.key)

    @staticmethod
    def _remove(provider: Provider, key: Key) -> None:
        try:
            provider.delete(key)
        except ClientError:
            # It may have gone by a call whose answer was lost, and AWS cannot find it any more.
            if provider.observe(key) is not None:
                raise

    def _again(self, step: Step) -> Step | None:
        found = self._providers[step.key.kind].observe(step.key)
        wanted = None if isinstance(step, Remove) else step.wanted
        # Consent was asked for what was there before the first try, and for nothing else.
        adopt = frozenset({step.key} if isinstance(step, Update) else ())
        planned = plan_one(Intention(step.key, wanted), found, stack=self._stack, adopt=adopt)
        if isinstance(planned, Refusal):
            raise RefusedError(f"{planned.key} {planned.why}", planned.hint)
        return planned
