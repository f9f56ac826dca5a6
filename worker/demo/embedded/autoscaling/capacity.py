"""How many members a group has, which of them are healthy, and who goes when it is too many."""

from collections import Counter

from worker.demo.embedded.autoscaling.fleet import IN_SERVICE, Fleet, Member
from worker.demo.embedded.autoscaling.launch import launch
from worker.demo.embedded.autoscaling.life import terminate


def fit(fleet: Fleet) -> bool:
    """Launch or terminate until the group has what it should; say whether anything changed."""
    refresh = fleet.refresh
    target = int(fleet.group.desired_capacity) + (refresh.surge if refresh else 0)
    count = len(fleet.capacity)
    if fleet.deleted_at is not None or count == target:
        return False
    if count < target:
        return _grow(fleet, count, target)
    return _shrink(fleet, count, target)


def _grow(fleet: Fleet, count: int, target: int) -> bool:
    if fleet.suspended("Launch") or fleet.now < fleet.retry_at:
        return False
    refresh = fleet.refresh
    source = refresh.source if refresh else fleet.source
    cause = (
        "an instance was started in response to a difference between desired and actual capacity,"
        f" increasing the capacity from {count} to {target}."
    )
    for _ in range(target - count):
        if not launch(fleet, source, cause):
            break
    return True


def _shrink(fleet: Fleet, count: int, target: int) -> bool:
    if fleet.suspended("Terminate"):
        return False
    cause = (
        "an instance was taken out of service in response to a difference between desired and"
        f" actual capacity, shrinking the capacity from {count} to {target}."
    )
    goes = False
    for _ in range(count - target):
        if (victim := _victim(fleet)) is None:
            return goes
        terminate(fleet, victim, cause)
        goes = True
    return goes


def _victim(fleet: Fleet) -> Member | None:
    """Choose who goes: the fullest zone, then the oldest template version, then the oldest member.

    Members protected from scale-in never do.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
    """
    free = [each for each in fleet.capacity if not each.protected_from_scale_in]
    if not free:
        return None
    zones = Counter(each.availability_zone for each in fleet.capacity)

    def rank(member: Member) -> tuple[int, int, float]:
        version = int((member.launch_template or {}).get("Version", 0))
        return -zones[member.availability_zone], version, member.born

    return min(free, key=rank)


def check_health(fleet: Fleet) -> bool:
    """Rule 30: replace who no longer runs, at once, and who was called unhealthy.

    Suspending HealthCheck stops the looking, suspending ReplaceUnhealthy the replacing.
    """
    changed = False
    for member in [each for each in fleet.members if each.lifecycle_state == IN_SERVICE]:
        if not member.runs and not fleet.suspended("HealthCheck"):
            member.health_status = "Unhealthy"
        replace = not fleet.suspended("ReplaceUnhealthy") and not fleet.suspended("Terminate")
        if member.health_status == "Unhealthy" and replace:
            terminate(fleet, member, _why(member))
            changed = True
    return changed


def _why(member: Member) -> str:
    if member.runs:
        return "an instance was taken out of service in response to a user health-check."
    return (
        "an instance was taken out of service in response to an EC2 health check indicating it has"
        " been terminated or stopped."
    )
