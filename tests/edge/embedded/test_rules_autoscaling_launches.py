"""What a group launches, where, and what is told of it. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

import pytest
from support.groups import Group

Client = Any
"""A boto3 client."""
MakeGroup = Callable[..., Group]


def instances(group: Group) -> list[dict[str, Any]]:
    """Describe the EC2 instances of a group."""
    chosen = {"Name": "tag:aws:autoscaling:groupName", "Values": [group.name]}
    found = group.ec2.describe_instances(Filters=[chosen])["Reservations"]
    return [instance for each in found for instance in each["Instances"]]


def test_a_member_has_all_of_its_template(make_group: MakeGroup, iam: Client, name: str) -> None:
    """Profile, user data, tokens, tags of group and template, the number of the version."""
    profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
    group = make_group(
        template={
            "IamInstanceProfile": {"Arn": profile},
            "UserData": "IyEvYmluL3No",
            "MetadataOptions": {"HttpTokens": "required"},
            "TagSpecifications": [
                {"ResourceType": "instance", "Tags": [{"Key": "one", "Value": "1"}]},
                {"ResourceType": "volume", "Tags": [{"Key": "two", "Value": "2"}]},
            ],
        },
        Tags=[{"Key": "three", "Value": "3", "PropagateAtLaunch": True}],
    )
    instance = instances(group)[0]
    tags = {each["Key"]: each["Value"] for each in instance["Tags"]}
    assert instance["IamInstanceProfile"]["Arn"] == profile
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert (tags["one"], tags["three"]) == ("1", "3")
    assert tags["aws:autoscaling:groupName"] == group.name
    assert tags["aws:ec2launchtemplate:version"] == "1"
    assert "two" not in tags
    chosen = {"Name": "attachment.instance-id", "Values": [instance["InstanceId"]]}
    volume = group.ec2.describe_volumes(Filters=[chosen])["Volumes"][0]
    assert volume["Tags"] == [{"Key": "two", "Value": "2"}]
    told = group.describe()["Instances"][0]["LaunchTemplate"]
    assert (told["LaunchTemplateName"], told["Version"]) == (group.name, "1")


def test_rule_25_a_member_keeps_the_version_it_was_launched_from(make_group: MakeGroup) -> None:
    """Also when the group names $Latest, and another version comes later."""
    group = make_group()
    latest = {"LaunchTemplateName": group.name, "Version": "$Latest"}
    group.client.update_auto_scaling_group(
        AutoScalingGroupName=group.name, LaunchTemplate=latest, DesiredCapacity=2
    )
    later = group.version(InstanceType="t3.small")
    group.ec2.modify_launch_template(LaunchTemplateName=group.name, DefaultVersion=later)
    versions = [each["LaunchTemplate"]["Version"] for each in group.describe()["Instances"]]
    assert versions == ["1", "1"]
    assert group.describe()["LaunchTemplate"]["Version"] == "$Latest"


def test_members_are_spread_over_the_zones(make_group: MakeGroup, subnets: dict[str, str]) -> None:
    """Three members, three subnets, three zones."""
    group = make_group(MaxSize=3, DesiredCapacity=3)
    zones = {each["AvailabilityZone"] for each in group.describe()["Instances"]}
    assert zones == set(subnets)
    assert {each["SubnetId"] for each in instances(group)} == set(subnets.values())


def test_a_mixed_policy_chooses_type_and_market(make_group: MakeGroup, name: str) -> None:
    """One on demand as the base, the others spot, of the first type that is offered."""
    named = {"LaunchTemplateName": name, "Version": "1"}
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": named,
            "Overrides": [{"InstanceType": "t4g.micro"}, {"InstanceType": "t3a.micro"}],
        },
        "InstancesDistribution": {
            "OnDemandBaseCapacity": 1,
            "OnDemandPercentageAboveBaseCapacity": 0,
        },
    }
    group = make_group(MixedInstancesPolicy=policy, MaxSize=3, DesiredCapacity=3)
    markets = [each.get("InstanceLifecycle") for each in instances(group)]
    assert sorted(markets, key=str) == [None, "spot", "spot"]
    assert {each["InstanceType"] for each in instances(group)} == {"t3a.micro"}


def test_rule_35_a_launch_is_told_by_an_activity(make_group: MakeGroup) -> None:
    """In progress until the member is in service, then successful."""
    group = make_group()
    instance_id = next(iter(group.members()))
    (activity,) = group.activities()
    assert activity["Description"] == f"Launching a new EC2 instance: {instance_id}"
    assert (activity["StatusCode"], group.states()) == ("InProgress", ["Pending"])
    group.wait()
    (activity,) = group.activities()
    assert (activity["StatusCode"], activity["Progress"]) == ("Successful", 100)
    assert group.states() == ["InService"]


@pytest.mark.parametrize(("template", "message"), [
    ({"InstanceType": "t4g.micro"}, "The architecture 'arm64' of the specified instance type"),
    ({"InstanceType": "t9.micro"}, "Invalid value 't9.micro' for InstanceType."),
    ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "The security group"),
])  # fmt: skip
def test_rule_35_a_launch_that_fails_is_told_by_activities_alone(
    make_group: MakeGroup, template: dict[str, object], message: str
) -> None:
    """The creation succeeds, no instance comes, and every zone was tried."""
    group = make_group(template=template)
    failed = group.activities()
    assert {each["StatusCode"] for each in failed} == {"Failed"}
    assert len(failed) == 3
    assert failed[0]["StatusMessage"].startswith(message)
    assert "Launching EC2 instance failed." in failed[0]["Description"]
    assert instances(group) == []


def test_rule_35_a_type_is_launched_where_it_is_offered(make_group: MakeGroup, ec2: Client) -> None:
    """DescribeInstanceTypeOfferings says where: the failures name the other zones."""
    offered = ec2.describe_instance_type_offerings(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": ["a1.medium"]}],
    )["InstanceTypeOfferings"]
    zones = {each["Location"] for each in offered}
    assert 0 < len(zones) < 3
    found = ec2.describe_images(
        Owners=["amazon"], Filters=[{"Name": "architecture", "Values": ["arm64"]}]
    )["Images"][0]["ImageId"]
    group = make_group(
        template={"InstanceType": "a1.medium", "ImageId": found}, MaxSize=4, DesiredCapacity=4
    )
    assert {each["AvailabilityZone"] for each in group.describe()["Instances"]} == zones
    messages = {a.get("StatusMessage") for a in group.activities() if a["StatusCode"] == "Failed"}
    assert len(messages) == 3 - len(zones)


def test_rule_35_an_image_that_is_pending_cannot_be_launched_yet(
    make_group: MakeGroup, ec2: Client, name: str
) -> None:
    """The group tries again later by itself."""
    base = make_group()
    made = ec2.create_image(InstanceId=next(iter(base.members())), Name=name)["ImageId"]
    version = base.version(ImageId=made)
    base.client.update_auto_scaling_group(
        AutoScalingGroupName=base.name, DesiredCapacity=2, **base.configuration(version)
    )
    assert "is not available" in base.activities()[0]["StatusMessage"]
    assert len(base.members()) == 1
    base.wait(60)
    assert len(base.members()) == 2


def test_a_suspended_process_does_nothing(make_group: MakeGroup) -> None:
    """Launch: no new member; Terminate: none goes; resumed, they catch up."""
    group = make_group()
    group.wait()
    one = {"AutoScalingGroupName": group.name}
    group.client.suspend_processes(**one, ScalingProcesses=["Launch", "Terminate"])
    group.client.update_auto_scaling_group(**one, DesiredCapacity=2)
    assert group.states() == ["InService"]
    group.client.update_auto_scaling_group(**one, MinSize=0, DesiredCapacity=0)
    assert group.states() == ["InService"]
    group.client.resume_processes(**one)
    assert group.states() == ["Terminating"]
