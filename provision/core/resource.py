"""A resource as values: what is wanted of it, what was found, and who can change it. Pure.

Every resource is a flat set of named properties, in AWS's own names, so that one comparison serves
all of them. Values are normal forms: whatever AWS says in several ways, a family says in one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"

OWNER_TAG = "s3-event-worker:stack"
"""The tag whose value is the name of the stack that a resource belongs to."""


REGION_TAG = "s3-event-worker:region"
"""Beside it on what knows no regions, such as IAM's roles: which region the stack is in."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which resource: its kind ("queue") and its name, as AWS has it ("files-uploads")."""

    kind: str
    name: str

    def __str__(self) -> str:
        """Show the key as people write it: queue/files-uploads."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Property:
    """One property as it should be, the reason for it, and what changing it disrupts.

    `fixed`: AWS cannot change it in place; a difference is refused, with `why` in the message.
    """

    name: str
    value: Json
    why: str = ""
    disrupts: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource as it should be. Properties that it does not name are nobody's business."""

    key: Key
    properties: tuple[Property, ...]

    def values(self) -> dict[str, Json]:
        """Return the properties by name."""
        return {each.name: each.value for each in self.properties}


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as it is. `owner` is the stack that it belongs to; None: nobody's of ours.

    `barred` says why it can be no stack's of this account, and so cannot be adopted either;
    `instead` what else an operator can do, where another name for the stack is no way out.
    """

    owner: str | None
    properties: Mapping[str, Json] = field(default_factory=dict)
    barred: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A property that is not as it should be; `before` None where it is not set at all."""

    name: str
    before: Json
    after: Json
    why: str = ""
    disrupts: str = ""


class Provider(Protocol):
    """Who looks at, and changes, the resources of one kind.

    Every method may be cut short anywhere and called again: `create` must leave nothing behind that
    `observe` would call foreign (so it tags in the very call that creates), `delete` takes what is
    gone for deleted. All raise botocore's ClientError for what AWS refuses.
    """

    def observe(self, key: Key) -> Found | None:
        """Return the resource as it is, or None; makes describe, get and list calls only."""

    def create(self, wanted: Wanted) -> None:
        """Make the resource, with all of its properties."""

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Make these changes, and no others."""

    def delete(self, key: Key) -> None:
        """Take the resource away, and wait until it is gone."""


def tag_properties(tags: Mapping[str, str]) -> tuple[Property, ...]:
    """Return a property a tag, so that tags of others on the same resource stay untouched."""
    return tuple(
        Property(
            f"tag:{name}",
            value,
            why="says whose it is"
            if name in {OWNER_TAG, REGION_TAG}
            else "a tag of the stack file",
        )
        for name, value in tags.items()
    )


def plain_tags(listed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return tags by name, of the list of keys and values that AWS tells."""
    return {each["Key"]: each["Value"] for each in listed}


def tag_list(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as most of AWS takes them; each service's stubs call the shape their own."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def tags_of(properties: Mapping[str, Json]) -> dict[str, str]:
    """Return the tags among properties, by their own names."""
    return {
        name.removeprefix("tag:"): str(value)
        for name, value in properties.items()
        if name.startswith("tag:")
    }


def found_with_tags(properties: Mapping[str, Json], tags: Mapping[str, str]) -> Found:
    """Return what was found of a tagged resource: its owner is what the tag says."""
    named = {f"tag:{name}": value for name, value in tags.items()}
    return Found(owner=tags.get(OWNER_TAG), properties={**properties, **named})


def in_region(found: Found, region: str, told: Json = None) -> Found:
    """Return what was found under a name that is one for all regions, such as an IAM role's.

    The stack of the same name in another region is another stack. `told` says which region it is
    in, the tag where nothing does.
    """
    there = told or found.properties.get(f"tag:{REGION_TAG}", region)
    if found.owner is None or there == region:
        return found
    return replace(found, owner=f"{found.owner} in {there}")
