"""Outcomes become verdicts: a message goes only when all of it is settled."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.move import Outcome, Result
from worker.core.verdict import (
    RETRY_BASE_SECONDS,
    RETRY_MAX_SECONDS,
    Ack,
    OnMalformed,
    OnMissing,
    Reject,
    Retry,
    VerdictRules,
    invisible_seconds,
    judge,
    retry_seconds,
)

JITTERS = st.floats(0, 1, exclude_max=True)
COUNTS = st.integers(1, 10_000)
RULES = st.builds(VerdictRules, st.sampled_from(OnMissing), st.sampled_from(OnMalformed))
OUTCOMES = st.lists(st.builds(Outcome, st.sampled_from(Result), detail=st.text()))
ALWAYS_SETTLED = {Result.MOVED, Result.ALREADY_MOVED, Result.SUPERSEDED, Result.SKIPPED}
NEVER_SETTLED = {Result.CONFLICT, Result.ARCHIVED, Result.UNMOVABLE}


def settled_results(rules: VerdictRules) -> set[Result]:
    """Return the results after which a record needs its message no more."""
    return (
        ALWAYS_SETTLED
        | ({Result.MISSING} if rules.on_missing is OnMissing.ACK else set())
        | ({Result.MALFORMED} if rules.on_malformed is OnMalformed.DROP else set())
    )


@given(OUTCOMES, RULES, COUNTS, JITTERS)
def test_a_message_goes_only_when_all_of_it_is_settled(
    outcomes: list[Outcome], rules: VerdictRules, receive_count: int, jitter: float
) -> None:
    """One that may still succeed means Retry; else one that never will means Reject; else Ack."""
    verdict = judge(outcomes, rules, receive_count, jitter)
    results = {outcome.result for outcome in outcomes}
    if Result.FAILED in results:
        assert isinstance(verdict, Retry)
        assert verdict.after_seconds == retry_seconds(receive_count, jitter)
    elif results <= settled_results(rules):
        assert verdict == Ack()
    else:
        assert isinstance(verdict, Reject)


def test_every_result_is_judged() -> None:
    """Whoever adds a result has to say here what it means for the message."""
    assert set(Result) == {
        *ALWAYS_SETTLED,
        *NEVER_SETTLED,
        Result.MISSING,
        Result.MALFORMED,
        Result.FAILED,
    }


@pytest.mark.parametrize(
    ("result", "rules", "verdict"),
    [
        (Result.MISSING, VerdictRules(), Ack()),
        (Result.MISSING, VerdictRules(on_missing=OnMissing.REJECT), Reject("missing: why")),
        (Result.MALFORMED, VerdictRules(), Reject("malformed: why")),
        (Result.MALFORMED, VerdictRules(on_malformed=OnMalformed.DROP), Ack()),
        (Result.CONFLICT, VerdictRules(), Reject("conflict: why")),
        (Result.FAILED, VerdictRules(), Retry(2.5, "why")),
    ],
)
def test_the_operators_choices_decide(
    result: Result, rules: VerdictRules, verdict: Ack | Retry | Reject
) -> None:
    """What is missing or malformed goes by ON_MISSING and ON_MALFORMED; the reason is told."""
    assert judge([Outcome(result, detail="why")], rules, 1, 0.0) == verdict


def test_a_message_without_outcomes_is_settled() -> None:
    """Nothing is left to do for it."""
    assert judge([], VerdictRules(), 1, 0.0) == Ack()


@given(st.integers(-5, 10**9), JITTERS)
def test_a_wait_stays_within_its_bounds(receive_count: int, jitter: float) -> None:
    """At least half of the first wait, at most a quarter of an hour."""
    assert RETRY_BASE_SECONDS / 2 <= retry_seconds(receive_count, jitter) <= RETRY_MAX_SECONDS


@given(COUNTS, JITTERS, JITTERS)
def test_waits_never_shrink(receive_count: int, one: float, other: float) -> None:
    """Neither with another receipt, nor with more jitter."""
    less, more = sorted([one, other])
    assert retry_seconds(receive_count, less) <= retry_seconds(receive_count, more)
    assert retry_seconds(receive_count, one) <= retry_seconds(receive_count + 1, one)


@pytest.mark.parametrize(
    ("receive_count", "seconds"), [(1, 2.5), (2, 5), (3, 10), (8, 320), (9, 450), (40, 450)]
)
def test_waits_double_up_to_the_longest(receive_count: int, seconds: float) -> None:
    """Without jitter, half of 5, 10, 20 … 900 seconds."""
    assert retry_seconds(receive_count, 0.0) == seconds


@given(COUNTS, JITTERS, st.booleans())
def test_a_retry_stays_invisible_for_its_wait(
    receive_count: int,
    jitter: float,
    has_dlq: bool,  # noqa: FBT001 - drawn
) -> None:
    """SQS takes whole seconds: rounded up, so that it never comes early."""
    after = retry_seconds(receive_count, jitter)
    seconds = invisible_seconds(Retry(after, ""), receive_count, jitter, has_dlq=has_dlq)
    assert seconds == math.ceil(after)


@given(COUNTS, JITTERS)
def test_a_rejected_message_hurries_to_the_dead_letter_queue(
    receive_count: int, jitter: float
) -> None:
    """With one it is visible at once, for SQS to redrive it; without one it waits like a retry."""
    assert invisible_seconds(Reject(""), receive_count, jitter, has_dlq=True) == 0
    waits = invisible_seconds(Reject(""), receive_count, jitter, has_dlq=False)
    assert waits == math.ceil(retry_seconds(receive_count, jitter)) > 0
