"""One member's life: Pending, hooks, InService, Terminating, hooks, gone."""

from worker.demo.embedded.autoscaling import activities, hooks
from worker.demo.embedded.autoscaling.fleet import IN_SERVICE, PENDING, TERMINATING, Fleet, Member


def go_on(fleet: Fleet, member: Member) -> bool:
    """Take a member one step further if it is due; say whether it went.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
    """
    match member.lifecycle_state:
        case "Pending":
            return _boot(fleet, member)
        case "Pending:Wait":
            return _launched(fleet, member)
        case "Terminating:Wait":
            if hooks.outcome(member.waits, fleet.now) is None:
                return False
            _end(fleet, member)
            return True
        case "Terminating:Proceed" | "Terminating":
            return _leave(fleet, member)
    return False


def _boot(fleet: Fleet, member: Member) -> bool:
    if not member.runs:
        terminate(fleet, member, "an instance was taken out of service: it is no longer running.")
        return True
    if fleet.now < member.born + fleet.layer.delays.launch_seconds:
        return False
    if _wait(fleet, member, hooks.LAUNCHING):
        member.lifecycle_state = f"{PENDING}:Wait"
    else:
        _serve(fleet, member)
    return True


def _launched(fleet: Fleet, member: Member) -> bool:
    """Rule 33: CONTINUE puts it in service; ABANDON, or nobody's word, replaces it."""
    result = hooks.outcome(member.waits, fleet.now)
    if result is None:
        return False
    if result == hooks.ABANDON:
        member.activity.end(
            fleet.now,
            activities.CANCELLED,
            f"Instance failed to complete user's Lifecycle Action: Lifecycle Action with token"
            f" {next(iter(member.waits.values())).token} was abandoned",
        )
        terminate(fleet, member, "an instance was taken out of service: its launch was abandoned.")
    else:
        _serve(fleet, member)
    return True


def _serve(fleet: Fleet, member: Member) -> None:
    member.lifecycle_state, member.in_service_since = IN_SERVICE, fleet.now
    member.waits.clear()
    member.activity.end(fleet.now)


def _wait(fleet: Fleet, member: Member, transition: str) -> bool:
    """Begin to wait for the group's hooks, if it has any."""
    member.waits = {each.name: hooks.begin(each, fleet.now) for each in fleet.hooks(transition)}
    if member.waits:
        member.activity.status_code = activities.WAITING
    return bool(member.waits)


def terminate(fleet: Fleet, member: Member, cause: str, *, force: bool = False) -> None:
    """Begin to take a member out; `force` runs no hooks (rule 33)."""
    told = f"Terminating EC2 instance: {member.instance_id}"
    if member.activity.end_time is None:
        member.activity.end(fleet.now, activities.CANCELLED)
    member.activity = fleet.note(told, cause, member.instance.subnet_id, member.availability_zone)
    member.lifecycle_state = TERMINATING
    if not force and _wait(fleet, member, hooks.TERMINATING):
        member.lifecycle_state = f"{TERMINATING}:Wait"
    else:
        _end(fleet, member)


def end_waiting(fleet: Fleet, member: Member) -> None:
    """End the waiting of a member that terminates already: ForceDelete (rule 33)."""
    if member.ended_at is None:
        _end(fleet, member)


def _end(fleet: Fleet, member: Member) -> None:
    if member.waits:
        member.lifecycle_state = f"{TERMINATING}:Proceed"
    member.waits.clear()
    member.activity.status_code = activities.IN_PROGRESS
    member.ended_at = fleet.now
    if member.instance.state != "terminated":
        member.instance.disable_api_termination = False
        fleet.group.ec2_backend.terminate_instances([member.instance_id])


def _leave(fleet: Fleet, member: Member) -> bool:
    since = fleet.now if member.ended_at is None else member.ended_at
    if fleet.now < since + fleet.layer.delays.terminate_seconds:
        return False
    member.activity.end(fleet.now)
    fleet.members.remove(member)
    return True
