"""The stack's AMIs: which there are, which is the newest."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from provision.aws.calls import unless_gone
from provision.core.image import StackImage, latest_of
from provision.core.resource import OWNER_TAG, plain_tags
from provision.spec.blueprint import Image

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

LATEST: Final = "latest"
IMAGE_GONE_CODES: Final = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


def stack_images(ec2: "EC2Client", stack: str) -> list[StackImage]:
    """Return the AMIs that carry the stack's tag, the newest first. Raises ClientError."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], Filters=[{"Name": f"tag:{OWNER_TAG}", "Values": [stack]}]
    )
    found = [_read(each) for page in pages for each in page["Images"]]
    return sorted(found, key=lambda each: (each.created, each.image.id), reverse=True)


def image_of(ec2: "EC2Client", image_id: str) -> StackImage | None:
    """Return one AMI, whoever's it is; None if there is none of this id. Raises ClientError."""
    answer = unless_gone(lambda: ec2.describe_images(ImageIds=[image_id]), IMAGE_GONE_CODES)
    return _read(answer["Images"][0]) if answer and answer["Images"] else None


def find_image(ec2: "EC2Client", stack: str, wanted: str) -> Image | None:
    """Return the AMI that the stack file names: an id, or the newest of the stack.

    None: there is none, or it is not available. Raises ClientError.
    """
    if wanted != LATEST:
        named = image_of(ec2, wanted)
        return named.image if named and named.state == "available" else None
    latest = latest_of(stack_images(ec2, stack))
    return latest.image if latest else None


def image_named(ec2: "EC2Client", name: str) -> StackImage | None:
    """Return the account's own AMI of this name: names are unique (rule 40). Raises ClientError."""
    filters: list[Any] = [{"Name": "name", "Values": [name]}]
    found = ec2.describe_images(Owners=["self"], Filters=filters)["Images"]
    return _read(found[0]) if found else None


def remove_image(ec2: "EC2Client", image: StackImage) -> tuple[str, ...]:
    """Deregister an AMI together with its snapshots (rule 43); one that is gone is no error.

    Returns the snapshots that AWS left, each with its reason. Raises ClientError.
    """
    answer = unless_gone(
        lambda: ec2.deregister_image(ImageId=image.id, DeleteAssociatedSnapshots=True),
        IMAGE_GONE_CODES,
    )
    results = answer.get("DeleteSnapshotResults", []) if answer else []
    return tuple(
        f"{each['SnapshotId']}: {each['ReturnCode']}"
        for each in results
        if each["ReturnCode"] != "success"
    )


def _read(image: Mapping[str, Any]) -> StackImage:
    root = image.get("RootDeviceName", "")
    disks = {
        each["DeviceName"]: each["Ebs"]
        for each in image.get("BlockDeviceMappings", [])
        if "Ebs" in each
    }
    return StackImage(
        image=Image(
            id=image["ImageId"],
            architecture=image.get("Architecture", ""),
            root_device=root,
            root_gib=disks.get(root, {}).get("VolumeSize", 0),
        ),
        name=image.get("Name", ""),
        state=image.get("State", ""),
        created=image.get("CreationDate", ""),
        tags=plain_tags(image.get("Tags", [])),
        snapshots=tuple(disk["SnapshotId"] for disk in disks.values() if "SnapshotId" in disk),
    )
