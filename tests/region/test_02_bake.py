"""The image is baked by Packer, on an instance, and is what the template promises."""

import pytest
from region.lab.baking import Baked
from region.lab.region import Region

pytestmark = pytest.mark.region


def test_packer_bakes_an_image_that_validated_itself(region: Region, baked: Baked) -> None:
    """The manifest names the image that EC2 has; the inventory was written inside of it."""
    (image,) = region.client("ec2").describe_images(ImageIds=[baked.image_id])["Images"]
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    assert image["State"] == "available"
    assert tags["GitRevision"] == baked.contents["git_revision"] == "1" * 40
    assert baked.contents["packages"]["s3-event-worker"] == tags["WorkerVersion"]


def test_the_builder_is_gone_and_its_key_and_door_with_it(region: Region, baked: Baked) -> None:
    """No instance, no key pair, no security group is left of the bake."""
    ec2 = region.client("ec2")
    assert baked.image_id
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    names = {group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]}
    assert names == {"default"}
    running = [{"Name": "instance-state-name", "Values": ["running", "pending"]}]
    assert ec2.describe_instances(Filters=running)["Reservations"] == []
