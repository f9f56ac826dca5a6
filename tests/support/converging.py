"""Plan and carry out what one resource needs, as `provision apply` does."""

from collections.abc import Callable

from provision.apply import apply
from provision.core.plan import Create, Intention, Plan, Remove, Step, Update, plan_one
from provision.core.resource import Key, Provider, Wanted
from support.provision_twin import Heard

STACK = "files"


def plan_for(provider: Provider, wanted: Wanted, stack: str = STACK) -> Step | None:
    """Compare what is wanted with what is there; AssertionError for a refusal."""
    step = plan_one(Intention(wanted.key, wanted), provider.observe(wanted.key), stack=stack)
    assert step is None or isinstance(step, Create | Update | Remove), step
    return step


def changed_names(step: Step | None) -> list[str]:
    """Name the properties that an update would change."""
    assert isinstance(step, Update), step
    return [change.name for change in step.changes]


def carry_out(
    provider: Provider,
    step: Step | None,
    *,
    stack: str = STACK,
    sleep: Callable[[float], None] = lambda _: None,
) -> Heard:
    """Take one step; AssertionError with AWS's words if it was refused for good."""
    told = Heard()
    if step is not None:
        providers = {step.key.kind: provider}
        done = apply(Plan((step,)), providers, stack=stack, progress=told, sleep=sleep)
        assert done.error is None, done.error
    return told


def converge(provider: Provider, wanted: Wanted, stack: str = STACK) -> None:
    """Make it so, and see that nothing is left to do."""
    carry_out(provider, plan_for(provider, wanted, stack), stack=stack)
    assert plan_for(provider, wanted, stack) is None


def remove(provider: Provider, key: Key) -> None:
    """Take it away, twice: gone already is fine."""
    provider.delete(key)
    provider.delete(key)
    assert provider.observe(key) is None
