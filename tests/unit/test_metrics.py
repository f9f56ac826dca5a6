"""Counters since the start and since the last summary; latencies to a fifth."""

import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.loop.metrics import BUCKET_RATIO, SMALLEST_SECONDS, Latencies, Metrics

seconds = st.floats(0.0, 30_000.0)


@given(st.lists(seconds, min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_percentile_is_right_to_a_fifth(values: list[float], share: float) -> None:
    """At least the true one, and no more than a bucket above it."""
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    found = latencies.percentile(share)
    exact = sorted(values)[math.ceil(share * len(values) - 1e-9) - 1]
    assert found >= exact * (1 - 1e-9)
    assert found <= max(exact, SMALLEST_SECONDS) * BUCKET_RATIO * (1 + 1e-9)
    assert found <= max(values)


def test_nothing_took_no_time() -> None:
    """An idle minute's summary is made of zeros."""
    assert Latencies().summary() == {"p50": 0.0, "p95": 0.0, "longest": 0.0}


def test_a_summary_has_the_middle_the_tail_and_the_longest() -> None:
    """95 quick ones and five slow ones."""
    latencies = Latencies()
    for number in range(100):
        latencies.add(0.1 if number < 95 else 60.0)
    summary = latencies.summary()
    assert summary["p50"] == pytest.approx(0.1, rel=0.2)
    assert summary["p95"] == pytest.approx(0.1, rel=0.2)
    assert summary["longest"] == 60.0
    assert latencies.percentile(0.96) == pytest.approx(60.0, rel=0.2)


@pytest.mark.parametrize("value", [-1.0, 0.0, 1e-12, 1e9])
def test_any_number_of_seconds_finds_a_place(value: float) -> None:
    """A clock that stood still, or a message held for ever."""
    latencies = Latencies()
    latencies.add(value)
    assert latencies.percentile(1.0) <= max(value, 0.0)


def test_counts_are_kept_for_ever_and_since_the_last_summary() -> None:
    """The totals go on; the summary begins anew."""
    metrics = Metrics()
    metrics.count("moved", 3)
    metrics.count("received")
    metrics.took(1.0)
    first = metrics.summary()
    assert first["counts"] == {"moved": 3, "received": 1}
    assert first["moved_in_all"] == 3
    metrics.count("moved")
    second = metrics.summary()
    assert second["counts"] == {"moved": 1}
    assert second["moved_in_all"] == 4
    assert second["seconds"] == {"p50": 0.0, "p95": 0.0, "longest": 0.0}
    json.dumps(second)


def test_a_hundred_thousand_messages_take_no_more_memory_than_one() -> None:
    """Latencies are counts in buckets."""
    latencies = Latencies()

    def size() -> int:
        return sum(map(sys.getsizeof, vars(latencies).values()))

    before = size()
    for number in range(100_000):
        latencies.add(number / 10)
    assert size() - before < 100
