"""Creating, changing and deleting groups."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from worker.demo.embedded.autoscaling import checks, life
from worker.demo.embedded.autoscaling.errors import invalid, refused
from worker.demo.embedded.autoscaling.fleet import (
    TERMINATING,
    Fleet,
    Source,
    fleet_of,
)
from worker.demo.embedded.autoscaling.hook_api import put_hook
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]

_KEPT: Final = {
    "InstanceMaintenancePolicy": "instance_maintenance_policy",
    "DefaultInstanceWarmup": "default_instance_warmup",
    "MaxInstanceLifetime": "max_instance_lifetime",
    "CapacityRebalance": "capacity_rebalance",
    "TerminationPolicies": "termination_policies",
    "DefaultCooldown": "default_cooldown",
    "HealthCheckGracePeriod": "health_check_grace_period",
    "DeletionProtection": "deletion_protection",
}
"""What moto forgets when a group is made or changed, and the attribute it is told from."""


def correct(layer: "Layer") -> None:
    """Replace how groups come, change and go."""
    patches = layer.patches
    api, model, backend = AutoScalingResponse, FakeAutoScalingGroup, AutoScalingBackend
    patches.replace(model, "status", None)
    patches.wrap(model, "__init__", lambda f: has_a_fleet(layer, f))
    patches.replace(model, "set_desired_capacity", desired_stays_in_bounds)
    patches.wrap(model, "update", update_keeps_the_rest)
    patches.replace(model, "launch_template", property(own_template))
    patches.replace(backend, "notify_terminate_instances", time_will_tell)
    patches.wrap(api, "create_auto_scaling_group", lambda f: creation_is_checked(layer, f))
    patches.wrap(api, "update_auto_scaling_group", lambda f: change_is_checked(layer, f))
    patches.wrap(api, "set_desired_capacity", capacity_is_checked)
    patches.replace(api, "delete_auto_scaling_group", delete)


def has_a_fleet(layer: "Layer", init: Handler) -> Handler:
    """Give every group what moto's lacks."""

    def made(self: Moto, *args: object, **kwargs: object) -> None:
        self.fleet = Fleet(layer, self)
        init(self, *args, **kwargs)

    return made


def desired_stays_in_bounds(self: Moto, new_capacity: int | None) -> None:
    """Rule 39: set the desired capacity, silently kept within the sizes; members follow in time."""
    wanted = self.min_size if new_capacity is None else new_capacity
    self.desired_capacity = max(self.min_size, min(self.max_size, wanted))


def update_keeps_the_rest(update: Handler) -> Handler:
    """Leave desired capacity and mixed policy as they are if the call does not name them."""

    def updated(self: Moto, **named: Moto) -> None:
        mixed = self.mixed_instances_policy
        if named["desired_capacity"] is None:
            named["desired_capacity"] = self.desired_capacity
        update(self, **named)
        if not named["launch_template"] and not named["mixed_instances_policy"]:
            self.mixed_instances_policy = mixed

    return updated


def own_template(self: Moto) -> dict[str, Any] | None:
    """Tell a group's own template: none if it has a mixed policy, which names its own."""
    template = self.ec2_launch_template
    if template is None or self.mixed_instances_policy:
        return None
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": self.provided_launch_template_version,
    }


def time_will_tell(self: Moto, instance_ids: list[str]) -> None:
    """Do nothing when instances are terminated: the group sees it when time passes (rule 30)."""


def _source(self: Moto) -> Source | None:
    """Read what a request wants launched, None if it does not say."""
    template = self._get_param("LaunchTemplate")
    mixed = self._get_param("MixedInstancesPolicy")
    if mixed:
        return Source(mixed.get("LaunchTemplate", {}).get("LaunchTemplateSpecification"), mixed)
    return Source(template, None) if template else None


