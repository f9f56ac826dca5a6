"""What is done to single members: health, termination, detaching, standby."""

from typing import TYPE_CHECKING

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from worker.demo.embedded.autoscaling import checks, life
from worker.demo.embedded.autoscaling.activities import Activity
from worker.demo.embedded.autoscaling.errors import invalid
from worker.demo.embedded.autoscaling.fleet import IN_SERVICE, STANDBY, Fleet, Member, fleet_of
from worker.demo.embedded.ec2.machines import GROUP_TAG
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer


def correct(layer: "Layer") -> None:
    """Let members change state as AWS's do."""
    patches, api = layer.patches, AutoScalingResponse
    patches.replace(api, "set_instance_health", set_health)
    patches.replace(api, "terminate_instance_in_auto_scaling_group", terminate)
    patches.replace(api, "attach_instances", attach)
    patches.replace(api, "detach_instances", detach)
    patches.replace(api, "enter_standby", enter_standby)
    patches.replace(api, "exit_standby", exit_standby)


def _member(backend: Moto, instance_id: str) -> tuple[Fleet, Member]:
    for group in backend.autoscaling_groups.values():
        for member in group.instance_states:
            if member.instance_id == instance_id:
                return fleet_of(group), member
    raise invalid(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )


def set_health(self: Moto) -> Moto:
    """Rule 30: an unhealthy member is replaced, unless its grace period still lasts.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceHealth.html
    """
    status = self._get_param("HealthStatus")
    if status not in ("Healthy", "Unhealthy"):
        raise invalid("Valid instance health states are: [Healthy, Unhealthy]")
    fleet, member = _member(self.autoscaling_backend, self._get_param("InstanceId"))
    grace = int(fleet.group.health_check_grace_period or 0)
    respected = self._get_bool_param("ShouldRespectGracePeriod", True)  # noqa: FBT003 # moto's way
    since = member.in_service_since
    if not respected or (since is not None and fleet.now >= since + grace):
        member.health_status = status
    return EmptyResult()


def terminate(self: Moto) -> Moto:
    """Terminate a member through its hooks; a new one comes unless the capacity shrinks with it.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
    """
    fleet, member = _member(self.autoscaling_backend, self._get_param("InstanceId"))
    if self._get_bool_param("ShouldDecrementDesiredCapacity") and member.counts:
        _decrement(fleet, 1)
    cause = "an instance was taken out of service in response to a user request."
    if member.stage != "Terminating":
        life.terminate(fleet, member, cause)
    return ActionResult({"Activity": member.activity})


def _decrement(fleet: Fleet, count: int) -> None:
    group = fleet.group
    if group.desired_capacity - count < group.min_size:
        raise invalid(
            f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance"
            " without replacement will violate group's min size constraint. Either set"
            " shouldDecrementDesiredCapacity flag to false or lower group's min size."
        )
    group.desired_capacity -= count


def _chosen(self: Moto) -> tuple[Fleet, list[Member]]:
    """Find the members that a request names, all of one group."""
    backend, name = self.autoscaling_backend, self._get_param("AutoScalingGroupName")
    fleet = fleet_of(checks.group_named(backend, name))
    members = [_member(backend, each)[1] for each in self._get_param("InstanceIds", [])]
    for member in members:
        if member not in fleet.members:
            raise invalid(
                f"The instance {member.instance_id} is not part of Auto Scaling group {name}"
            )
    if self._get_bool_param("ShouldDecrementDesiredCapacity"):
        _decrement(fleet, sum(each.counts for each in members))
    return fleet, members


def _moved(fleet: Fleet, member: Member, doing: str) -> Activity:
    subnet_id, zone = member.instance.subnet_id, member.availability_zone
    cause = f"instance {member.instance_id} was moved in response to a user request."
    activity = fleet.note(f"{doing} EC2 instance: {member.instance_id}", cause, subnet_id, zone)
    activity.end(fleet.now)
    return activity


def attach(self: Moto) -> Moto:
    """Take running instances in; the desired capacity grows by them, never past the maximum.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachInstances.html
    """
    backend = self.autoscaling_backend
    fleet = fleet_of(checks.group_named(backend, self._get_param("AutoScalingGroupName")))
    group, ids = fleet.group, self._get_param("InstanceIds", [])
    if group.desired_capacity + len(ids) > group.max_size:
        raise invalid(
            "AutoScalingGroup with more instances than its max size is not allowed:"
            f" max size {group.max_size}"
        )
    for instance in group.ec2_backend.get_multi_instances_by_id(ids):
        instance.autoscaling_group = group
        group.ec2_backend.create_tags([instance.id], {GROUP_TAG: group.name})
        fleet.members.append(_attached(fleet, instance))
    group.set_desired_capacity(group.desired_capacity + len(ids))
    return EmptyResult()


def _attached(fleet: Fleet, instance: Moto) -> Member:
    cause = f"instance {instance.id} was attached in response to a user request."
    doing = f"Attaching an existing EC2 instance: {instance.id}"
    activity = fleet.note(doing, cause, instance.subnet_id, instance.placement.zone)
    activity.end(fleet.now)
    return Member(
        instance=instance,
        auto_scaling_group=fleet.group,
        launch_template=None,
        born=fleet.now,
        activity=activity,
        protected_from_scale_in=bool(fleet.group.new_instances_protected_from_scale_in),
        lifecycle_state=IN_SERVICE,
        in_service_since=fleet.now,
    )


def detach(self: Moto) -> Moto:
    """Let members go, running; new ones come unless the capacity shrinks.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DetachInstances.html
    """
    fleet, members = _chosen(self)
    for member in members:
        fleet.members.remove(member)
        fleet.group.ec2_backend.delete_tags([member.instance_id], {GROUP_TAG: fleet.group.name})
    return ActionResult({"Activities": [_moved(fleet, each, "Detaching") for each in members]})


def enter_standby(self: Moto) -> Moto:
    """Set members aside; they count no longer.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnterStandby.html
    """
    fleet, members = _chosen(self)
    for member in members:
        member.lifecycle_state = STANDBY
    done = [_moved(fleet, each, "Moving to standby") for each in members]
    return ActionResult({"Activities": done})


def exit_standby(self: Moto) -> Moto:
    """Bring members back; the desired capacity grows by them.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExitStandby.html
    """
    fleet, members = _chosen(self)
    for member in members:
        member.lifecycle_state, member.in_service_since = IN_SERVICE, fleet.now
    fleet.group.set_desired_capacity(fleet.group.desired_capacity + len(members))
    done = [_moved(fleet, each, "Moving out of standby") for each in members]
    return ActionResult({"Activities": done})
