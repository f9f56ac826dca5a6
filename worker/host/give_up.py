"""Whether an instance whose worker keeps failing had better be replaced by its group. Pure.

Only for what a new instance may mend, and not for what it would find just the same.
"""

from dataclasses import dataclass

from worker.aws.autoscaling import GroupMember
from worker.errors import ExitCode

YOUNGEST_SECONDS = 3600.0
"""A place in the group is refilled at most once an hour: where each new instance fails like the
one before it, replacing is no cure, and must not become a storm."""

SAME_EVERYWHERE = {
    ExitCode.SETTINGS: "its settings cannot work",
    ExitCode.PREFLIGHT: "a permission or the queue is missing",
    ExitCode.ACCESS_LOST: "access to the queue was lost",
}
"""Exit statuses that a new instance would end with as well: it has the same settings and role."""

IN_SERVICE = "InService"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the service ended last, in systemd's words: MONITOR_SERVICE_RESULT, MONITOR_EXIT_STATUS.

    `result` is such as `exit-code`, `watchdog`, `core-dump`, `oom-kill`; systemd.exec(5).
    """

    result: str
    exit_status: str

    def __str__(self) -> str:
        return f"{self.result} ({self.exit_status})"


@dataclass(frozen=True, slots=True)
class Replace:
    """The group shall replace the instance."""

    why: str


@dataclass(frozen=True, slots=True)
class Stay:
    """The instance stays, and the worker is tried again on it."""

    why: str


def stays_for(ending: Ending) -> Stay | None:
    """Return why no new instance could help; None if one may."""
    if not ending.result:
        return Stay("systemd did not say how the service ended; it begins this command itself")
    if ending.result == "success":
        return Stay("the service ended as it was asked to")
    for code, words in SAME_EVERYWHERE.items():
        if ending.result == "exit-code" and ending.exit_status == str(int(code)):
            return Stay(f"{words} (exit status {int(code)}): so it would be on a new instance")
    return None


def judge(ending: Ending, age_seconds: float, member: GroupMember | None) -> Replace | Stay:
    """Decide, of an instance of that age, and its place in a group if it has one (rule 30)."""
    stay = stays_for(ending)
    if stay:
        return stay
    if member is None:
        return Stay("the instance is in no Auto Scaling group that could replace it")
    if member.lifecycle_state != IN_SERVICE:
        return Stay(
            f"the group {member.group} has it as {member.lifecycle_state}, not as {IN_SERVICE}"
        )
    if age_seconds < YOUNGEST_SECONDS:
        return Stay(
            f"the instance is {age_seconds / 60:.0f} minutes old; below {YOUNGEST_SECONDS / 60:.0f}"
            " a new one would most likely fail like this one"
        )
    return Replace(f"the worker keeps failing: {ending}")
