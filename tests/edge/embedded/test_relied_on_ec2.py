"""What moto has right of EC2 and this project relies on, before anything is launched."""

from typing import Any

import pytest

Client = Any
"""A boto3 client."""


@pytest.mark.parametrize(
    ("type_name", "architecture"),
    [
        ("t3.micro", "x86_64"),
        ("t3a.micro", "x86_64"),
        ("t2.micro", "x86_64"),
        ("t4g.micro", "arm64"),
    ],
)
def test_rule_35_types_and_where_they_are_offered_can_be_asked(
    ec2: Client, subnets: dict[str, str], type_name: str, architecture: str
) -> None:
    """The small types are offered in every zone, each with its architecture."""
    chosen = [{"Name": "instance-type", "Values": [type_name]}]
    offered = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=chosen
    )["InstanceTypeOfferings"]
    assert {each["Location"] for each in offered} == set(subnets)
    told = ec2.describe_instance_types(InstanceTypes=[type_name])["InstanceTypes"][0]
    assert architecture in told["ProcessorInfo"]["SupportedArchitectures"]


def test_an_unknown_type_is_refused(ec2: Client) -> None:
    """InvalidInstanceType."""
    with pytest.raises(ec2.exceptions.ClientError, match="InvalidInstanceType"):
        ec2.describe_instance_types(InstanceTypes=["t9.micro"])


def test_rule_42_an_image_tells_its_root_device(ec2: Client, image_id: str) -> None:
    """And its architecture."""
    image = ec2.describe_images(ImageIds=[image_id])["Images"][0]
    devices = [each["DeviceName"] for each in image["BlockDeviceMappings"]]
    assert image["RootDeviceName"] in devices
    assert image["Architecture"] == "x86_64"
