"""The outcomes of one message -> Ack, Retry or Reject. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from worker.core.move import Outcome, Result

RETRY_BASE_SECONDS = 5.0
"""The first wait: most hiccups are over by then, and nobody waits long for one."""

RETRY_MAX_SECONDS = 900.0
"""The longest wait: a mended fault shows within a quarter of an hour."""


class OnMissing(StrEnum):
    """What to do when an object is neither at its source nor at its destination."""

    ACK = "ack"
    REJECT = "reject"


class OnMalformed(StrEnum):
    """What to do with a message that is no S3 event."""

    REJECT = "reject"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class VerdictRules:
    """The operator's choices that decide what becomes of a message."""

    on_missing: OnMissing = OnMissing.ACK
    on_malformed: OnMalformed = OnMalformed.REJECT


@dataclass(frozen=True, slots=True)
class Ack:
    """All is done: delete the message."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not this time: let the message come back after so many seconds."""

    after_seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Reject:
    """Never, as things stand: leave it to SQS to redrive the message to the dead-letter queue."""

    why: str


Verdict: TypeAlias = Ack | Retry | Reject


def judge(
    outcomes: Sequence[Outcome], rules: VerdictRules, receive_count: int, jitter: float
) -> Verdict:
    """Decide what becomes of a message from what became of each of its records.

    A message goes only when every record of it is settled. One that may still succeed outweighs
    one that never will: the message comes back whole, and what was moved is found moved.
    `receive_count` counts from 1; `jitter` in [0, 1) spreads the retries.
    """
    waiting = [outcome for outcome in outcomes if outcome.result is Result.FAILED]
    if waiting:
        return Retry(retry_seconds(receive_count, jitter), waiting[0].detail)
    for outcome in outcomes:
        if _is_rejected(outcome.result, rules):
            return Reject(f"{outcome.result}: {outcome.detail}")
    return Ack()


def _is_rejected(result: Result, rules: VerdictRules) -> bool:
    match result:
        case Result.MISSING:
            return rules.on_missing is OnMissing.REJECT
        case Result.MALFORMED:
            return rules.on_malformed is OnMalformed.REJECT
        case _:
            return result in {Result.CONFLICT, Result.ARCHIVED, Result.UNMOVABLE}


def invisible_seconds(
    verdict: Retry | Reject, receive_count: int, jitter: float, *, has_dlq: bool
) -> int:
    """Return for how long a message that is not settled stays out of sight, in whole seconds.

    A rejected one comes back at once, so that SQS redrives it within seconds; without a
    dead-letter queue it would come back for ever, so it waits as long as a retry.
    """
    if isinstance(verdict, Retry):
        return math.ceil(verdict.after_seconds)
    return 0 if has_dlq else math.ceil(retry_seconds(receive_count, jitter))


def retry_seconds(receive_count: int, jitter: float) -> float:
    """Double the wait with each receipt, up to the most; spread over the upper half of it."""
    doublings = min(max(receive_count, 1) - 1, 16)  # 2^16 is past any limit, and no huge number
    longest = min(RETRY_MAX_SECONDS, RETRY_BASE_SECONDS * float(1 << doublings))
    return longest * (0.5 + jitter / 2)
