"""The stack's AMIs as values: which is `latest`, which may go, what a name may be. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from provision.core.resource import OWNER_TAG
from provision.spec.blueprint import Image

WITHDRAWN_TAG: Final = "s3-event-worker:withdrawn"
"""On an AMI that was rolled back from: `latest` passes it over from then on."""

NAME: Final = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}")
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html (rule 40)"""

FAILED_STATES: Final = frozenset({"failed", "error", "invalid"})

Users = Mapping[str, Sequence[str]]
"""Who would miss an AMI, by its id: "template files-worker 3", "instance i-0123"."""


@dataclass(frozen=True, slots=True)
class StackImage:
    """An AMI as EC2 tells it. `created` in ISO 8601, which sorts as text does."""

    image: Image
    name: str
    state: str
    created: str
    tags: Mapping[str, str] = field(default_factory=dict)
    snapshots: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The AMI's id."""
        return self.image.id

    @property
    def withdrawn(self) -> bool:
        """Whether it was rolled back from."""
        return WITHDRAWN_TAG in self.tags

    def is_of(self, stack: str) -> bool:
        """Say whether it is this stack's."""
        return self.tags.get(OWNER_TAG) == stack

    @property
    def usable(self) -> bool:
        """Whether `latest` may mean it."""
        return self.state == "available" and not self.withdrawn


@dataclass(frozen=True, slots=True)
class Kept:
    """An AMI that stays, and why."""

    image: StackImage
    why: str


@dataclass(frozen=True, slots=True)
class Pruning:
    """What goes and what stays, each the newest first."""

    doomed: tuple[StackImage, ...]
    kept: tuple[Kept, ...]


def latest_of(images: Sequence[StackImage]) -> StackImage | None:
    """Return what `ami = "latest"` means; `images` the newest first."""
    return next((each for each in images if each.usable), None)


def plan_pruning(images: Sequence[StackImage], users: Users, keep: int) -> Pruning:
    """Decide about every AMI of the stack, the newest first: rule 43, and `keep` to go back to.

    The newest of all stays, and the newest usable, whatever `keep` says.
    """
    spared = {each.id for each in [each for each in images if each.usable][: max(keep, 1)]}
    newest = images[0].id if images else ""
    kept = []
    for each in images:
        if users.get(each.id):
            kept.append(Kept(each, f"used by {', '.join(users[each.id])}"))
        elif each.state not in {"available", *FAILED_STATES}:
            kept.append(Kept(each, f"is {each.state}"))
        elif each.id == newest or each.id in spared:
            kept.append(Kept(each, f"among the newest {max(keep, 1)}"))
    staying = {each.image.id for each in kept}
    return Pruning(tuple(each for each in images if each.id not in staying), tuple(kept))


def name_fault(name: str) -> str | None:
    """Say what is wrong with an AMI's name; None if AWS takes it."""
    if NAME.fullmatch(name):
        return None
    return f"{name!r} is not 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _"
