"""What stands behind an instance: nothing here, a container in the region lab."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.instances import InstanceResponse

from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

GROUP_TAG = "aws:autoscaling:groupName"
"""What tells the group of an instance, on AWS as well."""

Handler = Callable[..., Moto]


@dataclass(frozen=True, slots=True)
class Launch:
    """A new instance, as far as a machine must know it; `user_data` is decoded."""

    instance_id: str
    private_ip: str
    image_id: str
    instance_type: str
    zone: str
    profile_arn: str | None
    user_data: bytes
    metadata_http_tokens: str
    tags: Mapping[str, str]
    group_name: str | None

    @classmethod
    def of(cls, instance: Moto) -> "Launch":
        """Read moto's instance."""
        tags = {each["key"]: each["value"] for each in instance.get_tags()}
        return cls(
            instance_id=instance.id,
            private_ip=instance.private_ip,
            image_id=instance.image_id,
            instance_type=instance.instance_type,
            zone=instance.placement.zone,
            profile_arn=(instance.iam_instance_profile or {}).get("Arn"),
            user_data=base64.b64decode(str(instance.user_data or "")),
            metadata_http_tokens=instance.metadata_options.http_tokens,
            tags=tags,
            group_name=tags.get(GROUP_TAG),
        )


class Machines(Protocol):
    """Is told what becomes of each instance, once per change, in the order of the changes.

    The region is locked meanwhile: a call returns soon, and asks nothing of this AWS. An image is
    `pending` at least until `imaged` has returned.
    """

    def launched(self, launch: Launch) -> None:
        """Start a machine: RunInstances, or a group that scales out."""

    def stopped(self, instance_id: str) -> None:
        """Power it off; its disk stays."""

    def started(self, instance_id: str) -> None:
        """Power it on again."""

    def terminated(self, instance_id: str) -> None:
        """Take it away, disk and all."""

    def imaged(self, instance_id: str, image_id: str, *, reboot: bool) -> None:
        """Keep a copy of its disk under the image's id, after a reboot if `reboot` (rule 40)."""


class NoMachines:
    """The default: instances are entries in moto's tables, and nothing runs."""

    def launched(self, launch: Launch) -> None:
        """Start nothing."""

    def stopped(self, instance_id: str) -> None:
        """Stop nothing."""

    def started(self, instance_id: str) -> None:
        """Start nothing."""

    def terminated(self, instance_id: str) -> None:
        """End nothing."""

    def imaged(self, instance_id: str, image_id: str, *, reboot: bool) -> None:
        """Keep nothing."""


def correct(layer: "Layer") -> None:
    """Tell `layer.machines` of every launch, stop, start, termination and image."""
    patches, machines = layer.patches, layer.machines
    patches.wrap(InstanceResponse, "run_instances", lambda f: launches_are_told(machines, f))
    for operation, left, tell in (
        ("stop_instances", "stopped", machines.stopped),
        ("start_instances", "running", machines.started),
        ("terminate_instances", "terminated", machines.terminated),
    ):
        patches.wrap(InstanceBackend, operation, telling(tell, left))
    patches.wrap(AmisResponse, "create_image", lambda f: images_are_told(machines, f))


def launches_are_told(machines: Machines, run: Handler) -> Handler:
    """Tell of the instances of a RunInstances, once they have their profile."""

    def ran(self: Moto) -> Moto:
        answer = run(self)
        for instance in answer.result.instances:
            machines.launched(Launch.of(instance))
        return answer

    return ran


def telling(tell: Callable[[str], None], state: str) -> Callable[[Handler], Handler]:
    """Tell of each instance that was not in `state` before the operation."""

    def wrap(operate: Handler) -> Handler:
        def operated(self: Moto, instance_ids: list[str]) -> Moto:
            changes = operate(self, instance_ids)
            for instance, before in changes:
                if before.name != state:
                    tell(instance.id)
            return changes

        return operated

    return wrap


def images_are_told(machines: Machines, create: Handler) -> Handler:
    """Tell of a CreateImage: which instance, which image, and whether it reboots (rule 40)."""

    def created(self: Moto) -> Moto:
        answer = create(self)
        reboot = not self._get_bool_param("NoReboot", False)  # noqa: FBT003 # moto's way
        machines.imaged(self._get_param("InstanceId"), answer.result["ImageId"], reboot=reboot)
        return answer

    return created
