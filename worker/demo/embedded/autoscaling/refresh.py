"""Instance refresh: every member replaced, never fewer healthy than allowed; rolled back if asked.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
"""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from moto.cloudwatch.models import cloudwatch_backends

from worker.demo.embedded.autoscaling.activities import moment
from worker.demo.embedded.autoscaling.fleet import IN_SERVICE, Fleet, Member, Source
from worker.demo.embedded.autoscaling.life import terminate

STALL_SECONDS: Final = 3600
"""Rule 28: a refresh that gets no further for an hour fails."""
_ROLLING_BACK: Final = "RollbackInProgress"
_ACTIVE: Final = ("Pending", "InProgress", "Baking", "Cancelling", _ROLLING_BACK)
_CAUSE: Final = "an instance was taken out of service in response to an instance refresh."


@dataclass(slots=True, eq=False)
class Refresh:
    """One refresh, in the fields of the API's InstanceRefresh."""

    fleet: Fleet
    source: Source
    """What is launched while it goes on."""
    before: Source
    preferences: Mapping[str, Any]
    desired_configuration: Mapping[str, Any] | None
    old: set[str]
    """The members that still have to go."""
    original: frozenset[str]
    """All members there were at the start."""
    total: int
    start_time: datetime
    moved_at: float
    status: str = "Pending"
    status_reason: str | None = None
    end_time: datetime | None = None
    rollback_details: dict[str, Any] | None = None
    surge: int = 0
    """How many members more than desired it has launched, or will."""
    instance_refresh_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    strategy: str = "Rolling"

    @property
    def auto_scaling_group_name(self) -> str:
        """Whose members."""
        return str(self.fleet.group.name)

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.status in _ACTIVE

    @property
    def instances_to_update(self) -> int:
        """How many are not replaced yet by one that is in service and warm."""
        if self.status in ("Successful", "RollbackSuccessful"):
            return 0
        done = sum(ready(self, each) for each in self.fleet.capacity if not self.goes(each))
        return max(len(self.old), self.total - done, 0)

    @property
    def percentage_complete(self) -> int:
        """The same in percent."""
        return 100 * (self.total - self.instances_to_update) // self.total if self.total else 100

    def goes(self, member: Member) -> bool:
        """Whether a member still has to go."""
        return member.instance_id in self.old

    def end(self, status: str, reason: str | None = None) -> None:
        """Finish it."""
        self.status, self.status_reason, self.surge = status, reason, 0
        self.end_time = moment(self.fleet.now)


def ready(refresh: Refresh, member: Member) -> bool:
    """Say whether a member is in service, healthy and, if it is new, warm."""
    if member.lifecycle_state != IN_SERVICE or member.health_status != "Healthy":
        return False
    if member.instance_id in refresh.original:
        return True
    since = member.in_service_since or 0.0
    return refresh.fleet.now >= since + int(refresh.preferences["InstanceWarmup"])


def go_on(fleet: Fleet) -> bool:
    """Take the group's refresh further if something is due; say whether it went."""
    refresh = fleet.refresh
    if refresh is None or fleet.suspended("InstanceRefresh"):
        return False
    if refresh.status == "Pending":
        refresh.status = "InProgress"
        return True
    if refresh.status == "Cancelling":
        return _cancel(refresh)
    if refresh.status != _ROLLING_BACK and (alarm := _alarm(refresh)):
        give_up(refresh, f"An alarm is in the ALARM state: {alarm}.")
        return True
    if refresh.status == "Baking":
        return _bake(refresh)
    return _replace(refresh)


def _cancel(refresh: Refresh) -> bool:
    """End a cancelled refresh once nothing of it is in flight any more."""
    refresh.surge = 0
    if any(not ready(refresh, each) for each in refresh.fleet.members if each.stage != "Standby"):
        return False
    refresh.end("Cancelled", "Cancelled due to user request.")
    return True


def _alarm(refresh: Refresh) -> str | None:
    """Name an alarm of the AlarmSpecification that is in the ALARM state."""
    names = (refresh.preferences.get("AlarmSpecification") or {}).get("Alarms") or []
    group = refresh.fleet.group
    alarms = cloudwatch_backends[group.account_id][group.region].alarms
    return next(
        (each for each in names if each in alarms and alarms[each].state_value == "ALARM"), None
    )


def give_up(refresh: Refresh, reason: str) -> None:
    """Roll back if AutoRollback says so, else fail and leave the group as it is."""
    if refresh.status == _ROLLING_BACK:
        refresh.end("RollbackFailed", reason)
    elif refresh.preferences.get("AutoRollback"):
        roll_back(refresh, reason)
    else:
        refresh.end("Failed", reason)


