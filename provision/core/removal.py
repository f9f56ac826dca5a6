"""What a destroy takes away, keeps, and leaves to others. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from provision.core.plan import Plan, Remove
from provision.core.resource import Found, Key


@dataclass(frozen=True, slots=True)
class Removal:
    """`plan` removes all that is ours, users of a thing before the thing.

    `kept` is ours and stays because the operator did not ask for it; `foreign` has a name of ours
    and another owner, and is not touched.
    """

    plan: Plan
    kept: tuple[Key, ...] = ()
    foreign: tuple[Key, ...] = ()


def plan_removal(
    found: Mapping[Key, Found | None],
    *,
    stack: str,
    order: Sequence[str],
    keep: Collection[str] = (),
) -> Removal:
    """Decide about everything that was found; `order` and `keep` name kinds.

    Within a kind the last that was made goes first.
    """
    there = {key: each for key, each in found.items() if each is not None}
    ours = [key for key, each in there.items() if each.owner == stack]
    going = [key for key in reversed(ours) if key.kind not in keep]
    return Removal(
        Plan(tuple(Remove(key) for key in sorted(going, key=lambda key: order.index(key.kind)))),
        kept=tuple(key for key in ours if key.kind in keep),
        foreign=tuple(key for key, each in there.items() if each.owner != stack),
    )
