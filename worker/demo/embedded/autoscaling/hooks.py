"""Lifecycle hooks: what a member waits for, for how long, and what comes of it."""

import uuid
from dataclasses import dataclass, field
from typing import Final

from worker.demo.embedded.patches import Moto

LAUNCHING: Final = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING: Final = "autoscaling:EC2_INSTANCE_TERMINATING"
CONTINUE: Final = "CONTINUE"
ABANDON: Final = "ABANDON"
LONGEST_WAIT_SECONDS: Final = 48 * 3600
MOST_HEARTBEATS: Final = 100
"""Rule 33: a wait ends after 48 hours or 100 heartbeat timeouts, whichever is sooner."""


@dataclass(slots=True)
class Wait:
    """One hook that holds one member."""

    heartbeat_seconds: int
    default_result: str
    expires_at: float
    limit_at: float
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: str | None = None

    def heartbeat(self, now: float) -> None:
        """Start the timeout again, up to the limit."""
        self.expires_at = min(now + self.heartbeat_seconds, self.limit_at)


def begin(hook: Moto, now: float) -> Wait:
    """Start to wait for a hook."""
    seconds = hook.heartbeat_timeout
    return Wait(
        heartbeat_seconds=seconds,
        default_result=hook.default_result,
        expires_at=now + seconds,
        limit_at=now + min(LONGEST_WAIT_SECONDS, MOST_HEARTBEATS * seconds),
    )


def outcome(waits: dict[str, Wait], now: float) -> str | None:
    """Say what the waits have come to: CONTINUE if all did, ABANDON if one did, None if it lasts.

    Rule 33: a hook that nobody completes brings its default result.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
    """
    for wait in waits.values():
        if wait.result is None and now >= wait.expires_at:
            wait.result = wait.default_result
    results = [wait.result for wait in waits.values()]
    if ABANDON in results:
        return ABANDON
    return None if None in results else CONTINUE
