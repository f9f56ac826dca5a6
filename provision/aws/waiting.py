"""Waiting for what takes long in AWS: bounded, and never in silence."""

import time
from collections.abc import Callable
from typing import Final

from provision.errors import PartialError

Pause = Callable[[str, float], None]
"""Told what is waited for, and waits so many seconds."""

POLL_SECONDS: Final = 5.0


class TooLongError(PartialError):
    """Raised when AWS did not get done what it usually does by then."""


def quiet_pause(why: str, seconds: float) -> None:
    """Wait, and tell nobody: for commands that only look."""
    del why
    time.sleep(seconds)


def telling(waits: Callable[[str, float], None]) -> Pause:
    """Return a pause that tells why before it waits."""

    def pause(why: str, seconds: float) -> None:
        waits(why, seconds)
        time.sleep(seconds)

    return pause


def wait_until(
    look: Callable[[], str | None], pause: Pause, limit_seconds: float, hint: str
) -> None:
    """Look again and again until there is nothing left to wait for.

    `look` says what is still to happen, None when all is done. Raises TooLongError, with `hint`.
    """
    waited = 0.0
    while (why := look()) is not None:
        if waited >= limit_seconds:
            raise TooLongError(f"gave up after {waited:.0f} s: {why}", hint)
        pause(why, POLL_SECONDS)
        waited += POLL_SECONDS
