"""Instance refresh: starting, telling, cancelling, rolling back."""

from typing import TYPE_CHECKING, Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from worker.demo.embedded.autoscaling import checks
from worker.demo.embedded.autoscaling.activities import moment
from worker.demo.embedded.autoscaling.errors import invalid, refused
from worker.demo.embedded.autoscaling.fleet import Fleet, Source, fleet_of
from worker.demo.embedded.autoscaling.launch import resolve
from worker.demo.embedded.autoscaling.refresh import Refresh, roll_back
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer


def correct(layer: "Layer") -> None:
    """Add the four operations that moto does not know."""
    patches, api = layer.patches, AutoScalingResponse

    def started(self: Moto) -> Moto:
        return start(layer, self)

    patches.replace(api, "start_instance_refresh", started)
    patches.replace(api, "describe_instance_refreshes", describe)
    patches.replace(api, "cancel_instance_refresh", cancel)
    patches.replace(api, "rollback_instance_refresh", rollback)


def start(layer: "Layer", self: Moto) -> Moto:
    """Begin to replace the group's members, one refresh at a time.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html
    """
    fleet = _fleet(self)
    if fleet.refresh is not None:
        raise refused(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance"
            " Refresh.",
        )
    desired = self._get_param("DesiredConfiguration")
    source = _source(fleet, desired)
    checks.check_source(layer, fleet.group, source)
    preferences = _preferences(fleet, self._get_param("Preferences", {}))
    refresh = _begin(fleet, source, preferences, desired)
    if preferences["AutoRollback"] and (reason := _irreversible(refresh)):
        raise invalid(f"AutoRollback cannot be used: {reason}")
    fleet.refreshes.insert(0, refresh)
    return ActionResult({"InstanceRefreshId": refresh.instance_refresh_id})


def _fleet(self: Moto) -> Fleet:
    name = self._get_param("AutoScalingGroupName")
    return fleet_of(checks.group_named(self.autoscaling_backend, name))


def _source(fleet: Fleet, desired: dict[str, Any] | None) -> Source:
    if not desired:
        return fleet.source
    mixed = desired.get("MixedInstancesPolicy")
    holder = mixed["LaunchTemplate"] if mixed else desired
    return Source(holder["LaunchTemplateSpecification" if mixed else "LaunchTemplate"], mixed)


def _begin(
    fleet: Fleet, source: Source, preferences: dict[str, Any], desired: dict[str, Any] | None
) -> Refresh:
    """Choose who has to go: all members, or with SkipMatching those of another version."""
    named, _ = resolve(fleet.group, source)
    if source.template is not None:
        version = source.template.get("Version") or "$Default"
        source = Source({**named, "Version": version}, source.mixed)
    members = fleet.capacity
    old = {
        each.instance_id
        for each in members
        if not (preferences["SkipMatching"] and each.launch_template == named)
    }
    return Refresh(
        fleet=fleet,
        source=source,
        before=fleet.source,
        preferences=preferences,
        desired_configuration=desired,
        old=old,
        original=frozenset(each.instance_id for each in members),
        total=len(old),
        start_time=moment(fleet.now),
        moved_at=fleet.now,
    )


def _preferences(fleet: Fleet, given: dict[str, Any]) -> dict[str, Any]:
    """Fill in the defaults: the group's maintenance policy, else 90 and 100 percent.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
    """
    group = fleet.group
    policy = getattr(group, "instance_maintenance_policy", None) or {}
    if "MaxHealthyPercentage" in given and "MinHealthyPercentage" not in given:
        raise invalid("MinHealthyPercentage must be specified with MaxHealthyPercentage")
    warmup = getattr(group, "default_instance_warmup", None)
    if warmup is None:
        warmup = group.health_check_grace_period
    filled = {
        "MinHealthyPercentage": policy.get("MinHealthyPercentage", 90),
        "MaxHealthyPercentage": policy.get("MaxHealthyPercentage", 100),
        "InstanceWarmup": warmup or 0,
        "SkipMatching": False,
        "AutoRollback": False,
        "ScaleInProtectedInstances": "Wait",
        "StandbyInstances": "Wait",
        "explicit_max": "MaxHealthyPercentage" in {**policy, **given},
        **given,
    }
    if int(filled["MaxHealthyPercentage"]) - int(filled["MinHealthyPercentage"]) > 100:  # noqa: PLR2004 # percent
        raise invalid("The difference between the healthy percentages cannot exceed 100")
    return filled


def _irreversible(refresh: Refresh) -> str:
    """Say why a refresh cannot be rolled back, or nothing (rule 25)."""
    if not refresh.desired_configuration:
        return "the instance refresh has no desired configuration."
    for source in (refresh.before, refresh.source):
        version = (source.template or {}).get("Version") or "$Default"
        if not version.isdigit():
            return f"the launch template's version is {version}, not a number."
    return ""


def describe(self: Moto) -> Moto:
    """Tell a group's refreshes, the newest first.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeInstanceRefreshes.html
    """
    wanted = self._get_param("InstanceRefreshIds", [])
    found = [
        each for each in _fleet(self).refreshes if not wanted or each.instance_refresh_id in wanted
    ]
    return ActionResult({"InstanceRefreshes": found})


def _active(fleet: Fleet) -> Refresh:
    refresh = fleet.refresh
    if refresh is None or refresh.status in ("Cancelling", "RollbackInProgress"):
        raise refused(
            "ActiveInstanceRefreshNotFound",
            "No in progress or pending Instance Refresh found for Auto Scaling group"
            f" {fleet.group.name}",
        )
    return refresh


def cancel(self: Moto) -> Moto:
    """Stop a refresh; what it has replaced stays replaced.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CancelInstanceRefresh.html
    """
    refresh = _active(_fleet(self))
    refresh.status = "Cancelling"
    return ActionResult({"InstanceRefreshId": refresh.instance_refresh_id})


def rollback(self: Moto) -> Moto:
    """Rules 25 and 26: turn a running refresh round, if versions are numbers.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RollbackInstanceRefresh.html
    """
    refresh = _active(_fleet(self))
    if reason := _irreversible(refresh):
        raise refused("IrreversibleInstanceRefresh", f"The refresh cannot be rolled back: {reason}")
    roll_back(refresh, "User initiated rollback")
    return ActionResult({"InstanceRefreshId": refresh.instance_refresh_id})
