"""The launch template: every version that a group may need, the wanted one being its default."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provision.aws.calls import GONE_CODES, unless_gone
from provision.aws.group_facts import template_of
from provision.core.plan import Intention
from provision.core.resource import (
    Change,
    Found,
    Json,
    Key,
    Wanted,
    found_with_tags,
    plain_tags,
    tag_list,
    tag_properties,
    tags_of,
)
from provision.errors import ProvisionError
from provision.resources.security_group import SecurityGroupProvider
from provision.resources.template_data import normal_data, request_data, template_properties
from provision.spec.blueprint import Blueprint, Image

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client

KIND: Final = "launch-template"

NO_IMAGE: Final = "an AMI: `provision ami bake` or `provision ami from-instance`"

KEPT_VERSIONS: Final = 10
"""Versions that are kept to roll back to, besides those in use; EC2 keeps 10,000."""


def intention(blueprint: Blueprint) -> Intention:
    """Return what is wanted of the template; without an image it waits for one."""
    key = Key(KIND, blueprint.names.launch_template)
    if blueprint.image is None:
        return Intention(key, None, waits_for=NO_IMAGE)
    return Intention(key, worker_template(blueprint, blueprint.image))


def worker_template(blueprint: Blueprint, image: Image) -> Wanted:
    """Return the template: what its default version holds, and its own tags."""
    properties = template_properties(blueprint, image)
    key = Key(KIND, blueprint.names.launch_template)
    return Wanted(key, (*properties, *tag_properties(blueprint.tags)))


def data_values(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return a version's data among the properties of a template."""
    return {name: value for name, value in values.items() if not name.startswith("tag:")}


def default_version(ec2: "EC2Client", template: str) -> int | None:
    """Return the number of a template's default version; None without a template."""
    told = unless_gone(lambda: ec2.describe_launch_templates(LaunchTemplateNames=[template]))
    found = told["LaunchTemplates"] if told else []
    return found[0]["DefaultVersionNumber"] if found else None


