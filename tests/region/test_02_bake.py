"""`provision ami bake`: Packer bakes the image on an instance, and leaves nothing else."""

import pytest
from region.lab.baking import Baked
from region.lab.region import Region

pytestmark = pytest.mark.region


def test_packer_bakes_an_image_that_validated_itself(region: Region, baked: Baked) -> None:
    """The image that the command names is there, and its tags say what it was made from."""
    (image,) = region.client("ec2").describe_images(ImageIds=[baked.image_id])["Images"]
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    assert image["State"] == "available"
    assert tags["GitRevision"] == baked.git_revision
    assert tags["Project"] == "s3-event-worker"


def test_the_builder_is_gone_and_its_key_and_door_with_it(region: Region, baked: Baked) -> None:
    """No instance, no key pair, no security group is left of the bake."""
    ec2 = region.client("ec2")
    assert baked.image_id
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    names = {group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]}
    assert names == {"default"}
    running = [{"Name": "instance-state-name", "Values": ["running", "pending"]}]
    assert ec2.describe_instances(Filters=running)["Reservations"] == []
