"""What an instance may say to its own Auto Scaling group. Blocking; nothing is decided here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from worker.aws.s3_replies import AWS_ERRORS

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

NO_ACTIVE_ACTION = "No active Lifecycle Action found"
"""A ValidationError beginning like this: the hook does not wait yet, no longer, or never did."""


class AutoScalingUnavailable(Exception):  # noqa: N818 - it is a state of the place, not a fault
    """Raised when Auto Scaling refused a call or could not be reached; carries AWS's words."""


@dataclass(frozen=True, slots=True)
class GroupMember:
    """An instance in its group; `lifecycle_state` is such as `InService`, `Terminating:Wait`."""

    instance_id: str
    group: str
    lifecycle_state: str


class InstanceAutoScaling:
    """The calls of one instance. Every method raises AutoScalingUnavailable."""

    def __init__(self, client: "AutoScalingClient") -> None:
        self._client = client

    def find_member(self, instance_id: str) -> GroupMember | None:
        """Return the instance in its group, None if it is in none (DescribeAutoScalingInstances).

        The call cannot be limited to one group by policy: it needs `Resource: *`.
        """
        with _told_apart():
            answer = self._client.describe_auto_scaling_instances(InstanceIds=[instance_id])
        for found in answer["AutoScalingInstances"]:
            return GroupMember(instance_id, found["AutoScalingGroupName"], found["LifecycleState"])
        return None

    def record_lifecycle_action_heartbeat(self, member: GroupMember, hook_name: str) -> bool:
        """Start the hook's timeout again (RecordLifecycleActionHeartbeat, rule 33).

        False: the hook does not hold the instance at present.
        """
        try:
            with _told_apart():
                self._client.record_lifecycle_action_heartbeat(
                    LifecycleHookName=hook_name,
                    AutoScalingGroupName=member.group,
                    InstanceId=member.instance_id,
                )
        except _NoActiveAction:
            return False
        return True

    def complete_lifecycle_action(self, member: GroupMember, hook_name: str) -> bool:
        """Let the group go on with CONTINUE (CompleteLifecycleAction, rule 33).

        False: the hook does not hold the instance at present.
        """
        try:
            with _told_apart():
                self._client.complete_lifecycle_action(
                    LifecycleHookName=hook_name,
                    AutoScalingGroupName=member.group,
                    InstanceId=member.instance_id,
                    LifecycleActionResult="CONTINUE",
                )
        except _NoActiveAction:
            return False
        return True

    def set_instance_health(self, instance_id: str, health_status: str = "Unhealthy") -> None:
        """Have the group replace the instance, grace period or no (SetInstanceHealth, rule 30)."""
        with _told_apart():
            self._client.set_instance_health(
                InstanceId=instance_id, HealthStatus=health_status, ShouldRespectGracePeriod=False
            )


class _NoActiveAction(AutoScalingUnavailable):
    """Raised when the hook does not hold the instance."""


@contextmanager
def _told_apart() -> Iterator[None]:
    """Turn botocore's errors into ours."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        idle = told.get("Code") == "ValidationError" and NO_ACTIVE_ACTION in told.get("Message", "")
        raise (_NoActiveAction if idle else AutoScalingUnavailable)(str(error)) from error
    except AWS_ERRORS as error:
        raise AutoScalingUnavailable(str(error)) from error