def roll_back(refresh: Refresh, reason: str) -> None:
    """Turn it round: what it launched goes, what the group had before is launched."""
    refresh.rollback_details = {
        "RollbackReason": reason,
        "RollbackStartTime": moment(refresh.fleet.now),
        "PercentageCompleteOnRollback": refresh.percentage_complete,
        "InstancesToUpdateOnRollback": refresh.instances_to_update,
    }
    new = {each.instance_id for each in refresh.fleet.capacity} - refresh.original
    refresh.status, refresh.status_reason = _ROLLING_BACK, reason
    refresh.source, refresh.old, refresh.total = refresh.before, new, len(new)
    refresh.moved_at = refresh.fleet.now


def _replace(refresh: Refresh) -> bool:
    """Terminate the old ones that may go now, and say how many more are to be launched."""
    fleet = refresh.fleet
    was = (refresh.surge, len(refresh.old))
    refresh.old &= {each.instance_id for each in fleet.capacity}
    if refresh.preferences.get("ScaleInProtectedInstances") == "Ignore":
        refresh.old -= {m.instance_id for m in fleet.capacity if m.protected_from_scale_in}
    while (victim := _may_go(refresh)) is not None:
        refresh.old.discard(victim.instance_id)
        terminate(fleet, victim, _CAUSE)
    refresh.surge = _surge(refresh)
    if (refresh.surge, len(refresh.old)) != was:
        refresh.moved_at = fleet.now
        return True
    if not refresh.old and _complete(refresh):
        _succeed(refresh)
        return True
    if fleet.now >= refresh.moved_at + STALL_SECONDS:
        give_up(refresh, "The instance refresh made no progress for an hour.")
        return True
    return False


def _complete(refresh: Refresh) -> bool:
    capacity = refresh.fleet.capacity
    enough = len(capacity) >= int(refresh.fleet.group.desired_capacity)
    return enough and all(ready(refresh, each) for each in capacity)


def _bounds(refresh: Refresh) -> tuple[int, int]:
    """Say how many must stay healthy, and how many there may be."""
    desired = int(refresh.fleet.group.desired_capacity)
    least = math.ceil(desired * int(refresh.preferences["MinHealthyPercentage"]) / 100)
    most = desired * int(refresh.preferences["MaxHealthyPercentage"]) // 100
    return least, max(desired, most)


def _free(refresh: Refresh) -> list[Member]:
    """List the old ones that nothing protects; others make the refresh wait (rule 28)."""
    all_may = refresh.preferences.get("ScaleInProtectedInstances") == "Refresh"
    return [
        each
        for each in refresh.fleet.capacity
        if refresh.goes(each) and (all_may or not each.protected_from_scale_in)
    ]


def _surge(refresh: Refresh) -> int:
    desired = int(refresh.fleet.group.desired_capacity)
    least, most = _bounds(refresh)
    free = len(_free(refresh))
    if most == desired and desired - 1 < least and refresh.preferences.get("explicit_max"):
        return min(free, 1)
    return min(free, most - desired)


def _may_go(refresh: Refresh) -> Member | None:
    """Choose an old member that the bounds let go: one that is not healthy anyway comes first.

    Rule 27: with the defaults, 90 and 100 percent, one instance is killed before its successor is
    there, for the bounds cannot hold.
    """
    free = _free(refresh)
    for member in free:
        if not ready(refresh, member):
            return member
    healthy = sum(ready(refresh, each) for each in refresh.fleet.capacity)
    least, _ = _bounds(refresh)
    if free and healthy - 1 >= least:
        return free[0]
    desired = int(refresh.fleet.group.desired_capacity)
    impossible = desired - 1 < least and _surge(refresh) == 0
    settled = healthy >= desired and all(each.counts for each in refresh.fleet.members)
    return free[0] if free and impossible and settled else None


def _succeed(refresh: Refresh) -> None:
    refresh.surge = 0
    if refresh.status == _ROLLING_BACK:
        refresh.end("RollbackSuccessful", refresh.status_reason)
        return
    refresh.status, refresh.moved_at = "Baking", refresh.fleet.now
    _bake(refresh)


def _bake(refresh: Refresh) -> bool:
    if refresh.fleet.now < refresh.moved_at + int(refresh.preferences.get("BakeTime") or 0):
        return False
    refresh.end("Successful")
    if refresh.desired_configuration:
        adopt(refresh.fleet, refresh.source)
    return True


def adopt(fleet: Fleet, source: Source) -> None:
    """Make what a refresh launched the group's own (rule 26)."""
    group = fleet.group
    group.mixed_instances_policy = source.mixed
    template = {k: v for k, v in (source.template or {}).items() if k != "LaunchTemplateName"}
    group._set_launch_configuration(None, None if source.mixed else template, source.mixed)  # noqa: SLF001 # moto's only way