def creation_is_checked(layer: "Layer", create: Handler) -> Handler:
    """Rules 1, 36, 39: refuse what AWS refuses; put hooks before the first launch.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
    """

    def created(self: Moto) -> Moto:
        backend, name = self.autoscaling_backend, self._get_param("AutoScalingGroupName")
        checks.check_name(backend, name)
        checks.check_sizes(
            self._get_int_param("MinSize"),
            self._get_int_param("MaxSize"),
            self._get_int_param("DesiredCapacity"),
        )
        if source := _source(self):
            checks.check_source(layer, SimpleNamespace(ec2_backend=backend.ec2_backend), source)
        hooks = self._get_param("LifecycleHookSpecificationList", [])
        for each in hooks:
            checks.check_hook(each, known=False)
        answer = create(self)
        # Moto takes 0 for 300, and so it does no word; AWS's default is 0.
        backend.autoscaling_groups[name].health_check_grace_period = 0
        _keep(self, backend.autoscaling_groups[name])
        for each in hooks:
            put_hook(backend, name, each)
        return answer

    return created


def change_is_checked(layer: "Layer", change: Handler) -> Handler:
    """Refuse sizes that contradict each other and templates that are not there; keep the rest.

    Rule 39: a maximum below the desired capacity lowers it.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    """

    def changed(self: Moto) -> Moto:
        group = checks.group_named(
            self.autoscaling_backend, self._get_param("AutoScalingGroupName")
        )
        checks.check_sizes(
            self._get_int_param("MinSize", group.min_size),
            self._get_int_param("MaxSize", group.max_size),
            self._get_int_param("DesiredCapacity"),
        )
        if source := _source(self):
            checks.check_source(layer, group, source)
        answer = change(self)
        _keep(self, group)
        return answer

    return changed


def _keep(self: Moto, group: Moto) -> None:
    """Keep what moto forgets; -1 clears a value."""
    for name, attribute in _KEPT.items():
        value = self._get_param(name)
        cleared = value == -1 or (isinstance(value, dict) and -1 in value.values())
        if value is not None:
            setattr(group, attribute, None if cleared else value)


def capacity_is_checked(change: Handler) -> Handler:
    """Refuse a capacity outside of the group's sizes.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html
    """

    def changed(self: Moto) -> Moto:
        group = checks.group_named(
            self.autoscaling_backend, self._get_param("AutoScalingGroupName")
        )
        wanted = self._get_int_param("DesiredCapacity")
        for outside, side, bound in (
            (wanted > group.max_size, "above max", group.max_size),
            (wanted < group.min_size, "below min", group.min_size),
        ):
            if outside:
                raise invalid(
                    f"New SetDesiredCapacity value {wanted} is {side} value {bound} for the"
                    " AutoScalingGroup."
                )
        return change(self)

    return changed


def delete(self: Moto) -> Moto:
    """Rule 34: a group with instances is deleted by force only, and is gone later.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
    """
    backend, name = self.autoscaling_backend, self._get_param("AutoScalingGroupName")
    fleet = fleet_of(checks.group_named(backend, name))
    forced = self._get_bool_param("ForceDelete")
    _refuse_if_protected(fleet.group, forced=forced)
    if not forced:
        _refuse_with_members(fleet)
    fleet.deleted_at, fleet.group.status = fleet.now, "Delete in progress"
    for each in fleet.members:
        if each.stage == TERMINATING:
            life.end_waiting(fleet, each)
        else:
            life.terminate(
                fleet,
                each,
                "an instance was taken out of service: its group is deleted.",
                force=True,
            )
    return EmptyResult()


def _refuse_if_protected(group: Moto, *, forced: bool) -> None:
    level = getattr(group, "deletion_protection", None)
    if level == "prevent-all-deletion" or (forced and level == "prevent-force-deletion"):
        raise invalid(f"The group {group.name} has deletion protection ({level}) enabled.")


def _refuse_with_members(fleet: Fleet) -> None:
    if any(each.stage != TERMINATING for each in fleet.members):
        raise refused(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot"
            " instance request(s) still in the group.",
        )
    if fleet.members:
        raise refused(
            "ScalingActivityInProgress",
            "You cannot delete an AutoScalingGroup while there are scaling activities in progress"
            " for that group.",
        )
