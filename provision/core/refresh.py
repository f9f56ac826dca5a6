"""An instance refresh as a value, and what to do next about it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from provision.core.finding import Finding, failure, warning
from provision.core.group import GroupFacts

UNDER_WAY: Final = frozenset(
    {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}
)
TURNED_BACK: Final = frozenset({"Cancelling", "RollbackInProgress"})
ENDED_BADLY: Final = frozenset({"Failed", "RollbackFailed", "RollbackSuccessful"})
"""Not `Cancelled`: that says nothing of the version."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """One refresh as AWS tells it; `version` is the template version that it brings."""

    id: str
    status: str
    version: str = ""
    percent: int = 0
    to_update: int = 0
    reason: str = ""

    @property
    def under_way(self) -> bool:
        """Whether it goes on."""
        return self.status in UNDER_WAY

    def told(self) -> str:
        """Return how it stands, in one line."""
        left = f", {self.to_update} to replace" if self.to_update else ""
        why = f": {self.reason}" if self.reason else ""
        return f"refresh {self.status}, {self.percent} %{left}{why}"


class Next(Enum):
    """What to do about a refresh."""

    WAIT = auto()
    FLY_CANARY = auto()
    DONE = auto()
    FAILED = auto()


def next_step(refresh: Refresh, *, canary_flown: bool) -> Next:
    """Decide by the refresh's status.

    While it bakes all instances are new and it can still be turned back: the canary's time. A
    refresh that ended before anybody looked has it fly late.
    """
    if refresh.status in ("Baking", "Successful") and not canary_flown:
        return Next.FLY_CANARY
    if refresh.status == "Successful":
        return Next.DONE
    return Next.WAIT if refresh.under_way else Next.FAILED


def judge_end(group: GroupFacts | None, latest: Refresh | None, default: str) -> Iterator[Finding]:
    """Yield what nobody has drawn from a refresh that ended badly, as its watching was cut off.

    `default`: the launch template's. While it is the version that failed, the next apply or rollout
    would bring that version again, and `latest` mean its AMI.
    """
    if group is None or latest is None or latest.status not in ENDED_BADLY:
        return
    if group.template_version.isdigit() and group.template_version != default == latest.version:
        yield failure(
            f"template version {default}",
            f"did not come to the instances, and is not taken back: {latest.told()}",
            "`provision rollback` settles it: `latest` passes its AMI over from then on, and"
            " `provision rollout --ami ami-…` can try it again",
        )


def judge_start(group: GroupFacts, ringing: Iterable[str]) -> Iterator[Finding]:
    """Yield what would make a refresh stall, stop the only worker, or go on unwatched.

    `ringing`: the stack's alarms that are in ALARM already; a refresh with one of them would be
    rolled back at once.
    """
    subject = f"group {group.name}"
    if group.instances and group.desired >= group.maximum:
        yield failure(
            subject,
            f"desired {group.desired} is the maximum: there is no room for a new instance beside"
            " the old one (rule 27)",
            "raise `maximum` in the stack file by one, `provision apply`, then again",
        )
    held = sorted({"Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy"} & {*group.suspended})
    if held:
        detail = f"{', '.join(held)} suspended: a refresh would stall"
        yield failure(subject, detail, "`provision apply` resumes them")
    for each in group.instances:
        if each.lifecycle_state == "Standby":
            yield warning(f"instance {each.id}", "is in Standby, and stays as it is")
    for name in ringing:
        yield warning(f"alarm {name}", "is in ALARM already, and cannot watch over this refresh")
