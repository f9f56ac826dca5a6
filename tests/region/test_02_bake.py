"""`provision ami bake`: Packer bakes the image on an instance, and leaves nothing else."""

import pytest
from region.lab.baking import Baked, Oven
from region.lab.region import Region
from support.packer_template import Packer

pytestmark = pytest.mark.region


def test_packer_bakes_an_image_that_validated_itself(
    region: Region, baked: Baked, packer: Packer
) -> None:
    """The image that the command names is there; its tags say what it was made from.

    It says as well when it will be deprecated, which Debian's Packer cannot set.
    """
    (image,) = region.client("ec2").describe_images(ImageIds=[baked.image_id])["Images"]
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    assert image["State"] == "available"
    assert tags["GitRevision"] == baked.git_revision
    assert tags["Project"] == "s3-event-worker"
    assert ("DeprecationTime" in image) is packer.is_modern


def assert_nothing_is_left(region: Region) -> None:
    """See that there is no instance, no key pair and no security group of a bake."""
    ec2 = region.client("ec2")
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    names = {group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]}
    assert names == {"default"}
    running = [{"Name": "instance-state-name", "Values": ["running", "pending"]}]
    assert ec2.describe_instances(Filters=running)["Reservations"] == []


def test_the_builder_is_gone_and_its_key_and_door_with_it(region: Region, baked: Baked) -> None:
    """Nothing but the image is left of the bake."""
    assert baked.image_id
    assert_nothing_is_left(region)


def test_a_step_that_fails_on_the_builder_is_named_and_leaves_nothing(
    region: Region, oven: Oven
) -> None:
    """The worker's step misses the locked wheels: its own words, and no image more than before."""
    ec2 = region.client("ec2")
    before = ec2.describe_images(Owners=["self"])["Images"]
    said = oven.spoil("3" * 40, wheelhouse=str(oven.wheels.own.parent))
    assert "the bake failed: worker: " in said
    assert_nothing_is_left(region)
    assert ec2.describe_images(Owners=["self"])["Images"] == before
