"""Wanted and found → the steps between them, and what stands in the way. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from provision.core.resource import Change, Found, Key, Property, Wanted


@dataclass(frozen=True, slots=True)
class Create:
    """The resource is not there: make it."""

    wanted: Wanted

    @property
    def key(self) -> Key:
        """Which resource."""
        return self.wanted.key


@dataclass(frozen=True, slots=True)
class Update:
    """The resource is there and is ours, but not as it should be."""

    wanted: Wanted
    changes: tuple[Change, ...]

    @property
    def key(self) -> Key:
        """Which resource."""
        return self.wanted.key


@dataclass(frozen=True, slots=True)
class Remove:
    """The resource is ours, and the stack file wants it no more."""

    key: Key


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource that must not be touched; `hint` names what the operator can do."""

    key: Key
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Note:
    """A resource about which nothing can be decided yet, and what it waits for."""

    key: Key
    waits_for: str


Step: TypeAlias = Create | Update | Remove


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order to take them. With any refusal none may be taken."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Intention:
    """What is wanted of one resource; `wanted` None: that it does not exist.

    With `waits_for` nothing can be decided yet, so the resource is left as it is, and is noted.
    """

    key: Key
    wanted: Wanted | None
    waits_for: str = ""


def make_plan(
    intentions: Sequence[Intention],
    found: Mapping[Key, Found | None],
    *,
    stack: str,
    adopt: frozenset[Key] = frozenset(),
) -> Plan:
    """Compare everything wanted with everything found.

    `intentions` stand in the order of creation; what is removed goes first, in reverse order.
    `adopt` names resources of nobody that become this stack's.
    """
    decided = [plan_one(each, found.get(each.key), stack=stack, adopt=adopt) for each in intentions]
    removals = [each for each in reversed(decided) if isinstance(each, Remove)]
    others = [each for each in decided if isinstance(each, Create | Update)]
    refusals = [each for each in decided if isinstance(each, Refusal)]
    notes = [Note(each.key, each.waits_for) for each in intentions if each.waits_for]
    return Plan((*removals, *others), tuple(refusals), tuple(notes))


def plan_one(
    intention: Intention, found: Found | None, *, stack: str, adopt: frozenset[Key] = frozenset()
) -> Step | Refusal | None:
    """Decide what to do about one resource; None: it is as it should be."""
    key, wanted = intention.key, intention.wanted
    if intention.waits_for:
        return None
    if found is None:
        return Create(wanted) if wanted else None
    if wanted is None:
        return Remove(key) if found.owner == stack else None
    if found.owner != stack and not _is_for_the_taking(found, key, adopt):
        return _foreign(key, found)
    fixed = [each for each in wanted.properties if each.fixed and _differs(each, found)]
    if fixed:
        return _unchangeable(key, found, fixed[0].name, fixed[0].why)
    changes = tuple(
        Change(each.name, found.properties.get(each.name), each.value, each.why, each.disrupts)
        for each in wanted.properties
        if _differs(each, found)
    )
    return Update(wanted, changes) if changes else None


def _differs(wanted: Property, found: Found) -> bool:
    return found.properties.get(wanted.name) != wanted.value


def _is_for_the_taking(found: Found, key: Key, adopt: frozenset[Key]) -> bool:
    return found.owner is None and not found.barred and key in adopt


def _foreign(key: Key, found: Found) -> Refusal:
    if found.barred:
        return Refusal(key, found.barred, "choose another name in the stack file")
    if found.owner is None:
        return Refusal(
            key,
            "exists already, and carries no tag of this stack",
            f"if it may be taken over: `provision apply --adopt {key}`;"
            f" if not, {found.instead or 'give the stack another name'}",
        )
    return Refusal(
        key,
        f"belongs to the stack {found.owner!r}",
        f"{found.instead or 'give this stack another name'}, or destroy the other one first",
    )


def _unchangeable(key: Key, found: Found, name: str, why: str) -> Refusal:
    return Refusal(
        key,
        f"{name} is {found.properties.get(name)!r}, and AWS cannot change it in place: {why}",
        "put the old value back into the stack file, or destroy the stack and apply anew",
    )
