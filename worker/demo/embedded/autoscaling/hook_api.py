"""Lifecycle hooks: putting them, and completing what they hold."""

from typing import TYPE_CHECKING, Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from worker.demo.embedded.autoscaling import checks, hooks
from worker.demo.embedded.autoscaling.errors import invalid
from worker.demo.embedded.autoscaling.fleet import Fleet, fleet_of
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer


def correct(layer: "Layer") -> None:
    """Let hooks hold."""
    patches, api = layer.patches, AutoScalingResponse
    patches.replace(api, "put_lifecycle_hook", put)
    patches.replace(api, "complete_lifecycle_action", complete)
    patches.replace(api, "record_lifecycle_action_heartbeat", heartbeat)


def put(self: Moto) -> Moto:
    """Rule 33: make or change a hook; what is not named stays.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html
    """
    group = checks.group_named(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
    put_hook(self.autoscaling_backend, group.name, self._get_params())
    return EmptyResult()


def put_hook(backend: Moto, group_name: str, hook: dict[str, Any]) -> None:
    """Keep a hook, as PutLifecycleHook or LifecycleHookSpecificationList give it."""
    name = hook["LifecycleHookName"]
    known = backend.describe_lifecycle_hooks(group_name, [name])
    checks.check_hook(hook, known=bool(known))
    before = known[0] if known else None
    seconds = hook.get("HeartbeatTimeout") or getattr(before, "heartbeat_timeout", None)
    kept = backend.create_lifecycle_hook(
        name,
        group_name,
        hook.get("LifecycleTransition") or getattr(before, "lifecycle_transition", None),
        None if seconds is None else int(seconds),
        hook.get("DefaultResult") or getattr(before, "default_result", None),
    )
    kept.global_timeout = min(
        hooks.LONGEST_WAIT_SECONDS, hooks.MOST_HEARTBEATS * kept.heartbeat_timeout
    )
    kept.role_arn = hook.get("RoleARN") or getattr(before, "role_arn", None)
    target = hook.get("NotificationTargetARN") or getattr(before, "notification_target_arn", None)
    kept.notification_target_arn = target
    kept.notification_metadata = hook.get("NotificationMetadata")


def complete(self: Moto) -> Moto:
    """End a wait, by token or by instance, with CONTINUE or ABANDON.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html
    """
    result = self._get_param("LifecycleActionResult")
    if result not in (hooks.CONTINUE, hooks.ABANDON):
        raise invalid("LifecycleActionResult must be either CONTINUE or ABANDON")
    _, wait = _wait(self)
    wait.result = result
    return EmptyResult()


def heartbeat(self: Moto) -> Moto:
    """Start a wait's timeout again.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html
    """
    fleet, wait = _wait(self)
    wait.heartbeat(fleet.now)
    return EmptyResult()


def _wait(self: Moto) -> tuple[Fleet, hooks.Wait]:
    """Find the wait that a request is about. ValidationError if nothing waits like that."""
    name = self._get_param("AutoScalingGroupName")
    fleet = fleet_of(checks.group_named(self.autoscaling_backend, name))
    hook = self._get_param("LifecycleHookName")
    token = self._get_param("LifecycleActionToken")
    instance_id = self._get_param("InstanceId")
    for member in fleet.members:
        wait = member.waits.get(hook)
        named = token == wait.token if wait and token else instance_id == member.instance_id
        if wait is not None and wait.result is None and named:
            return fleet, wait
    what = f"token {token}" if token else f"instance ID {instance_id}"
    raise invalid(f"No active Lifecycle Action found with {what}")
