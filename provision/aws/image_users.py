"""Who would miss an AMI: template versions, launch configurations, groups, instances (rule 43)."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from provision.aws.group_facts import GROUP_TAG
from provision.aws.session import Aws
from provision.core.resource import plain_tags

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client

LIVING: Final = ["pending", "running", "stopping", "stopped"]
"""Of instances; those that are shutting down need no image any more."""


def image_users(aws: Aws, images: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return everything in account and region that names one of these AMIs, by the AMI's id.

    Not seen: other accounts, and templates that name a parameter instead. Raises ClientError.
    """
    if not images:
        return {}
    found: dict[str, list[str]] = {}
    for image, user in _all(aws):
        if image in images:
            found.setdefault(image, []).append(user)
    return {image: tuple(sorted(users)) for image, users in found.items()}


def _all(aws: Aws) -> Iterator[tuple[str, str]]:
    yield from _templates(aws.ec2)
    yield from _instances(aws.ec2)
    yield from _launch_configurations(aws.autoscaling)
    yield from _groups(aws.autoscaling)


def _templates(ec2: "EC2Client") -> Iterator[tuple[str, str]]:
    listed = ec2.get_paginator("describe_launch_templates").paginate()
    ids = [each["LaunchTemplateId"] for page in listed for each in page["LaunchTemplates"]]
    for template in ids:
        pages = ec2.get_paginator("describe_launch_template_versions").paginate(
            LaunchTemplateId=template
        )
        for each in [version for page in pages for version in page["LaunchTemplateVersions"]]:
            user = f"template {each['LaunchTemplateName']} {each['VersionNumber']}"
            yield each["LaunchTemplateData"].get("ImageId", ""), user


def _instances(ec2: "EC2Client") -> Iterator[tuple[str, str]]:
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": LIVING}]
    )
    reservations: list[Any] = [each for page in pages for each in page["Reservations"]]
    for instance in [each for one in reservations for each in one["Instances"]]:
        tags = plain_tags(instance.get("Tags", []))
        group = f" of group {tags[GROUP_TAG]}" if GROUP_TAG in tags else ""
        yield instance["ImageId"], f"instance {instance['InstanceId']}{group}"


def _launch_configurations(autoscaling: "AutoScalingClient") -> Iterator[tuple[str, str]]:
    pages = autoscaling.get_paginator("describe_launch_configurations").paginate()
    for each in [one for page in pages for one in page["LaunchConfigurations"]]:
        yield each["ImageId"], f"launch configuration {each['LaunchConfigurationName']}"


def _groups(autoscaling: "AutoScalingClient") -> Iterator[tuple[str, str]]:
    """Yield what groups name by themselves: a mixed policy's overrides may have an AMI each."""
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
    groups: list[Mapping[str, Any]] = [one for page in pages for one in page["AutoScalingGroups"]]
    for group in groups:
        template = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        for override in template.get("Overrides", []):
            yield override.get("ImageId", ""), f"group {group['AutoScalingGroupName']}"
