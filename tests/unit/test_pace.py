"""The pace: a firm step down when S3 asks for it, and back up with time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.loop.pace import CUT_EVERY_SECONDS, DOUBLING_SECONDS, MOST_DOUBLINGS, Pace


def test_it_begins_with_all_there_is() -> None:
    """Nobody has complained yet, whatever the clock says."""
    assert Pace.full(32).limit(0.0) == 32
    assert Pace.full(32).limit(1e9) == 32


def test_rule_23_a_slow_down_takes_a_third_away() -> None:
    """At once, also on a machine that has only just booted."""
    assert Pace.full(32).throttled(0.1).limit(0.1) == 22
    assert Pace.full(100).throttled(5000.0).limit(5000.0) == 70


def test_slow_downs_of_one_moment_count_once() -> None:
    """Requests sent together are throttled together."""
    pace = Pace.full(100)
    for number in range(50):
        pace = pace.throttled(100.0 + number * CUT_EVERY_SECONDS / 60)
    assert pace.limit(100.0) == 70
    assert pace.throttled(100.0 + CUT_EVERY_SECONDS).limit(100.0 + CUT_EVERY_SECONDS) < 70


def test_it_climbs_by_doubling() -> None:
    """In proportion to where it is: near S3's ceiling it stays near it, and from one it gets up."""
    pace = Pace(1024, 1.0, 1000.0)
    steps = range(int(MOST_DOUBLINGS) + 2)
    limits = [pace.limit(1000.0 + step * DOUBLING_SECONDS) for step in steps]
    assert limits[:4] == [1, 2, 4, 8]
    assert limits[-2:] == [1024, 1024]
    assert Pace(100, 70.0, 1000.0).limit(1000.0 + DOUBLING_SECONDS / 2) == pytest.approx(99, abs=1)


@given(st.integers(1, 1024), st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_the_limit_stays_between_one_and_the_most(
    most: int, moments: list[tuple[float, bool]]
) -> None:
    """Whatever happens, and a cut never raises it."""
    pace, now = Pace.full(most), 50.0
    for passed, throttled in moments:
        now += passed
        before = pace.limit(now)
        pace = pace.throttled(now) if throttled else pace
        assert 1 <= pace.limit(now) <= before <= most
