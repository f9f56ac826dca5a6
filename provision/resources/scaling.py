"""The scaling policy: as many instances as the backlog asks for.

It has no tags: a policy of our name, in our group, is ours.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from provision.aws.calls import unless_gone
from provision.core.plan import Intention
from provision.core.resource import Change, Found, Json, Key, Property, Wanted
from provision.resources.launch_template import NO_IMAGE
from provision.spec.blueprint import Blueprint

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import TargetTrackingConfigurationTypeDef

KIND: Final = "scaling-policy"

CONFIGURATION: Final = "TargetTrackingConfiguration"

BACKLOG: Final = "backlog / IF(FILL(instances, 0) > 0, instances, 1)"
"""Messages waiting per instance; with no instance, all of them: dividing by none gives no data, and
the group would never start one (rule 31)."""

GROUP_GONE_CODES: Final = ("ValidationError",)
"""What Auto Scaling says to a group's name that it does not know."""

PERIOD_SECONDS: Final = 60


def intention(blueprint: Blueprint) -> Intention:
    """Return what is wanted: a policy, or none where the stack file says so.

    While the function consumes, the group's maximum of 0 is what keeps the scaler still.
    """
    key = Key(KIND, blueprint.names.scaling_policy)
    if blueprint.stack.scaling.policy == "none":
        return Intention(key, None)
    if blueprint.image is None or blueprint.network is None:
        return Intention(key, None, waits_for=NO_IMAGE)
    return Intention(key, backlog_policy(blueprint))


def backlog_policy(blueprint: Blueprint) -> Wanted:
    """Return the policy: the scaler keeps the backlog an instance has near the target."""
    target = float(blueprint.stack.scaling.backlog_per_instance)
    return Wanted(
        Key(KIND, blueprint.names.scaling_policy),
        (
            Property(
                CONFIGURATION,
                {"TargetValue": target, "DisableScaleIn": False, "Metrics": _metrics(blueprint)},
                "messages waiting per instance (rule 31)",
            ),
        ),
    )


def _metrics(blueprint: Blueprint) -> Json:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-target-tracking-metric-math.html."""
    names = blueprint.names
    return [
        _metric(
            "backlog", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", names.queue
        ),
        _metric(
            "instances",
            "AWS/AutoScaling",
            "GroupInServiceInstances",
            "AutoScalingGroupName",
            names.group,
        ),
        {"Id": "backlog_per_instance", "Expression": BACKLOG, "ReturnData": True},
    ]


def _metric(name: str, namespace: str, metric: str, dimension: str, value: str) -> Json:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": dimension, "Value": value}],
            },
            "Period": PERIOD_SECONDS,
            "Stat": "Average",
        },
        "ReturnData": False,
    }


class ScalingPolicyProvider:
    """Policies by name, of the stack's group."""

    def __init__(self, autoscaling: "AutoScalingClient", blueprint: Blueprint) -> None:
        self._autoscaling = autoscaling
        self._group = blueprint.names.group
        self._stack = blueprint.stack.name

    def observe(self, key: Key) -> Found | None:
        """Return the policy's target and metrics; one of our name in our group is ours."""
        answer = unless_gone(
            lambda: self._autoscaling.describe_policies(
                AutoScalingGroupName=self._group, PolicyNames=[key.name]
            ),
            GROUP_GONE_CODES,
        )
        if answer is None or not answer["ScalingPolicies"]:
            return None
        configuration = answer["ScalingPolicies"][0].get(CONFIGURATION, {})
        return Found(self._stack, {CONFIGURATION: _normal(configuration)})

    def create(self, wanted: Wanted) -> None:
        """Put the policy: one of that name is replaced whole."""
        configuration = _sendable(cast("Mapping[str, Any]", wanted.values()[CONFIGURATION]))
        self._autoscaling.put_scaling_policy(
            AutoScalingGroupName=self._group,
            PolicyName=wanted.key.name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration=configuration,
        )

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Put the policy anew."""
        del changes
        self.create(wanted)

    def delete(self, key: Key) -> None:
        """Delete the policy, and with it the alarms that AWS made for it."""
        if self.observe(key) is not None:
            self._autoscaling.delete_policy(AutoScalingGroupName=self._group, PolicyName=key.name)


def _sendable(configuration: Mapping[str, Any]) -> "TargetTrackingConfigurationTypeDef":
    """Return the flat normal form as the API has it."""
    return {
        "TargetValue": configuration["TargetValue"],
        "DisableScaleIn": configuration["DisableScaleIn"],
        "CustomizedMetricSpecification": {"Metrics": configuration["Metrics"]},
    }


def _normal(configuration: Mapping[str, Any]) -> Json:
    metrics = configuration.get("CustomizedMetricSpecification", {}).get("Metrics", [])
    return {
        "TargetValue": float(configuration.get("TargetValue", 0)),
        "DisableScaleIn": configuration.get("DisableScaleIn", False),
        "Metrics": [_normal_metric(each) for each in metrics],
    }


def _normal_metric(metric: Mapping[str, Any]) -> Json:
    """Leave away what AWS says in its own stead: labels, and an empty Period of an expression."""
    kept = {name: metric[name] for name in ("Id", "Expression", "MetricStat") if metric.get(name)}
    stat = kept.get("MetricStat")
    if stat is not None:
        kept["MetricStat"] = {name: value for name, value in stat.items() if name != "Unit"}
    return {**kept, "ReturnData": metric.get("ReturnData", True)}
