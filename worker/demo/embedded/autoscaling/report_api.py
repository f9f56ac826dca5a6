"""What groups report: their activities, and which metrics they publish."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from worker.demo.embedded.autoscaling import checks
from worker.demo.embedded.autoscaling.fleet import all_activities
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

Handler = Callable[..., Moto]

METRICS: Final = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
)
"""What EnableMetricsCollection enables if it names none (rule 31); those of warm pools left out."""


def correct(layer: "Layer") -> None:
    """Tell what moto does not."""
    patches, api = layer.patches, AutoScalingResponse
    patches.replace(api, "describe_scaling_activities", describe_activities)
    patches.wrap(AutoScalingBackend, "enable_metrics_collection", none_named_means_all)
    patches.replace(api, "disable_metrics_collection", disable_metrics)


def describe_activities(self: Moto) -> Moto:
    """Tell what groups did, the newest first; of deleted groups only if asked.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html
    """
    backend = self.autoscaling_backend
    name = self._get_param("AutoScalingGroupName")
    wanted = self._get_param("ActivityIds", [])
    deleted = self._get_bool_param("IncludeDeletedGroups")
    found = [
        each
        for each in all_activities(backend)
        if (not name or each.auto_scaling_group_name == name)
        and (not wanted or each.activity_id in wanted)
        and (deleted or each.auto_scaling_group_name in backend.autoscaling_groups)
    ]
    start = int(self._get_param("NextToken") or 0)
    end = start + self._get_int_param("MaxRecords", 100)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return ActionResult({"Activities": found[start:end], **more})


def none_named_means_all(enable: Handler) -> Handler:
    """Rule 31: without names, EnableMetricsCollection enables all; with names, these besides.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnableMetricsCollection.html
    """

    def enabled(self: Moto, group_name: str, metrics: list[str] | None) -> None:
        before = self.autoscaling_groups[group_name].metrics
        enable(self, group_name, list(dict.fromkeys([*before, *(metrics or METRICS)])))

    return enabled


def disable_metrics(self: Moto) -> Moto:
    """Disable the metrics that are named, or all.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DisableMetricsCollection.html
    """
    group = checks.group_named(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
    named = self._get_param("Metrics") or METRICS
    group.metrics = [each for each in group.metrics if each not in named]
    return EmptyResult()
