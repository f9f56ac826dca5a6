"""What a group has beyond moto's: its members, its activities, its refreshes; and its time."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from worker.demo.embedded.autoscaling import activities
from worker.demo.embedded.autoscaling.activities import Activity
from worker.demo.embedded.autoscaling.hooks import Wait
from worker.demo.embedded.patches import Moto

if TYPE_CHECKING:
    from worker.demo.embedded.autoscaling.refresh import Refresh
    from worker.demo.embedded.layer import Layer

PENDING: Final = "Pending"
IN_SERVICE: Final = "InService"
STANDBY: Final = "Standby"
TERMINATING: Final = "Terminating"


@dataclass(frozen=True, slots=True)
class Source:
    """What a group launches from: a template's version as it was named, and a mixed policy."""

    template: dict[str, str] | None
    mixed: dict[str, Any] | None


@dataclass(slots=True, eq=False)
class Member:
    """An instance of a group, under the names by which moto tells it."""

    instance: Moto
    auto_scaling_group: Moto
    launch_template: dict[str, str] | None
    born: float
    activity: Activity
    protected_from_scale_in: bool
    lifecycle_state: str = PENDING
    health_status: str = "Healthy"
    in_service_since: float | None = None
    ended_at: float | None = None
    waits: dict[str, Wait] = field(default_factory=dict)

    @property
    def instance_id(self) -> str:
        """EC2's id."""
        return str(self.instance.id)

    @property
    def instance_type(self) -> str:
        """EC2's type."""
        return str(self.instance.instance_type)

    @property
    def availability_zone(self) -> str:
        """Where it runs."""
        return str(self.instance.placement.zone)

    @property
    def auto_scaling_group_name(self) -> str:
        """Whose it is."""
        return str(self.auto_scaling_group.name)

    @property
    def stage(self) -> str:
        """The lifecycle state without its step: Pending, InService or Terminating."""
        return self.lifecycle_state.partition(":")[0]

    @property
    def counts(self) -> bool:
        """Whether it is part of the group's capacity."""
        return self.stage in (PENDING, IN_SERVICE)

    @property
    def runs(self) -> bool:
        """Whether EC2 says so."""
        return bool(self.instance.state in ("pending", "running"))


class Fleet:
    """One group, with what moto's lacks."""

    def __init__(self, layer: "Layer", group: Moto) -> None:
        self.layer = layer
        self.group = group
        self.refreshes: list[Refresh] = []
        self.retry_at = 0.0
        """No launch is tried before, after one that failed."""
        self.deleted_at: float | None = None

    @property
    def now(self) -> float:
        """The clock's now."""
        return self.layer.clock()

    @property
    def backend(self) -> Moto:
        """Moto's Auto Scaling of the region."""
        return self.group.autoscaling_backend

    @property
    def members(self) -> list[Member]:
        """All members, those that terminate included."""
        members: list[Member] = self.group.instance_states
        return members

    @property
    def capacity(self) -> list[Member]:
        """The members that count."""
        return [each for each in self.members if each.counts]

    @property
    def refresh(self) -> "Refresh | None":
        """The refresh that is under way."""
        return next((each for each in self.refreshes if each.active), None)

    @property
    def source(self) -> Source:
        """What the group itself launches from."""
        group = self.group
        template = group.ec2_launch_template
        if template is None:
            return Source(None, None)
        named = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "Version": str(group.launch_template_version),
        }
        return Source(named, group.mixed_instances_policy)

    def suspended(self, process: str) -> bool:
        """Whether a process is suspended (Launch, Terminate, HealthCheck …)."""
        return any(each["ProcessName"] == process for each in self.group.suspended_processes)

    def hooks(self, transition: str) -> list[Moto]:
        """Find the group's hooks for a transition."""
        found = self.backend.describe_lifecycle_hooks(self.group.name)
        return [each for each in found if each.lifecycle_transition == transition]

    def note(self, description: str, cause: str, subnet_id: str | None, zone: str) -> Activity:
        """Begin an activity."""
        begun = Activity(
            auto_scaling_group_name=self.group.name,
            auto_scaling_group_arn=self.group.arn,
            description=description,
            cause=f"At {activities.moment(self.now):%Y-%m-%dT%H:%M:%SZ} {cause}",
            start_time=activities.moment(self.now),
            details=activities.details(subnet_id, zone),
        )
        all_activities(self.backend).insert(0, begun)
        return begun


def all_activities(backend: Moto) -> list[Activity]:
    """Give the activities of all groups of a region, the newest first."""
    kept: list[Activity] = backend.__dict__.setdefault("activities", [])
    return kept


def fleet_of(group: Moto) -> Fleet:
    """Give the fleet behind moto's group."""
    fleet: Fleet = group.fleet
    return fleet
