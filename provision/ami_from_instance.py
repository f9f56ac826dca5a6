"""Makes an AMI of an instance, waited for until instances can start from it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from provision.aws.calls import instead_of
from provision.aws.healing import group_of_member, without_healing
from provision.aws.images import image_named, image_of
from provision.aws.session import Aws
from provision.aws.waiting import Pause, wait_until
from provision.core.image import FAILED_STATES, StackImage, name_fault
from provision.core.resource import tag_list
from provision.errors import PartialError, ProvisionError, RefusedError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

LIMIT_SECONDS: Final = 3600.0
"""botocore's own waiter gives up after 10 minutes; a volume's first snapshot may take longer."""

LIST: Final = "`provision ami list` shows how it is"
STATES: Final = ("running", "stopped")
"""In which an instance can be imaged."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: an AMI of this name and these tags, of this instance."""

    instance: str
    name: str
    tags: Mapping[str, str]
    reboot: bool = True
    limit_seconds: float = LIMIT_SECONDS


class ImageMaker:
    """Makes one AMI at a time; `say` is told what happens, `pause` what is waited for."""

    def __init__(self, aws: Aws, pause: Pause, say: Callable[[str], None]) -> None:
        self._aws = aws
        self._pause = pause
        self._say = say

    def make(self, order: Order) -> StackImage:
        """Return the AMI once it is available.

        A group's member is not replaced for being rebooted (rule 40). Raises RefusedError before
        anything is changed, PartialError once an AMI is being made, and ClientError.
        """
        running = self._check(order)
        reboots = order.reboot and running
        group = group_of_member(self._aws.autoscaling, order.instance) if reboots else None
        with self._unreplaced(group):
            image = f"{order.name}, should AWS have begun it,"
            try:
                image = self._create(order)
                self._say(f"{image} ({order.name}) is being made of {order.instance}")
                return self._available(image, order, reboots=reboots)
            except KeyboardInterrupt as interrupt:
                raise PartialError(f"interrupted; {image} goes on being made", LIST) from interrupt

    def _check(self, order: Order) -> bool:
        """Say whether the instance runs; raises RefusedError."""
        if fault := name_fault(order.name):
            raise RefusedError(f"the AMI's name: {fault}", "choose another one with --name")
        if taken := image_named(self._aws.ec2, order.name):
            raise RefusedError(
                f"the name {order.name!r} is {taken.id}'s already", "choose another with --name"
            )
        state = instance_state(self._aws.ec2, order.instance)
        if state not in STATES:
            raise RefusedError(
                f"{order.instance} is {state or 'not there'}: no AMI can be made of it",
                "`provision status` lists the group's instances",
            )
        return state == "running"

    def _unreplaced(self, group: str | None) -> AbstractContextManager[None]:
        if group is None:
            return nullcontext()
        self._say(f"{group} does not replace its members meanwhile")
        return without_healing(self._aws.autoscaling, group)

    def _create(self, order: Order) -> str:
        tags = tag_list(order.tags)
        answer = instead_of(
            lambda: self._aws.ec2.create_image(
                InstanceId=order.instance,
                Name=order.name,
                NoReboot=not order.reboot,
                TagSpecifications=[
                    {"ResourceType": "image", "Tags": tags},
                    {"ResourceType": "snapshot", "Tags": tags},
                ],
            ),
            {"InvalidAMIName.Duplicate": None},
        )
        return answer["ImageId"] if answer else self._made_already(order)

    def _made_already(self, order: Order) -> str:
        """Return the AMI of the name, which was free: with our tags on it, an answer was lost."""
        taken = image_named(self._aws.ec2, order.name)
        if taken is None or not order.tags.items() <= taken.tags.items():
            raise ProvisionError(f"the name {order.name!r} was taken meanwhile", "run it again")
        return taken.id

    def _available(self, image: str, order: Order, *, reboots: bool) -> StackImage:
        def look() -> str | None:
            return self._image_waits(image) or (self._instance_waits(order) if reboots else None)

        wait_until(look, self._pause, order.limit_seconds, f"it goes on by itself: {LIST}")
        made = image_of(self._aws.ec2, image)
        if made is None:
            raise ProvisionError(f"{image} is gone again", "somebody deregistered it: start anew")
        return made

    def _image_waits(self, image: str) -> str | None:
        found = image_of(self._aws.ec2, image)
        if found is None:  # EC2 may not know yet what it has just made
            return f"{image} is not to be seen yet"
        if found.state in FAILED_STATES:
            raise PartialError(f"{image} is {found.state}", f"{LIST}; `provision ami prune` helps")
        if found.state == "available":
            return None
        return f"{image} is {found.state}{self._percent(found)}"

    def _percent(self, image: StackImage) -> str:
        if not image.snapshots:
            return ""
        # Rather than an answer about some of them, EC2 gives none if one is not to be seen yet.
        told = instead_of(
            lambda: self._aws.ec2.describe_snapshots(SnapshotIds=list(image.snapshots)),
            {"InvalidSnapshot.NotFound": None},
        )
        snapshots = told["Snapshots"] if told else []
        progress = ", ".join(each.get("Progress") or each["State"] for each in snapshots)
        return f", its snapshots {progress}" if progress else ""

    def _instance_waits(self, order: Order) -> str | None:
        answer = self._aws.ec2.describe_instance_status(
            InstanceIds=[order.instance], IncludeAllInstances=True
        )
        for each in answer["InstanceStatuses"]:
            status = each["InstanceStatus"]["Status"]
            if (each["InstanceState"]["Name"], status) != ("running", "ok"):
                return f"{order.instance} starts again ({status})"
        return None


def instance_state(ec2: "EC2Client", instance: str) -> str | None:
    """Return an instance's state, None if there is no such instance. Raises ClientError."""
    answer = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance]}])
    for reservation in answer["Reservations"]:
        return reservation["Instances"][0]["State"]["Name"]
    return None
