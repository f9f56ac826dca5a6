"""Takes every group to the clock's now."""

from typing import TYPE_CHECKING, Final

from moto.autoscaling.models import autoscaling_backends

from worker.demo.embedded.autoscaling import capacity, life, refresh
from worker.demo.embedded.autoscaling.fleet import Fleet, fleet_of
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.layer import Layer

_MOST_ROUNDS: Final = 1000
"""A group that still changes after so many rounds at one moment is a fault of this code."""


def correct(layer: "Layer") -> None:
    """Let groups live."""
    layer.state_machines.append(go_on)


def go_on() -> None:
    """Let each group of each region do what is due, until nothing is."""
    for regions in list(autoscaling_backends.values()):
        for backend in list(regions.values()):
            for group in list(backend.autoscaling_groups.values()):
                _settle(fleet_of(group))
                _forget_if_gone(backend, fleet_of(group))


def _settle(fleet: Fleet) -> None:
    for _ in range(_MOST_ROUNDS):
        moved = [life.go_on(fleet, each) for each in list(fleet.members)]
        steps = (capacity.check_health(fleet), refresh.go_on(fleet), capacity.fit(fleet))
        if not any((*moved, *steps)):
            return
    raise RuntimeError(f"the group {fleet.group.name} does not come to rest")


def _forget_if_gone(backend: Moto, fleet: Fleet) -> None:
    """Rule 34: a group is gone some time after its deletion, and after its last instance."""
    if fleet.deleted_at is None or fleet.members:
        return
    if fleet.now < fleet.deleted_at + fleet.layer.delays.terminate_seconds:
        return
    name = fleet.group.name
    del backend.autoscaling_groups[name]
    for kept in (backend.lifecycle_hooks, backend.policies):
        for key in [k for k, each in kept.items() if each.auto_scaling_group_name == name]:
            del kept[key]