class LaunchTemplateProvider:
    """Templates by name. A version is found by its data: one that was made before is used again."""

    def __init__(
        self, ec2: "EC2Client", autoscaling: "AutoScalingClient", blueprint: Blueprint
    ) -> None:
        self._ec2 = ec2
        self._autoscaling = autoscaling
        self._names = blueprint.names
        self._security_groups = SecurityGroupProvider(ec2, blueprint)

    def observe(self, key: Key) -> Found | None:
        """Return the default version's data, and the template's tags."""
        answer = unless_gone(
            lambda: self._ec2.describe_launch_templates(LaunchTemplateNames=[key.name])
        )
        if answer is None or not answer["LaunchTemplates"]:
            return None
        template = answer["LaunchTemplates"][0]
        tags = plain_tags(template.get("Tags", []))
        return found_with_tags(self.version(key.name, "$Default"), tags)

    def create(self, wanted: Wanted) -> None:
        """Create the template with its first version and its tags in one call."""
        values = wanted.values()
        self._ec2.create_launch_template(
            LaunchTemplateName=wanted.key.name,
            LaunchTemplateData=request_data(values, self._needed_groups(values)),
            TagSpecifications=[
                {
                    "ResourceType": KIND,
                    "Tags": tag_list(tags_of(values)),
                }
            ],
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Make the version that holds the wanted data the default; set tags."""
        changed = {each.name: each.after for each in changes}
        if data_values(changed):
            version = self.number_of(wanted.key.name, data_values(wanted.values()))
            self.make_default(wanted.key.name, version or self.create_version(wanted))
            self._prune(wanted.key.name)
        if tags := tags_of(changed):
            described = self._ec2.describe_launch_templates(LaunchTemplateNames=[wanted.key.name])
            self._ec2.create_tags(
                Resources=[described["LaunchTemplates"][0]["LaunchTemplateId"]],
                Tags=tag_list(tags),
            )

    def delete(self, key: Key) -> None:
        """Delete the template with all of its versions."""
        unless_gone(lambda: self._ec2.delete_launch_template(LaunchTemplateName=key.name))

    def version(self, template: str, version: str) -> dict[str, Json]:
        """Return a version's data in normal form; {} if there is no such version."""
        answer = unless_gone(
            lambda: self._ec2.describe_launch_template_versions(
                LaunchTemplateName=template, Versions=[version]
            ),
            {*GONE_CODES, "InvalidLaunchTemplateId.VersionNotFound"},
        )
        found = answer["LaunchTemplateVersions"] if answer else []
        return normal_data(found[0]["LaunchTemplateData"], self._own_group()) if found else {}

    def number_of(self, template: str, values: Mapping[str, Json]) -> int | None:
        """Return the newest version that holds these data, None if none does."""
        ours = self._own_group()
        return next(
            (
                each["VersionNumber"]
                for each in self.versions(template)
                if normal_data(each["LaunchTemplateData"], ours) == values
            ),
            None,
        )

    def versions(self, template: str) -> list[Mapping[str, Any]]:
        """Return all versions as EC2 tells them, the newest first."""
        pages = self._ec2.get_paginator("describe_launch_template_versions").paginate(
            LaunchTemplateName=template
        )
        found: list[Mapping[str, Any]] = [
            each for page in pages for each in page["LaunchTemplateVersions"]
        ]
        return sorted(found, key=lambda each: -int(each["VersionNumber"]))

    def create_version(self, wanted: Wanted) -> int:
        """Create a version of these data, built on no other; return its number."""
        values = wanted.values()
        made = self._ec2.create_launch_template_version(
            LaunchTemplateName=wanted.key.name,
            LaunchTemplateData=request_data(values, self._needed_groups(values)),
        )
        return made["LaunchTemplateVersion"]["VersionNumber"]

    def make_default(self, template: str, version: int) -> None:
        """Make this version the default: what the stack file says by now."""
        self._ec2.modify_launch_template(LaunchTemplateName=template, DefaultVersion=str(version))

    def default_of(self, template: str) -> int:
        """Return the default version's number; raises ProvisionError without a template."""
        number = default_version(self._ec2, template)
        if number is None:
            hint = "`provision apply` makes it anew"
            raise ProvisionError(f"the launch template {template} is gone", hint)
        return number

    def number_behind(self, template: str, version: str) -> int:
        """Return the number that $Latest or $Default stands for at this moment."""
        told = self._ec2.describe_launch_template_versions(
            LaunchTemplateName=template, Versions=[version]
        )
        return told["LaunchTemplateVersions"][0]["VersionNumber"]

    def _prune(self, template: str) -> None:
        """Delete old versions but the newest few, and none that is in use."""
        needed = set(self._numbers_in_use())
        surplus = [
            str(each["VersionNumber"])
            for each in self.versions(template)[KEPT_VERSIONS:]
            if not each["DefaultVersion"] and str(each["VersionNumber"]) not in needed
        ]
        if surplus:
            self._ec2.delete_launch_template_versions(LaunchTemplateName=template, Versions=surplus)

    def _numbers_in_use(self) -> Iterator[str]:
        answer = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self._names.group]
        )
        for group in answer["AutoScalingGroups"]:
            yield template_of(group).get("Version", "")
            for instance in group["Instances"]:
                yield instance.get("LaunchTemplate", {}).get("Version", "")

    def _own_group(self) -> dict[str, str]:
        """Return our own security group's id by its name; {} if it is not there."""
        name = self._names.security_group
        found = self._security_groups.id_of(name)
        return {name: found} if found else {}

    def _needed_groups(self, values: Mapping[str, Json]) -> dict[str, str]:
        ours, name = self._own_group(), self._names.security_group
        wanted = values["SecurityGroups"]
        if not ours and isinstance(wanted, list) and name in wanted:
            raise ProvisionError(
                f"the security group {name} is gone, and the launch template needs it",
                "`provision apply` makes it anew",
            )
        return ours
