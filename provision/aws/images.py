"""The stack's AMIs: which there are, which is the newest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provision.aws.calls import unless_gone
from provision.core.resource import OWNER_TAG
from provision.spec.blueprint import Image

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

WITHDRAWN_TAG: Final = "s3-event-worker:withdrawn"
"""On an AMI that was rolled back from: `latest` passes it over from then on."""

LATEST: Final = "latest"
IMAGE_GONE_CODES: Final = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


@dataclass(frozen=True, slots=True)
class StackImage:
    """An AMI as EC2 tells it. `created` in ISO 8601, which sorts as text does."""

    image: Image
    name: str
    state: str
    created: str
    tags: Mapping[str, str] = field(default_factory=dict)
    snapshots: tuple[str, ...] = ()

    @property
    def withdrawn(self) -> bool:
        """Whether it was rolled back from."""
        return WITHDRAWN_TAG in self.tags


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
    usable = (
        each.image
        for each in stack_images(ec2, stack)
        if each.state == "available" and not each.withdrawn
    )
    return next(usable, None)


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
        tags={tag["Key"]: tag["Value"] for tag in image.get("Tags", [])},
        snapshots=tuple(disk["SnapshotId"] for disk in disks.values() if "SnapshotId" in disk),
    )
