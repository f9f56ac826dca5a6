"""Changes one property of an Auto Scaling group or its scaling behind `provision`'s back."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from provision.core.resource import Json, Key
from provision.resources.group import METRICS
from support.stack_in_aws import Admin

GROUP_OTHER_VALUES: Final[Mapping[str, Json]] = {
    "group:HealthCheckType": "ELB",
    "group:InstanceMaintenancePolicy": {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 120},
}


def _use_another_version(world: Admin, key: Key) -> None:
    template = world.blueprint.names.launch_template
    made = world.aws.ec2.create_launch_template_version(
        LaunchTemplateName=template,
        SourceVersion="$Default",
        LaunchTemplateData={"InstanceType": "t3.large"},
    )["LaunchTemplateVersion"]
    named: Any = {"LaunchTemplateName": template, "Version": str(made["VersionNumber"])}
    world.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=key.name, LaunchTemplate=named
    )


def _buy_spot(world: Admin, key: Key) -> None:
    named: Any = {
        "LaunchTemplateName": world.blueprint.names.launch_template,
        "Version": _version(world, key),
    }
    mixed: Any = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": named,
            "Overrides": [{"InstanceType": "t3.large"}],
        },
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
    }
    world.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=key.name, MixedInstancesPolicy=mixed
    )


def _version(world: Admin, key: Key) -> str:
    told = world.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[key.name])
    return told["AutoScalingGroups"][0]["LaunchTemplate"]["Version"]


def _leave_a_zone(world: Admin, key: Key) -> None:
    assert world.blueprint.network is not None
    left = sorted(world.blueprint.network.subnets)[1:]
    world.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=key.name, VPCZoneIdentifier=",".join(left)
    )


def _suspend(world: Admin, key: Key) -> None:
    world.aws.autoscaling.suspend_processes(
        AutoScalingGroupName=key.name, ScalingProcesses=["AZRebalance"]
    )


def _stop_counting(world: Admin, key: Key, metric: str) -> None:
    world.aws.autoscaling.disable_metrics_collection(
        AutoScalingGroupName=key.name, Metrics=[metric]
    )


GROUP_BY_HAND: Final[Mapping[str, Callable[[Admin, Key], None]]] = {
    "group:LaunchTemplate": _use_another_version,
    "group:MixedInstancesPolicy": _buy_spot,
    "group:SuspendedProcesses": _suspend,
    "group:VPCZoneIdentifier": _leave_a_zone,
    **{f"group:metric:{name}": partial(_stop_counting, metric=name) for name in METRICS},
}
