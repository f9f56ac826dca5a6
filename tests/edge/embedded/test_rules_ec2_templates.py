"""Launch templates, and what an instance gets from one. Every test here fails on plain moto."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

Client = Any
"""A boto3 client."""
Refusal = Callable[..., tuple[int, str]]


def encoded(size: int) -> str:
    """Write user data of so many bytes, as a template takes it."""
    return base64.b64encode(b"#" * size).decode()


@pytest.mark.parametrize("bad", ["ab", "x" * 129, "with space", "with:colon"])
def test_rule_36_a_template_name_has_3_to_128_plain_characters(
    ec2: Client, bad: str, refusal: Refusal
) -> None:
    """Others are malformed."""
    data = {"InstanceType": "t3.micro"}
    refused = refusal(ec2.create_launch_template, LaunchTemplateName=bad, LaunchTemplateData=data)
    assert refused == (400, "InvalidLaunchTemplateName.MalformedException")


@pytest.mark.parametrize(
    ("user_data", "code"),
    [("#!/bin/sh", "InvalidUserData.Malformed"), (encoded(16385), "InvalidParameterValue")],
)
def test_rule_24_user_data_of_a_version_is_base64_and_small(
    ec2: Client, name: str, user_data: str, code: str, refusal: Refusal
) -> None:
    """The first version and the later ones alike; 16 KB decoded is the most."""
    ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"UserData": encoded(16384)}
    )
    refused = refusal(
        ec2.create_launch_template_version,
        LaunchTemplateName=name,
        LaunchTemplateData={"UserData": user_data},
    )
    assert refused == (400, code)


def test_a_new_version_builds_on_its_source(ec2: Client, name: str) -> None:
    """SourceVersion brings what the new version does not say."""
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"InstanceType": "t3.micro", "ImageId": "ami-1"},
    )
    made = ec2.create_launch_template_version(
        LaunchTemplateName=name, SourceVersion="1", LaunchTemplateData={"ImageId": "ami-2"}
    )["LaunchTemplateVersion"]
    assert made["VersionNumber"] == 2
    told = ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=["2"])
    data = told["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert (data["InstanceType"], data["ImageId"]) == ("t3.micro", "ami-2")


def test_a_template_s_own_tags_are_no_part_of_its_data(ec2: Client, name: str) -> None:
    """What is compared later is what was given."""
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"InstanceType": "t3.micro"},
        TagSpecifications=[
            {"ResourceType": "launch-template", "Tags": [{"Key": "stack", "Value": "one"}]}
        ],
    )
    told = ec2.describe_launch_template_versions(LaunchTemplateName=name)
    data = told["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert data == {"InstanceType": "t3.micro"}
    template = ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"][0]
    assert template["Tags"] == [{"Key": "stack", "Value": "one"}]


def test_rule_01_run_instances_refuses_a_profile_that_is_not_there(
    ec2: Client, image_id: str, refusal: Refusal
) -> None:
    """By name or by ARN: InvalidParameterValue, and nothing is launched."""
    for profile in (
        {"Name": "nobody"},
        {"Arn": "arn:aws:iam::123456789012:instance-profile/nobody"},
    ):
        refused = refusal(
            ec2.run_instances,
            ImageId=image_id,
            MinCount=1,
            MaxCount=1,
            IamInstanceProfile=profile,
        )
        assert refused == (400, "InvalidParameterValue")


def a_full_template(image: dict[str, Any], profile: str, group: str) -> dict[str, Any]:
    """Write a template that says all that an instance gets of one."""
    root = {"DeviceName": image["RootDeviceName"], "Ebs": {"VolumeSize": 21, "VolumeType": "gp3"}}
    tags = [{"Key": "stack", "Value": "one"}]
    interface = {"DeviceIndex": 0, "Groups": [group], "AssociatePublicIpAddress": True}
    return {
        "ImageId": image["ImageId"],
        "InstanceType": "t3.micro",
        "IamInstanceProfile": {"Arn": profile},
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "NetworkInterfaces": [interface],
        "BlockDeviceMappings": [root],
        "InstanceMarketOptions": {"MarketType": "spot"},
        "InstanceInitiatedShutdownBehavior": "terminate",
        "TagSpecifications": [{"ResourceType": "volume", "Tags": tags}],
    }


def test_an_instance_gets_all_of_its_template(
    ec2: Client, iam: Client, image_id: str, name: str
) -> None:
    """Profile, metadata options, the interface's security groups, disks and their tags, market."""
    profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
    group = ec2.create_security_group(GroupName=name, Description="one")["GroupId"]
    image = ec2.describe_images(ImageIds=[image_id])["Images"][0]
    ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData=a_full_template(image, profile, group)
    )
    named = {"LaunchTemplateName": name}
    run = ec2.run_instances(LaunchTemplate=named, MinCount=1, MaxCount=1)
    launched = run["Instances"][0]["InstanceId"]
    told = ec2.describe_instances(InstanceIds=[launched])["Reservations"][0]["Instances"][0]
    assert told["IamInstanceProfile"]["Arn"] == profile
    assert told["MetadataOptions"]["HttpTokens"] == "required"
    assert [each["GroupId"] for each in told["SecurityGroups"]] == [group]
    assert told["InstanceLifecycle"] == "spot"
    chosen = {"Name": "attachment.instance-id", "Values": [launched]}
    volumes = ec2.describe_volumes(Filters=[chosen])["Volumes"]
    assert [(each["Size"], each["VolumeType"]) for each in volumes] == [(21, "gp3")]
    assert volumes[0]["Tags"] == [{"Key": "stack", "Value": "one"}]
    behaviour = ec2.describe_instance_attribute(
        InstanceId=launched, Attribute="instanceInitiatedShutdownBehavior"
    )
    assert behaviour["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"


def test_a_deleted_version_is_gone_and_its_number_is_not_used_again(
    ec2: Client, name: str, refusal: Refusal
) -> None:
    """The default version cannot be deleted; a page tells more than 15 versions."""
    data = {"InstanceType": "t3.micro"}
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    for _ in range(17):
        ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)
    deleted = ec2.delete_launch_template_versions(LaunchTemplateName=name, Versions=["1", "18"])
    done = deleted["SuccessfullyDeletedLaunchTemplateVersions"]
    refused = deleted["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert ([each["VersionNumber"] for each in done], len(refused)) == ([18], 1)
    made = ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)
    assert made["LaunchTemplateVersion"]["VersionNumber"] == 19
    told = ec2.describe_launch_template_versions(LaunchTemplateName=name)
    numbers = [each["VersionNumber"] for each in told["LaunchTemplateVersions"]]
    assert numbers == [*range(1, 18), 19]
    gone = refusal(ec2.describe_launch_template_versions, LaunchTemplateName=name, Versions=["18"])
    assert gone == (400, "InvalidLaunchTemplateId.VersionNotFound")


