"""The Auto Scaling group and its instances as values, in AWS's words. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

IN_SERVICE: Final = "InService"
PENDING: Final = "Pending"
"""How the lifecycle states begin of an instance that is not in service yet."""

TERMINATING: Final = "Terminat"
"""Likewise of one that is on its way out, or just gone."""


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """One instance of the group; empty where AWS tells nothing.

    `image`, `profile` and `group_tag` come from the instance itself, the rest from the group.
    """

    id: str
    zone: str
    lifecycle_state: str
    health: str
    type: str
    template_version: str
    image: str = ""
    profile: str = ""
    group_tag: str = ""
    launched: datetime | None = None

    @property
    def in_service(self) -> bool:
        """Whether it counts as working."""
        return self.lifecycle_state == IN_SERVICE and self.health.lower() == "healthy"


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """The group: sizes, the template version that new instances get, and its instances.

    `status` is AWS's word for a group that is being deleted, and empty otherwise.
    """

    name: str
    minimum: int
    desired: int
    maximum: int
    template_version: str
    instances: tuple[InstanceFacts, ...] = ()
    suspended: tuple[str, ...] = ()
    status: str = ""

    @property
    def rests(self) -> bool:
        """Whether no instance is wanted, and none need be; a maximum of 0 is a cutover's work."""
        return self.minimum == self.desired == 0 < self.maximum

    @property
    def in_service(self) -> tuple[InstanceFacts, ...]:
        """The instances that work."""
        return tuple(each for each in self.instances if each.in_service)

    def is_all_of(self, version: str) -> bool:
        """Say whether the group, and every instance that is not going, are of this version."""
        staying = [e for e in self.instances if not e.lifecycle_state.startswith(TERMINATING)]
        return {version} == {self.template_version, *(e.template_version for e in staying)}
