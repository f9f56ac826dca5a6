"""What an instance's own metadata service knows of its state, asked in this process."""

from dataclasses import dataclass

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends

from worker.demo.embedded.patches import Moto


@dataclass(frozen=True, slots=True)
class InstanceState:
    """An instance as EC2 and its group see it; the last two are None outside of a group."""

    state: str
    """EC2's: pending, running, stopped, terminated …"""
    lifecycle_state: str | None
    """The group's: Pending:Wait, InService, Terminating:Wait …"""
    target_lifecycle_state: str | None
    """Where the group is taking it: InService, Standby, Detached or Terminated, as IMDS tells it at
    `autoscaling/target-lifecycle-state`."""


_TARGETS = {
    "Pending": "InService",
    "InService": "InService",
    "Terminating": "Terminated",
    "Terminated": "Terminated",
    "EnteringStandby": "Standby",
    "Standby": "Standby",
    "Detaching": "Detached",
}


def instance_state(instance_id: str) -> InstanceState | None:
    """Look an instance up in all regions; None if there is none of this id.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
    """
    for regions in ec2_backends.values():
        for backend in regions.values():
            if instance := backend.get_instance_by_id(instance_id):
                lifecycle = _lifecycle_state(instance_id)
                target = None if lifecycle is None else _TARGETS[lifecycle.partition(":")[0]]
                return InstanceState(instance.state, lifecycle, target)
    return None


def _lifecycle_state(instance_id: str) -> str | None:
    members: list[Moto] = [
        member
        for regions in autoscaling_backends.values()
        for backend in regions.values()
        for group in backend.autoscaling_groups.values()
        for member in group.instance_states
    ]
    return next((each.lifecycle_state for each in members if each.instance.id == instance_id), None)
