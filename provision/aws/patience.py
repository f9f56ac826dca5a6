"""Which refusals of AWS pass by themselves, and how long they are waited for (rules 1 to 3)."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

import tenacity
from botocore.exceptions import ClientError

from provision.aws.calls import code_of, message_of

T = TypeVar("T")

PASSING: Final = (
    (re.compile("Invalid IAM Instance Profile", re.IGNORECASE), "the profile is not visible yet"),
    (re.compile("cannot be assumed by Lambda"), "the role is not visible to Lambda yet"),
    (
        re.compile("execution role does not have permissions to call"),
        "the role's policy is not visible to Lambda yet",
    ),
    (re.compile("PrincipalNotFound"), "a principal of the policy is not visible yet"),
    (re.compile("Invalid value for the parameter Policy"), "the policy's principal is not visible"),
    (re.compile("one or more invalid principals"), "a principal of the key policy is not visible"),
    (re.compile("concurrent update operation", re.IGNORECASE), "another update is under way"),
    (re.compile("QueueDeletedRecently"), "a queue of this name was deleted a moment ago (rule 13)"),
    (re.compile("ResourceConflictException"), "Lambda is still busy with the last update"),
    (re.compile("ResourceInUse|ScalingActivityInProgress"), "something still uses it"),
    (re.compile("NoSuchBucket"), "the bucket is new, and not known everywhere yet"),
    (re.compile("OperationAborted"), "a conflicting operation on the bucket is under way"),
    (re.compile("DependencyViolation"), "something still depends on it"),
    (re.compile("Unable to validate the following destination"), "the topic's policy is new"),
    (
        re.compile(
            "AlreadyExists|AlreadyOwnedByYou|Duplicate|InstanceSessionsPerInstanceProfile"
            "|InvalidPermission.NotFound"
        ),
        "it is so already: an answer of AWS may have been lost, so we look again",
    ),
)
"""AWS's words for what heals with time, and ours for the screen. Sources: rules 1, 3, 7, 13, 34.

The last: botocore sends a request again whose answer was lost, and AWS refuses the second.
"""

FIRST_WAITS_SECONDS: Final = (0.25, 0.5, 1.0)
LATER_WAIT_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 48.0
"""Rule 3's cadence."""

LONG_PATIENCE_SECONDS: Final = 75.0
"""For a queue's name: 60 s by the book, 70 are safe (rule 13)."""

Waiting = Callable[[str, float], None]
"""Told why we wait, and for how many seconds."""


class Patience:
    """Repeats a call while AWS's refusal is one that passes; then the refusal is raised."""

    def __init__(self, sleep: Callable[[float], None], waiting: Waiting) -> None:
        self._sleep = sleep
        self._waiting = waiting

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; raises its last ClientError when patience is over."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: reason_to_wait(error) is not None),
            wait=lambda state: wait_before(state.attempt_number),
            stop=self._is_over,
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        return retrying(function)

    @staticmethod
    def _is_over(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        recent = error is not None and "QueueDeletedRecently" in str(error)
        return state.idle_for >= (LONG_PATIENCE_SECONDS if recent else PATIENCE_SECONDS)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            self._waiting(reason_to_wait(error) or "", wait_before(state.attempt_number))


def wait_before(attempt: int) -> float:
    """Return the seconds to wait after attempt number `attempt`, counted from 1."""
    early = attempt <= len(FIRST_WAITS_SECONDS)
    return FIRST_WAITS_SECONDS[attempt - 1] if early else LATER_WAIT_SECONDS


def reason_to_wait(error: BaseException) -> str | None:
    """Say in plain words why this refusal will pass; None if it will not."""
    if not isinstance(error, ClientError):
        return None
    told = f"{code_of(error)} {message_of(error)}"
    return next((why for pattern, why in PASSING if pattern.search(told)), None)
