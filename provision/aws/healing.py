"""Keeps a group from replacing a member that is about to be rebooted (rule 40)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

HEALING: Final = ("HealthCheck", "ReplaceUnhealthy")


def group_of_member(autoscaling: "AutoScalingClient", instance: str) -> str | None:
    """Return the name of the group that an instance is a member of. Raises ClientError."""
    answer = autoscaling.describe_auto_scaling_instances(InstanceIds=[instance])
    members = answer["AutoScalingInstances"]
    return members[0]["AutoScalingGroupName"] if members else None


@contextmanager
def without_healing(autoscaling: "AutoScalingClient", group: str) -> Iterator[None]:
    """Suspend HealthCheck and ReplaceUnhealthy within the block, and resume them whatever happens.

    What was suspended before stays so. Raises ClientError.
    """
    answer = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    told = answer["AutoScalingGroups"][0].get("SuspendedProcesses", [])
    before = {each["ProcessName"] for each in told}
    processes = [each for each in HEALING if each not in before]
    try:
        if processes:
            autoscaling.suspend_processes(AutoScalingGroupName=group, ScalingProcesses=processes)
        yield
    finally:
        # In the same `try` as the suspending: an interrupt may come right behind AWS's answer.
        if processes:
            autoscaling.resume_processes(AutoScalingGroupName=group, ScalingProcesses=processes)
