"""The Auto Scaling group and its instances as they are: for status, verify, rollout and cutover."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from provision.core.group import GroupFacts, InstanceFacts
from provision.core.resource import plain_tags

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client

GROUP_TAG: Final = "aws:autoscaling:groupName"


def group_facts(autoscaling: "AutoScalingClient", ec2: "EC2Client", name: str) -> GroupFacts | None:
    """Describe the group and its instances; None if there is no such group. Raises ClientError."""
    groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    if not groups["AutoScalingGroups"]:
        return None
    group: Mapping[str, Any] = groups["AutoScalingGroups"][0]
    members: Sequence[Mapping[str, Any]] = group.get("Instances", [])
    machines = _machines(ec2, [member["InstanceId"] for member in members])
    return GroupFacts(
        name=name,
        minimum=group["MinSize"],
        desired=group["DesiredCapacity"],
        maximum=group["MaxSize"],
        template_version=template_of(group).get("Version", ""),
        instances=tuple(_instance(each, machines.get(each["InstanceId"], {})) for each in members),
        suspended=tuple(each["ProcessName"] for each in group.get("SuspendedProcesses", [])),
        status=group.get("Status", ""),
    )


def template_of(group: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the launch template that a group names, directly or in its mixed instances policy."""
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    found: Mapping[str, str] = group.get("LaunchTemplate") or mixed.get(
        "LaunchTemplateSpecification", {}
    )
    return found


def _machines(ec2: "EC2Client", ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    if not ids:
        return {}
    # By filter: an id that EC2 has forgotten already must not fail the whole call.
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-id", "Values": list(ids)}]
    )
    reservations: list[Any] = [each for page in pages for each in page["Reservations"]]
    machines = [machine for each in reservations for machine in each["Instances"]]
    return {machine["InstanceId"]: machine for machine in machines}


def _instance(member: Mapping[str, Any], machine: Mapping[str, Any]) -> InstanceFacts:
    tags = plain_tags(machine.get("Tags", []))
    return InstanceFacts(
        id=member["InstanceId"],
        zone=member.get("AvailabilityZone", ""),
        lifecycle_state=member.get("LifecycleState", ""),
        health=member.get("HealthStatus", ""),
        type=member.get("InstanceType", ""),
        template_version=member.get("LaunchTemplate", {}).get("Version", ""),
        image=machine.get("ImageId", ""),
        profile=machine.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        group_tag=tags.get(GROUP_TAG, ""),
        launched=machine.get("LaunchTime"),
    )
