"""Images: names, states, disks, snapshots. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

import pytest

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""
Refusal = Callable[..., tuple[int, str]]

DISK = {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 33, "VolumeType": "gp3"}}


@pytest.fixture
def instance_id(ec2: Client, image_id: str, subnets: dict[str, str]) -> str:
    """Launch an instance with a second disk."""
    launched = ec2.run_instances(
        ImageId=image_id,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        SubnetId=subnets["us-east-2a"],
        BlockDeviceMappings=[DISK],
    )
    found: str = launched["Instances"][0]["InstanceId"]
    return found


def image(ec2: Client, image_id: str) -> dict[str, Any]:
    """Describe one image."""
    found: dict[str, Any] = ec2.describe_images(ImageIds=[image_id])["Images"][0]
    return found


def test_rule_40_an_image_is_pending_first(
    ec2: Client, aws: EmbeddedAws, instance_id: str, name: str
) -> None:
    """It becomes available by the clock, a minute later."""
    made = ec2.create_image(InstanceId=instance_id, Name=name)["ImageId"]
    assert image(ec2, made)["State"] == "pending"
    aws.clock.advance(59)
    assert image(ec2, made)["State"] == "pending"
    aws.clock.advance(1)
    assert image(ec2, made)["State"] == "available"


def test_images_are_as_old_as_the_clock_says(
    ec2: Client, aws: EmbeddedAws, instance_id: str, name: str
) -> None:
    """So that of two images one is the newer."""
    earlier = ec2.create_image(InstanceId=instance_id, Name=f"{name}-1")["ImageId"]
    aws.clock.advance(60)
    later = ec2.create_image(InstanceId=instance_id, Name=f"{name}-2")["ImageId"]
    assert image(ec2, earlier)["CreationDate"] < image(ec2, later)["CreationDate"]


def test_rule_40_an_image_name_is_used_once(
    ec2: Client, instance_id: str, name: str, refusal: Refusal
) -> None:
    """The second is refused; a deregistered image gives its name back."""
    first = ec2.create_image(InstanceId=instance_id, Name=name)["ImageId"]
    again = refusal(ec2.create_image, InstanceId=instance_id, Name=name)
    assert again == (400, "InvalidAMIName.Duplicate")
    ec2.deregister_image(ImageId=first)
    assert refusal(ec2.create_image, InstanceId=instance_id, Name=name) == (200, "")


@pytest.mark.parametrize("bad", ["x" * 129, "no_ümlaut", "no:colon"])
def test_rule_40_an_image_name_has_3_to_128_plain_characters(
    ec2: Client, instance_id: str, bad: str, refusal: Refusal
) -> None:
    """Others are malformed."""
    refused = refusal(ec2.create_image, InstanceId=instance_id, Name=bad)
    assert refused == (400, "InvalidAMIName.Malformed")


def test_rule_42_an_image_has_the_disks_of_its_instance(
    ec2: Client, instance_id: str, image_id: str, name: str
) -> None:
    """Same devices, sizes and root, each disk with a snapshot that exists."""
    made = image(ec2, ec2.create_image(InstanceId=instance_id, Name=name)["ImageId"])
    disks = {each["DeviceName"]: each["Ebs"] for each in made["BlockDeviceMappings"]}
    root = image(ec2, image_id)["RootDeviceName"]
    assert (made["RootDeviceName"], made["RootDeviceType"]) == (root, "ebs")
    assert set(disks) == {root, "/dev/xvdb"}
    assert (disks["/dev/xvdb"]["VolumeSize"], disks["/dev/xvdb"]["VolumeType"]) == (33, "gp3")
    snapshots = [each["SnapshotId"] for each in disks.values()]
    all_of_it = [
        each["SnapshotId"]
        for each in ec2.describe_snapshots()["Snapshots"]
        if made["ImageId"] in each["Description"]
    ]
    assert sorted(all_of_it) == sorted(snapshots)
    told = ec2.describe_snapshots(SnapshotIds=snapshots)["Snapshots"]
    assert sorted(each["VolumeSize"] for each in told) == sorted(
        each["VolumeSize"] for each in disks.values()
    )


def test_an_instance_of_an_image_has_the_image_s_disks(
    ec2: Client, aws: EmbeddedAws, instance_id: str, name: str
) -> None:
    """And no other: one volume per device."""
    made = ec2.create_image(InstanceId=instance_id, Name=name)["ImageId"]
    aws.clock.advance(60)
    launched = ec2.run_instances(ImageId=made, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    chosen = {"Name": "attachment.instance-id", "Values": [launched["Instances"][0]["InstanceId"]]}
    volumes = ec2.describe_volumes(Filters=[chosen])["Volumes"]
    devices = {each["Attachments"][0]["Device"]: each["Size"] for each in volumes}
    disks = image(ec2, made)["BlockDeviceMappings"]
    assert devices == {each["DeviceName"]: each["Ebs"]["VolumeSize"] for each in disks}


def test_the_snapshots_of_an_image_take_tags(ec2: Client, instance_id: str, name: str) -> None:
    """TagSpecifications for `snapshot` reach each of them, those for `image` the image."""
    made = ec2.create_image(
        InstanceId=instance_id,
        Name=name,
        TagSpecifications=[
            {"ResourceType": "image", "Tags": [{"Key": "kind", "Value": "image"}]},
            {"ResourceType": "snapshot", "Tags": [{"Key": "kind", "Value": "snapshot"}]},
        ],
    )["ImageId"]
    found = image(ec2, made)
    assert found["Tags"] == [{"Key": "kind", "Value": "image"}]
    snapshots = [each["Ebs"]["SnapshotId"] for each in found["BlockDeviceMappings"]]
    for each in ec2.describe_snapshots(SnapshotIds=snapshots)["Snapshots"]:
        assert each["Tags"] == [{"Key": "kind", "Value": "snapshot"}]


def test_rule_43_deregistering_may_take_the_snapshots_along(
    ec2: Client, instance_id: str, name: str
) -> None:
    """With DeleteAssociatedSnapshots they are gone, and named in the answer; else they stay."""
    for suffix, deleted in (("-a", True), ("-b", False)):
        made = ec2.create_image(InstanceId=instance_id, Name=name + suffix)["ImageId"]
        disks = image(ec2, made)["BlockDeviceMappings"]
        snapshots = {each["Ebs"]["SnapshotId"] for each in disks}
        answer = ec2.deregister_image(ImageId=made, DeleteAssociatedSnapshots=deleted)
        named = {each["SnapshotId"] for each in answer.get("DeleteSnapshotResults", [])}
        assert named == (snapshots if deleted else set())
        left = {each["SnapshotId"] for each in ec2.describe_snapshots()["Snapshots"]} & snapshots
        assert left == (set() if deleted else snapshots)


def test_an_image_tells_when_it_will_be_deprecated(
    ec2: Client, instance_id: str, name: str, refusal: Refusal
) -> None:
    """EnableImageDeprecation: as today's Packer asks it; an image that is not there is refused."""
    made = ec2.create_image(InstanceId=instance_id, Name=name)["ImageId"]
    assert "DeprecationTime" not in image(ec2, made)
    at = "2030-01-01T00:00:00.000Z"
    assert ec2.enable_image_deprecation(ImageId=made, DeprecateAt=at)["Return"] is True
    assert image(ec2, made)["DeprecationTime"] == at
    status, code = refusal(ec2.enable_image_deprecation, ImageId="ami-00000000", DeprecateAt=at)
    assert (status, code) == (400, "InvalidAMIID.NotFound")
