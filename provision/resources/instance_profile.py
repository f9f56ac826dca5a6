"""The instance profile: what hands the worker's role to instances."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from provision.aws.calls import unless_gone
from provision.core.resource import (
    REGION_TAG,
    Change,
    Found,
    Key,
    Property,
    Wanted,
    found_with_tags,
    in_region,
    plain_tags,
    tag_list,
    tag_properties,
    tags_of,
)
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

KIND: Final = "instance-profile"
ROLE: Final = "Role"


def worker_profile(blueprint: Blueprint) -> Wanted:
    """Return the profile; it has the role's name (rule 4)."""
    name = blueprint.names.worker_role
    return Wanted(
        Key(KIND, name),
        (
            Property(ROLE, name, "instances work under this role"),
            *tag_properties({**blueprint.tags, REGION_TAG: blueprint.names.region}),
        ),
    )


class InstanceProfileProvider:
    """Instance profiles by name, which are one for all regions."""

    def __init__(self, iam: "IAMClient", region: str) -> None:
        self._iam = iam
        self._region = region

    def observe(self, key: Key) -> Found | None:
        """Return the profile's role (None: it holds none) and tags."""
        answer = unless_gone(lambda: self._iam.get_instance_profile(InstanceProfileName=key.name))
        if answer is None:
            return None
        profile = answer["InstanceProfile"]
        roles = [role["RoleName"] for role in profile["Roles"]]
        tags = plain_tags(profile.get("Tags", []))
        found = found_with_tags({ROLE: roles[0] if roles else None}, tags)
        return in_region(found, self._region)

    def create(self, wanted: Wanted) -> None:
        """Create the profile with its tags, then put the role into it.

        EC2 hears of it later: whoever uses it tries again (rules 1 to 3).
        """
        values = wanted.values()
        self._iam.create_instance_profile(
            InstanceProfileName=wanted.key.name,
            Tags=tag_list(tags_of(values)),
        )
        self._add_role(wanted)

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Change the role, and tags; a profile holds one role at most."""
        name = wanted.key.name
        for change in changes:
            if change.name == ROLE:
                self._empty(name)
                self._add_role(wanted)
        if tags := tags_of({each.name: each.after for each in changes}):
            self._iam.tag_instance_profile(
                InstanceProfileName=name,
                Tags=tag_list(tags),
            )

    def delete(self, key: Key) -> None:
        """Take the role out, then delete the profile (rule 5)."""
        self._empty(key.name)
        unless_gone(lambda: self._iam.delete_instance_profile(InstanceProfileName=key.name))

    def _add_role(self, wanted: Wanted) -> None:
        self._iam.add_role_to_instance_profile(
            InstanceProfileName=wanted.key.name, RoleName=str(wanted.values()[ROLE])
        )

    def _empty(self, name: str) -> None:
        found = unless_gone(lambda: self._iam.get_instance_profile(InstanceProfileName=name))
        for role in found["InstanceProfile"]["Roles"] if found else []:
            remove = partial(self._iam.remove_role_from_instance_profile, InstanceProfileName=name)
            unless_gone(partial(remove, RoleName=role["RoleName"]))
