"""Groups: what may be made, changed and deleted. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

import pytest
from support.groups import Group

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""
MakeGroup = Callable[..., Group]
Refusal = Callable[..., tuple[int, str]]

INVALID = (400, "ValidationError")


def test_rule_36_a_group_s_name_is_used_once(make_group: MakeGroup, refusal: Refusal) -> None:
    """A second creation is refused, and leaves the first group as it is."""
    group = make_group()
    again = refusal(
        group.client.create_auto_scaling_group,
        AutoScalingGroupName=group.name,
        MinSize=0,
        MaxSize=0,
        LaunchTemplate={"LaunchTemplateName": group.name},
        AvailabilityZones=["us-east-2a"],
    )
    assert again == (400, "AlreadyExists")
    assert len(group.members()) == 1


@pytest.mark.parametrize("settings", [
    {"AutoScalingGroupName": "with:colon"},
    {"AutoScalingGroupName": "x" * 256},
    {"MinSize": 3, "MaxSize": 2},
    {"MinSize": 1, "MaxSize": 2, "DesiredCapacity": 3},
    {"LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0"}},
])  # fmt: skip
def test_rule_36_a_group_that_cannot_be_is_refused(
    make_group: MakeGroup, refusal: Refusal, settings: dict[str, object]
) -> None:
    """Names with a colon or too long, sizes that contradict each other, a template that is not."""
    assert refusal(make_group, **settings) == INVALID


@pytest.mark.parametrize("template", [
    {"ImageId": "ami-0123456789abcdef0"},
    {"IamInstanceProfile": {"Name": "nobody"}},
])  # fmt: skip
def test_rule_01_a_template_that_names_what_is_not_there_makes_no_group(
    make_group: MakeGroup, refusal: Refusal, template: dict[str, object]
) -> None:
    """An image, an instance profile."""
    assert refusal(make_group, template=template) == INVALID


def test_rule_01_a_new_profile_is_not_seen_at_once(
    make_group: MakeGroup, iam: Client, autoscaling: Client, aws: EmbeddedAws, name: str
) -> None:
    """The message says Invalid IAM Instance Profile; later it is seen."""
    iam.create_instance_profile(InstanceProfileName=name)
    aws.propagation.seconds = 10.0
    with pytest.raises(
        autoscaling.exceptions.ClientError, match="Invalid IAM Instance Profile name"
    ):
        make_group(template={"IamInstanceProfile": {"Name": name}})
    aws.propagation.seconds = 0.0
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=1,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateName": name},
        AvailabilityZones=["us-east-2a"],
    )


def test_rule_39_a_lower_maximum_lowers_the_desired_capacity(make_group: MakeGroup) -> None:
    """In silence; and the newest member goes only through Terminating."""
    group = make_group(DesiredCapacity=2)
    group.wait()
    group.client.update_auto_scaling_group(AutoScalingGroupName=group.name, MaxSize=1)
    assert group.describe()["DesiredCapacity"] == 1
    assert sorted(group.states()) == ["InService", "Terminating"]


@pytest.mark.parametrize("wanted", [0, 3])
def test_a_capacity_outside_of_the_sizes_is_refused(
    make_group: MakeGroup, refusal: Refusal, wanted: int
) -> None:
    """SetDesiredCapacity never moves the sizes."""
    group = make_group()
    refused = refusal(
        group.client.set_desired_capacity, AutoScalingGroupName=group.name, DesiredCapacity=wanted
    )
    assert refused == INVALID


def test_rule_27_and_32_policy_and_warmup_are_told_as_given(make_group: MakeGroup) -> None:
    """InstanceMaintenancePolicy and DefaultInstanceWarmup; -1 clears the policy."""
    policy = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}
    group = make_group(InstanceMaintenancePolicy=policy, DefaultInstanceWarmup=0)
    told = group.describe()
    assert (told["InstanceMaintenancePolicy"], told["DefaultInstanceWarmup"]) == (policy, 0)
    group.client.update_auto_scaling_group(
        AutoScalingGroupName=group.name,
        InstanceMaintenancePolicy={"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1},
    )
    assert "InstanceMaintenancePolicy" not in group.describe()


@pytest.mark.parametrize("given", [{}, {"HealthCheckGracePeriod": 0}])
def test_a_group_has_no_grace_period_unless_it_is_given_one(
    make_group: MakeGroup, given: dict[str, int]
) -> None:
    """AWS's default is 0, and 0 is a value."""
    assert make_group(**given).describe()["HealthCheckGracePeriod"] == 0


