"""The Auto Scaling group: looks at it, makes it, changes it, drains and deletes it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from provision.aws.group_facts import template_of
from provision.aws.waiting import Pause, wait_until
from provision.core.resource import (
    Change,
    Found,
    Json,
    Key,
    Wanted,
    found_with_tags,
    plain_tags,
    tags_of,
)
from provision.errors import ProvisionError
from provision.group_rollout import GroupRollout
from provision.resources.group import (
    HOOK,
    METRIC_GRANULARITY,
    MIXED,
    SUBNETS,
    SUSPENDED,
    TEMPLATE,
    mixed_policy,
)
from provision.resources.launch_template import LaunchTemplateProvider
from provision.resources.template_data import readable, template_properties, values_of
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from provision.aws.session import Aws

PLAIN: Final = (
    "MinSize",
    "MaxSize",
    "DesiredCapacity",
    "HealthCheckType",
    "HealthCheckGracePeriod",
    "DefaultInstanceWarmup",
    "InstanceMaintenancePolicy",
    "NewInstancesProtectedFromScaleIn",
)
"""Properties that go to AWS as they are."""

EMPTYING_LIMIT_SECONDS: Final = 600
"""Beyond the hook's time: launches that are under way, and terminations."""


class GroupProvider:
    """Groups by name; `pause` is told why one waits."""

    def __init__(self, aws: "Aws", blueprint: Blueprint, pause: Pause) -> None:
        self._autoscaling = aws.autoscaling
        self._blueprint = blueprint
        self._pause = pause
        self._rollout = GroupRollout(aws, blueprint, pause)
        self._templates = LaunchTemplateProvider(aws.ec2, aws.autoscaling, blueprint)

    def observe(self, key: Key) -> Found | None:
        """Return the group's settings, what its template version holds, its hooks and tags."""
        group = self._describe(key.name)
        if group is None:
            return None
        properties: dict[str, Json] = {
            **{name: group.get(name) for name in PLAIN},
            TEMPLATE: self._template(group),
            MIXED: _normal_mixed(group.get(MIXED), mixed_policy(self._blueprint)),
            SUBNETS: sorted(each for each in group.get(SUBNETS, "").split(",") if each),
            SUSPENDED: sorted(each["ProcessName"] for each in group.get(SUSPENDED, [])),
            **{f"metric:{m['Metric']}": m["Granularity"] for m in group.get("EnabledMetrics", [])},
            **self._hooks(key.name),
        }
        return found_with_tags(properties, plain_tags(group["Tags"]))

    def create(self, wanted: Wanted) -> None:
        """Create the group with its hook and tags in one call, then have it counted.

        The hook comes with the group, before the first instance: none can go undrained.
        """
        values, name = wanted.values(), wanted.key.name
        request: dict[str, Any] = {
            **{each: values[each] for each in PLAIN if each in values},
            **self._rollout.configuration(self._wanted_version()),
            SUBNETS: ",".join(cast("list[str]", values[SUBNETS])),
            "DesiredCapacity": self._blueprint.sizes.desired,
            "LifecycleHookSpecificationList": [_hook(values[HOOK])],
            "Tags": _tags(name, tags_of(values)),
        }
        self._autoscaling.create_auto_scaling_group(AutoScalingGroupName=name, **request)
        self._count(name, values)

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Change settings in place, and what instances are by an instance refresh (rule 26)."""
        changed, name = {each.name: each.after for each in changes}, wanted.key.name
        if SUSPENDED in changed:
            self._autoscaling.resume_processes(AutoScalingGroupName=name)
        if HOOK in changed:
            self._autoscaling.put_lifecycle_hook(
                AutoScalingGroupName=name, **cast("Any", _hook(changed[HOOK]))
            )
        self._set_plain(name, changed)
        self._count(name, changed)
        if tags := tags_of(changed):
            self._autoscaling.create_or_update_tags(Tags=_tags(name, tags))
        if {TEMPLATE, MIXED} & changed.keys():
            self._rollout.to_version(self._wanted_version())

    def delete(self, key: Key) -> None:
        """Drain every instance through its hook, then delete the group, and wait until it is gone.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-process-shutdown.html (rule 34)
        """
        group = self._describe(key.name)
        if group is None:
            return
        _must_not_be_protected(group)
        _must_not_stand_by(group)
        if group.get(SUSPENDED):  # Terminate among them would hold every instance
            self._autoscaling.resume_processes(AutoScalingGroupName=key.name)
        self._unprotect(key.name)
        self._autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=key.name, MinSize=0, MaxSize=0, DesiredCapacity=0
        )
        limit = self._blueprint.stack.worker.drain_seconds + EMPTYING_LIMIT_SECONDS
        hint = "`provision destroy` goes on; an instance that does not drain ends with its hook"
        wait_until(lambda: self._still_there(key.name), self._pause, limit, hint)
        self._autoscaling.delete_auto_scaling_group(AutoScalingGroupName=key.name)
        wait_until(lambda: self._still_named(key.name), self._pause, limit, hint)

    def _wanted_version(self) -> int:
        blueprint = self._blueprint
        template, image = blueprint.names.launch_template, blueprint.image
        values = values_of(template_properties(blueprint, image)) if image else {}
        number = self._templates.number_of(template, values)
        if number is None:
            raise ProvisionError(
                f"no version of the launch template {template} is as the stack file says",
                "`provision apply` makes one",
            )
        return number

    def _template(self, group: Mapping[str, Any]) -> Json:
        named = template_of(group)
        if not named:
            return None
        data = readable(self._templates.version(named["LaunchTemplateName"], named["Version"]))
        # With $Latest or $Default a refresh cannot be turned back: it counts as changed (rule 25).
        return data if named["Version"].isdigit() else {**data, "Version": named["Version"]}

    def _describe(self, name: str) -> Mapping[str, Any] | None:
        answer = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        groups: Sequence[Mapping[str, Any]] = answer["AutoScalingGroups"]
        return groups[0] if groups else None

    def _hooks(self, name: str) -> dict[str, Json]:
        hooks = self._autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=name)
        return {
            f"hook:{each['LifecycleHookName']}": {
                "LifecycleTransition": each["LifecycleTransition"],
                "HeartbeatTimeout": each["HeartbeatTimeout"],
                "DefaultResult": each["DefaultResult"],
            }
            for each in hooks["LifecycleHooks"]
        }

    def _set_plain(self, name: str, changed: Mapping[str, Json]) -> None:
        settings: dict[str, Any] = {each: changed[each] for each in PLAIN if each in changed}
        if SUBNETS in changed:
            settings[SUBNETS] = ",".join(cast("list[str]", changed[SUBNETS]))
        if settings:
            self._autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, **settings)

    def _count(self, name: str, values: Mapping[str, Json]) -> None:
        metrics = [each.removeprefix("metric:") for each in values if each.startswith("metric:")]
        if metrics:
            self._autoscaling.enable_metrics_collection(
                AutoScalingGroupName=name, Metrics=metrics, Granularity=METRIC_GRANULARITY
            )

    def _unprotect(self, name: str) -> None:
        group = self._describe(name) or {}
        protected = [
            each["InstanceId"]
            for each in group.get("Instances", [])
            if each.get("ProtectedFromScaleIn")
        ]
        if protected:
            self._autoscaling.set_instance_protection(
                AutoScalingGroupName=name, InstanceIds=protected, ProtectedFromScaleIn=False
            )

    def _still_there(self, name: str) -> str | None:
        instances = (self._describe(name) or {}).get("Instances", [])
        states = ", ".join(f"{each['InstanceId']} {each['LifecycleState']}" for each in instances)
        return f"instances drain and go: {states}" if instances else None

    def _still_named(self, name: str) -> str | None:
        return "the group is being deleted" if self._describe(name) is not None else None


def _must_not_be_protected(group: Mapping[str, Any]) -> None:
    """Raise ProvisionError for a group that AWS would not delete, once it were empty (rule 34)."""
    if group.get("DeletionProtection") == "prevent-all-deletion":
        name = group["AutoScalingGroupName"]
        raise ProvisionError(
            f"the group {name} is protected against deletion, by somebody's will",
            f"`aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name}"
            " --deletion-protection none`",
        )


def _must_not_stand_by(group: Mapping[str, Any]) -> None:
    """Raise ProvisionError for instances in Standby: no size reaches them, somebody works there."""
    instances = group.get("Instances", [])
    ids = [each["InstanceId"] for each in instances if each["LifecycleState"] == "Standby"]
    if ids:
        name = group["AutoScalingGroupName"]
        raise ProvisionError(
            f"{', '.join(ids)} in Standby: somebody took them out, and the group cannot end them",
            f"`aws autoscaling exit-standby --auto-scaling-group-name {name}"
            f" --instance-ids {' '.join(ids)}`",
        )


def _normal_mixed(policy: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> Json:
    """Return a policy as mixed_policy has it; AWS fills in more than was asked for."""
    if not policy:
        return None
    spread = policy.get("InstancesDistribution", {})
    overrides = policy.get(TEMPLATE, {}).get("Overrides", [])
    named = {name: spread.get(name) for name in (wanted or spread) if name != "InstanceTypes"}
    return {"InstanceTypes": [each.get("InstanceType") for each in overrides], **named}


def _hook(settings: Json) -> Mapping[str, Any]:
    return {
        "LifecycleHookName": HOOK.removeprefix("hook:"),
        **cast("Mapping[str, Any]", settings),
    }


def _tags(group: str, tags: Mapping[str, str]) -> list[Any]:
    """Return the group's own tags; its instances have theirs from the template."""
    return [
        {
            "ResourceId": group,
            "ResourceType": "auto-scaling-group",
            "Key": name,
            "Value": value,
            "PropagateAtLaunch": False,
        }
        for name, value in tags.items()
    ]
