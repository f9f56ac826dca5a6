"""Rolls a template version out: one instance after the other, watched, and turned back if it fails.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-instance-refresh.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from provision.aws.waiting import POLL_SECONDS, Pause, TooLongError
from provision.core.refresh import TURNED_BACK, Next, Refresh, next_step
from provision.errors import PartialError, ProvisionError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import DesiredConfigurationTypeDef

LIMIT_SECONDS: Final = 6 * 3600
"""AWS itself gives up a refresh that gets no further for an hour; large groups take a while."""

Canary = Callable[[], str | None]
"""Flies once; says what went wrong, or None."""


class Refreshes(Protocol):
    """What is asked of the group's refreshes (aws/refresh.py)."""

    def latest(self) -> Refresh | None:
        """Return the newest."""

    def find(self, refresh_id: str) -> Refresh:
        """Return one by its id."""

    def start(
        self, configuration: "DesiredConfigurationTypeDef", alarms: Sequence[str]
    ) -> str | None:
        """Start one; return its id, None if one is under way already."""

    def roll_back(self) -> None:
        """Turn the one that is under way back."""


class RolloutError(PartialError):
    """Raised when a rollout did not come to its end.

    `is_over`: all instances are new, and the refresh cannot be turned back any more (rule 26).
    """

    is_over = False


class RefreshCancelledError(RolloutError):
    """Raised when somebody cancelled the refresh: no fault of what was rolled out."""


class CanaryFailedError(RolloutError):
    """Raised when the canary did not arrive, and the refresh was over before it flew."""

    is_over = True


@dataclass(frozen=True, slots=True)
class Target:
    """What to roll out: a template version, within the group's whole configuration."""

    version: str
    configuration: "DesiredConfigurationTypeDef"


def no_canary() -> str | None:
    """Fly none: whoever calls verifies afterwards."""
    return None


def roll_out(
    refreshes: Refreshes,
    target: Target,
    *,
    alarms: Sequence[str],
    pause: Pause,
    canary: Canary = no_canary,
) -> None:
    """Replace the group's instances, or go on with the refresh that does so already.

    Raises RolloutError, TooLongError and ClientError.
    """
    started = _under_way(refreshes, target)
    if started is None:
        started = refreshes.start(target.configuration, alarms) or _under_way(refreshes, target)
    if started is None:
        raise PartialError(
            "a refresh that was under way has just ended", "`provision rollout` tries again"
        )
    follow(refreshes, started, pause=pause, canary=canary)


def _under_way(refreshes: Refreshes, target: Target) -> str | None:
    """Return the id of the refresh that goes on, None if none does; somebody else's is refused."""
    found = refreshes.latest()
    if found is None or not found.under_way:
        return None
    must_be_ours(found, target.version)
    return found.id


def follow(refreshes: Refreshes, refresh_id: str, *, pause: Pause, canary: Canary) -> None:
    """Watch a refresh to its end; a canary that does not arrive turns it back."""
    waited, flown, wrong = 0.0, False, None
    while True:
        refresh = refreshes.find(refresh_id)
        match next_step(refresh, canary_flown=flown):
            case Next.FLY_CANARY:
                flown, wrong = True, _fly(refreshes, refresh, canary)
            case Next.DONE:
                return
            case Next.FAILED:
                raise _ended(refresh, wrong)
            case Next.WAIT:
                if waited >= LIMIT_SECONDS:
                    raise TooLongError(refresh.told(), "`provision rollout` goes on watching it")
                pause(refresh.told(), POLL_SECONDS)
                waited += POLL_SECONDS


def follow_back(refreshes: Refreshes, refresh_id: str, pause: Pause) -> None:
    """Watch a refresh that was turned back; raises RolloutError unless all is the old again."""
    waited = 0.0
    while (refresh := refreshes.find(refresh_id)).under_way:
        if waited >= LIMIT_SECONDS:
            raise TooLongError(refresh.told(), "`provision rollback` goes on watching it")
        pause(refresh.told(), POLL_SECONDS)
        waited += POLL_SECONDS
    if refresh.status != "RollbackSuccessful":
        raise RolloutError(refresh.told(), hint_for(refresh))


def _fly(refreshes: Refreshes, refresh: Refresh, canary: Canary) -> str | None:
    """Fly the canary, and turn the refresh back if it fails; returns what went wrong."""
    wrong = canary()
    if wrong is None:
        return None
    if not refresh.under_way:
        # A refresh that is over cannot be turned back: roll forward to the old version (rule 26).
        raise CanaryFailedError(f"the canary failed: {wrong}", "`provision status` shows more")
    refreshes.roll_back()
    return wrong


def _ended(refresh: Refresh, wrong: str | None) -> RolloutError:
    """Return the error; of a refresh that we turned back, AWS knows only that a user did."""
    kind = RefreshCancelledError if refresh.status == "Cancelled" else RolloutError
    told = f"the canary failed: {wrong}; {refresh.told()}" if wrong else refresh.told()
    return kind(told, hint_for(refresh))


def must_be_ours(refresh: Refresh, version: str) -> None:
    """Raise ProvisionError unless this refresh, which is under way, brings the version."""
    if refresh.status in TURNED_BACK:
        raise ProvisionError(
            f"a refresh is on its way back: {refresh.told()}",
            "wait until `provision status` shows its end, then try again",
        )
    if refresh.version != version:
        raise ProvisionError(
            f"another refresh is under way, to template version {refresh.version or 'unknown'}",
            "wait until `provision status` shows its end, or `provision rollback` turns it back",
        )


def hint_for(refresh: Refresh) -> str:
    """Return what to do about a refresh that did not succeed."""
    if refresh.status == "RollbackSuccessful":
        return (
            "all instances are the old ones again; look at the alarms and the log of the new ones,"
            " then `provision rollout --ami ami-…` tries that AMI again"
        )
    return (
        "old and new instances may be mixed: `provision status` shows them, `provision rollout`"
        " finishes, `provision rollback` goes back"
    )
