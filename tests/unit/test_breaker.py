"""The breaker: what opens it, how far apart it probes, what closes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.loop.breaker import LONGEST_WAIT_SECONDS, OPENS_AFTER, Breaker

jitters = st.floats(0, 1, exclude_max=True)


def failed_times(count: int, breaker: Breaker | None = None) -> Breaker:
    """Return a breaker after so many failures at second 100."""
    breaker = breaker or Breaker()
    for number in range(count):
        breaker = breaker.failed(100.0, f"cause {number}", 0.5)
    return breaker


@given(st.lists(st.booleans(), max_size=50))
def test_it_is_open_exactly_after_three_failures_in_a_row(outcomes: list[bool]) -> None:
    """Any success closes it, and the count begins anew."""
    breaker, in_a_row = Breaker(), 0
    for success in outcomes:
        breaker = breaker.succeeded() if success else breaker.failed(0.0, "no", 0.0)
        in_a_row = 0 if success else in_a_row + 1
        assert breaker.is_open == (in_a_row >= OPENS_AFTER)
        assert breaker.failures == in_a_row


def test_a_success_forgets_everything() -> None:
    """The next outage begins with short waits again."""
    assert failed_times(50).succeeded() == Breaker()


def test_it_keeps_the_last_cause() -> None:
    """In AWS's words, for the operator."""
    assert failed_times(7).cause == "cause 6"


def test_the_first_probe_comes_within_a_second() -> None:
    """However many messages in hand fail together: they tell nothing new."""
    assert failed_times(3).next_probe == pytest.approx(100.75)
    assert failed_times(200).next_probe == pytest.approx(100.75)


@given(st.lists(jitters, min_size=1, max_size=40))
def test_probes_that_fail_are_further_and_further_apart(spread: list[float]) -> None:
    """1, 2, 4 … seconds and a minute at most, each spread over its upper half."""
    breaker, now = failed_times(3), 200.0
    for number, jitter in enumerate(spread, start=1):
        breaker = breaker.probing(now).failed(now, "no", jitter)
        longest = min(LONGEST_WAIT_SECONDS, 2.0**number)
        assert longest / 2 - 1e-6 <= breaker.next_probe - now <= longest + 1e-6
        now = breaker.next_probe


def test_while_one_probes_the_others_wait_a_minute_at_most() -> None:
    """Should it never answer, another takes its turn."""
    assert failed_times(3).probing(500.0).next_probe == 500.0 + LONGEST_WAIT_SECONDS


def test_stragglers_do_not_put_the_next_probe_off() -> None:
    """A failure of something that was no probe changes the count alone."""
    probed = failed_times(3).probing(200.0).failed(200.0, "no", 0.5)
    later = probed.failed(201.0, "no", 0.5)
    assert (later.next_probe, later.rounds) == (probed.next_probe, probed.rounds)
    assert later.failures == probed.failures + 1
