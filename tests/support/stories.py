"""Steps that somebody takes in turn, each of which may be denied."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from botocore.exceptions import ClientError

from provision.errors import ProvisionError
from worker.aws.autoscaling import AutoScalingUnavailable
from worker.loop.queue_port import QueueUnavailableError

T = TypeVar("T")

FAILURES = (
    ClientError,
    ProvisionError,
    QueueUnavailableError,
    AutoScalingUnavailable,
    AssertionError,
)
"""What a step raises that was denied, or that did not find what it was to bring about."""


def first_failure(actor: T, steps: Iterable[Callable[[T], None]]) -> str | None:
    """Take every step in turn; say which one failed first and how, None if none did."""
    for step in steps:
        try:
            step(actor)
        except FAILURES as error:
            return f"{getattr(step, '__name__', step)}: {error}"
    return None