def test_rule_31_enabling_without_names_enables_all_metrics(make_group: MakeGroup) -> None:
    """GroupInServiceInstances is among them; they can be disabled by name."""
    group = make_group()
    one = {"AutoScalingGroupName": group.name}
    group.client.enable_metrics_collection(**one, Granularity="1Minute")
    assert "GroupInServiceInstances" in {m["Metric"] for m in group.describe()["EnabledMetrics"]}
    group.client.disable_metrics_collection(**one, Metrics=["GroupInServiceInstances"])
    left = {m["Metric"] for m in group.describe()["EnabledMetrics"]}
    assert "GroupInServiceInstances" not in left
    assert "GroupTotalInstances" in left


def test_an_update_leaves_what_it_does_not_name(make_group: MakeGroup, name: str) -> None:
    """Desired capacity and mixed policy stay when only the minimum changes."""
    named = {"LaunchTemplateName": name, "Version": "1"}
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": named,
            "Overrides": [{"InstanceType": "t3a.micro"}],
        }
    }
    group = make_group(MixedInstancesPolicy=policy, DesiredCapacity=2)
    group.client.update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=1)
    told = group.describe()
    assert told["DesiredCapacity"] == 2
    assert "LaunchTemplate" not in told
    specification = told["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    assert specification["Version"] == "1"


def test_rule_34_a_group_with_instances_is_not_deleted(
    make_group: MakeGroup, refusal: Refusal
) -> None:
    """ResourceInUse; while they terminate ScalingActivityInProgress; then it is gone, later."""
    group = make_group()
    group.wait()
    one = {"AutoScalingGroupName": group.name}
    assert refusal(group.client.delete_auto_scaling_group, **one) == (400, "ResourceInUse")
    group.client.update_auto_scaling_group(**one, MinSize=0, MaxSize=0)
    busy = refusal(group.client.delete_auto_scaling_group, **one)
    assert busy == (400, "ScalingActivityInProgress")
    group.wait()
    assert group.states() == []
    group.client.delete_auto_scaling_group(**one)
    assert group.describe()["Status"] == "Delete in progress"
    group.clock.advance(20)
    named = group.client.describe_auto_scaling_groups(AutoScalingGroupNames=[group.name])
    assert named["AutoScalingGroups"] == []


@pytest.mark.parametrize(
    ("level", "forced"), [("prevent-all-deletion", False), ("prevent-force-deletion", True)]
)
def test_rule_34_a_protected_group_is_not_deleted_until_that_is_taken_off(
    make_group: MakeGroup, refusal: Refusal, level: str, *, forced: bool
) -> None:
    """ValidationError, empty or not; nothing happens to its instances. It is told as it was set."""
    group = make_group(DeletionProtection=level)
    group.wait()
    one = {"AutoScalingGroupName": group.name}
    refused = refusal(group.client.delete_auto_scaling_group, **one, ForceDelete=forced)
    assert refused == (400, "ValidationError")
    assert (group.states(), group.describe()["DeletionProtection"]) == (["InService"], level)
    group.client.update_auto_scaling_group(**one, DeletionProtection="none")  # the end deletes it


def test_rule_34_force_deletes_with_instances_and_without_hooks(make_group: MakeGroup) -> None:
    """The instances are terminated at once, whatever would hold them; the group goes with them."""
    group = make_group(LifecycleHookSpecificationList=[
        {
            "LifecycleHookName": "drain",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        }
    ])  # fmt: skip
    group.wait()
    group.client.delete_auto_scaling_group(AutoScalingGroupName=group.name, ForceDelete=True)
    assert group.states() == ["Terminating"]
    group.clock.advance(20)
    assert group.client.describe_auto_scaling_groups()["AutoScalingGroups"] == []
