"""What Auto Scaling refuses before it does anything."""

from typing import TYPE_CHECKING, Any, Final

from moto.core.exceptions import ServiceException

from worker.demo.embedded.autoscaling.errors import invalid, refused
from worker.demo.embedded.autoscaling.fleet import Source, fleet_of
from worker.demo.embedded.autoscaling.launch import resolve
from worker.demo.embedded.ec2.profiles import profile_of
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_LONGEST_NAME: Final = 255
HEARTBEAT_SECONDS: Final = range(30, 7201)
"""Rule 33."""


def check_name(backend: Moto, name: str) -> None:
    """Rule 36: at most 255 characters, no colon; no group has it, not even one being deleted."""
    if not 0 < len(name) <= _LONGEST_NAME or ":" in name:
        raise invalid(
            "Value for autoScalingGroupName failed to satisfy constraint: 1 to 255 characters, and"
            " no colon"
        )
    group = backend.autoscaling_groups.get(name)
    if group is not None:
        dying = " and is pending delete" if fleet_of(group).deleted_at is not None else ""
        raise refused(
            "AlreadyExists",
            f"AutoScalingGroup by this name already exists - A group with the name {name} already"
            f" exists{dying}",
        )


def check_sizes(least: int, most: int, desired: int | None) -> None:
    """Refuse a minimum above the maximum, and a desired capacity outside of both."""
    if least > most:
        raise invalid(f"Max bound, {most}, must be greater than or equal to min bound, {least}")
    if desired is not None and not least <= desired <= most:
        raise invalid(
            f"Desired capacity:{desired} must be between the specified min size:{least} and max"
            f" size:{most}"
        )


def check_source(layer: "Layer", group: Moto, source: Source) -> None:
    """Refuse a template that is not there, or that names an image or profile that is not (rule 1).

    `group` is a group, or anything that knows `ec2_backend` and `launch_config`.
    """
    try:
        _, data = resolve(group, source)
        image_id = data.get("ImageId")
        if image_id and image_id not in group.ec2_backend.amis:
            raise invalid(f"The image id '[{image_id}]' does not exist")
        profile_of(layer, group.ec2_backend, data.get("IamInstanceProfile", {}))
    except ServiceException as error:
        raise invalid(
            f"You must use a valid fully-formed launch template. {error.message}"
        ) from error


def check_hook(hook: dict[str, Any], *, known: bool) -> None:
    """Rule 33: a heartbeat of 30 to 7,200 seconds, a transition for a new hook, a known result."""
    seconds = hook.get("HeartbeatTimeout")
    if seconds is not None and int(seconds) not in HEARTBEAT_SECONDS:
        raise invalid("HeartbeatTimeout must be between 30 and 7200 seconds")
    if hook.get("DefaultResult") not in (None, "CONTINUE", "ABANDON"):
        raise invalid("The value for DefaultResult must be either CONTINUE or ABANDON")
    transition = hook.get("LifecycleTransition")
    if transition is None and not known:
        raise invalid("LifecycleTransition is required for a new lifecycle hook")
    if transition not in (
        None,
        "autoscaling:EC2_INSTANCE_LAUNCHING",
        "autoscaling:EC2_INSTANCE_TERMINATING",
    ):
        raise invalid(f"Invalid lifecycle transition: {transition}")


def group_named(backend: Moto, name: str) -> Moto:
    """Find a group that is not being deleted. ValidationError if there is none."""
    group = backend.autoscaling_groups.get(name)
    if group is None or fleet_of(group).deleted_at is not None:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group