def test_a_template_that_is_gone_is_not_found(ec2: Client, name: str, refusal: Refusal) -> None:
    """Moto says that a name is missing from the request."""
    refused = refusal(ec2.delete_launch_template, LaunchTemplateName=name)
    assert refused == (400, "InvalidLaunchTemplateName.NotFoundException")


def test_tags_that_a_template_gets_later_are_told(ec2: Client, name: str) -> None:
    """CreateTags changes what DescribeLaunchTemplates tells."""
    made = ec2.create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"InstanceType": "t3.micro"}
    )["LaunchTemplate"]
    tag = {"Key": "stack", "Value": "files"}
    ec2.create_tags(Resources=[made["LaunchTemplateId"]], Tags=[tag])
    told = ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"][0]
    assert told["Tags"] == [tag]


def test_a_request_that_is_sent_again_makes_nothing_twice(ec2: Client, name: str) -> None:
    """The same ClientToken, which botocore chooses: the same template, and the same version."""
    what = {"LaunchTemplateName": name, "LaunchTemplateData": {"InstanceType": "t3.micro"}}
    token = f"{name}-template"
    made = [ec2.create_launch_template(ClientToken=token, **what) for _ in range(2)]
    assert made[0]["LaunchTemplate"] == made[1]["LaunchTemplate"]
    for _ in range(2):
        ec2.create_launch_template_version(ClientToken=f"{name}-version", **what)
    told = ec2.describe_launch_template_versions(LaunchTemplateName=name)
    assert [each["VersionNumber"] for each in told["LaunchTemplateVersions"]] == [1, 2]
