"""Images: what their names may be, when they are there, which disks and snapshots they have."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.responses.amis import AmisResponse

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_NAME: Final = re.compile(r"[a-zA-Z0-9()\[\] ./\-'@_]{3,128}")

Handler = Callable[..., Moto]


def correct(layer: "Layer") -> None:
    """Let images take their time, and keep what they were made of."""
    patches, pending = layer.patches, list[Moto]()
    layer.state_machines.append(lambda: _finish(layer, pending))
    patches.replace(Ami, "disks", None)
    patches.wrap(Ami, "block_device_mappings", disks_are_kept)
    patches.wrap(AmiBackend, "create_image", lambda f: image_is_made(layer, pending, f))
    patches.wrap(AmisResponse, "deregister_image", snapshots_go_along)
    patches.replace(AmisResponse, "enable_image_deprecation", deprecation_is_kept)


def image_is_made(layer: "Layer", pending: list[Moto], create: Handler) -> Handler:
    """Rule 40: names of 3 to 128 characters, once in an account; `pending` until the clock says so.

    Rule 42: root device, disks and their snapshots are those of the instance.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html
    """

    def created(
        self: Moto, instance_id: str, name: str, description: str, tag_specifications: list[Moto]
    ) -> Moto:
        _check_name(self, name)
        instance = self.get_instance(instance_id)
        own = [each for each in tag_specifications if each["ResourceType"] != "snapshot"]
        image = create(self, instance_id, name, description, tag_specifications=own)
        image.root_device_name, image.root_device_type = instance.root_device_name, "ebs"
        self.snapshots.pop(image.ebs_snapshot.id)
        image.disks = [_disk(self, image, *each) for each in instance.get_block_device_mapping]
        for each in tag_specifications:
            if each["ResourceType"] == "snapshot":
                _tag_snapshots(self, image, each["Tags"])
        now = datetime.fromtimestamp(layer.clock(), UTC)
        image.creation_date = now.replace(tzinfo=None)  # as moto writes them
        image.state = "pending"
        image.available_at = layer.clock() + layer.delays.image_seconds
        pending.append(image)
        return image

    return created


def _finish(layer: "Layer", pending: list[Moto]) -> None:
    for image in [each for each in pending if layer.clock() >= each.available_at]:
        image.state = "available"
        pending.remove(image)


def _check_name(backend: Moto, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise EC2ClientError(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers,"
            " and these characters: ( ) [ ] . / - ' @ _ and space",
        )
    for image in backend.amis.values():
        if (image.name, image.owner_id) == (name, backend.account_id):
            raise EC2ClientError(
                "InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}"
            )


def _disk(backend: Moto, image: Moto, device_name: str, attached: Moto) -> dict[str, Any]:
    """Take a snapshot of an attached volume, and describe it as a disk of the image."""
    volume = backend.volumes[attached.volume_id]
    text = f"Created by CreateImage({image.instance_id}) for {image.id}"
    snapshot = backend.create_snapshot(volume.id, text, from_ami=image.id)
    return {
        "DeviceName": device_name,
        "Ebs": {
            "SnapshotId": snapshot.id,
            "VolumeSize": volume.size,
            "VolumeType": volume.volume_type,
            "Encrypted": bool(volume.encrypted),
            "DeleteOnTermination": bool(attached.delete_on_termination),
        },
    }


def _snapshot_ids(image: Moto) -> Iterable[str]:
    return [each["Ebs"]["SnapshotId"] for each in image.block_device_mappings]


def _tag_snapshots(backend: Moto, image: Moto, tags: list[dict[str, str]]) -> None:
    for snapshot_id in _snapshot_ids(image):
        backend.snapshots[snapshot_id].add_tags({each["Key"]: each["Value"] for each in tags})


def disks_are_kept(told: Moto) -> property:
    """Tell the disks that an image was made with; moto tells 15 GiB of `standard` of each."""

    def tell(self: Moto) -> Moto:
        return told.fget(self) if self.disks is None else self.disks

    return property(tell)


def snapshots_go_along(deregister: Handler) -> Handler:
    """Rule 43: DeleteAssociatedSnapshots deletes them with the image; without it they stay.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html
    """

    def deregistered(self: Moto) -> Moto:
        image = self.ec2_backend.amis.get(self._get_param("ImageId"))
        deregister(self)
        deleted = []
        if image is not None and self._get_bool_param("DeleteAssociatedSnapshots"):
            for snapshot_id in _snapshot_ids(image):
                self.ec2_backend.snapshots.pop(snapshot_id, None)
                deleted.append({"SnapshotId": snapshot_id, "ReturnCode": "success"})
        return ActionResult({"Return": True, "DeleteSnapshotResults": deleted})

    return deregistered


def deprecation_is_kept(self: Moto) -> Moto:
    """Keep when an image shall be deprecated, for DescribeImages to tell; moto knows no such call.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html
    """
    (image,) = self.ec2_backend.describe_images(ami_ids=[self._get_param("ImageId")])
    image.deprecation_time = f"{self._get_param('DeprecateAt'):%Y-%m-%dT%H:%M:%S.000Z}"
    return ActionResult({"Return": True})
