"""Stopping: the first reason, the earliest deadline, and an end at once when asked twice."""

import asyncio
import math
import os
import signal
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.host.stop import Stop, StopReason, StopRequest, install_signals

DRAIN_SECONDS = 90.0


@dataclass
class Clock:
    """A clock that goes only when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the seconds it stands at."""
        return self.now


reasons = st.sampled_from(StopReason)
seconds = st.floats(min_value=-100, max_value=10_000)
requests = st.lists(st.tuples(seconds, reasons, seconds), min_size=1)


@given(requests)
def test_any_requests_keep_the_first_reason_and_the_earliest_deadline(
    asked: list[tuple[float, StopReason, float]],
) -> None:
    """Whoever asks, in whatever order and however late: nothing is ever loosened."""
    clock = Clock()
    stop_request = StopRequest(clock)
    deadlines = []
    for passed, reason, within in asked:
        clock.now += abs(passed)
        stop_request.request(reason, within)
        deadlines.append(clock.now + max(0.0, within))
        assert stop_request.stop == Stop(asked[0][1], min(deadlines))
        assert stop_request.seconds_left() == max(0.0, min(deadlines) - clock.now)
    assert not stop_request.aborted


@given(requests, st.sampled_from([signal.SIGTERM, signal.SIGINT]))
def test_an_abort_leaves_no_time_and_no_later_request_gives_any(
    asked: list[tuple[float, StopReason, float]], number: signal.Signals
) -> None:
    """An end at once is final."""
    stop_request = StopRequest(Clock())
    stop_request.request_abort(number)
    for _, reason, within in asked:
        stop_request.request(reason, within)
        assert stop_request.seconds_left() == 0
    assert stop_request.aborted_by is number


def test_nothing_is_asked_at_first() -> None:
    """A fresh request has no reason, no end, and all the time there is."""
    stop_request = StopRequest(Clock())
    assert not stop_request.requested
    assert stop_request.stop is None
    assert not stop_request.aborted
    assert stop_request.seconds_left() == math.inf


def test_time_left_goes_down_with_the_clock_and_not_below_nothing() -> None:
    """What is left is counted on the clock that was given."""
    clock = Clock()
    stop_request = StopRequest(clock)
    stop_request.request(StopReason.SIGTERM, 10)
    clock.now += 4
    assert stop_request.seconds_left() == 6
    clock.now += 40
    assert stop_request.seconds_left() == 0


def test_a_reason_may_be_its_plain_text_but_must_be_known() -> None:
    """A slip in a reason shows at once."""
    stop_request = StopRequest(Clock())
    with pytest.raises(ValueError, match="boredom"):
        stop_request.request("boredom", 1)
    assert not stop_request.requested
    stop_request.request("access-lost", 1)
    assert stop_request.stop == Stop(StopReason.ACCESS_LOST, 1001.0)


def test_a_second_signal_of_either_kind_ends_at_once() -> None:
    """SIGTERM, then Ctrl-C: the first drains, the second does not wait."""
    stop_request = StopRequest(Clock())
    stop_request.signal_came(signal.SIGTERM, DRAIN_SECONDS)
    assert (stop_request.aborted, stop_request.seconds_left()) == (False, DRAIN_SECONDS)
    stop_request.signal_came(signal.SIGINT, DRAIN_SECONDS)
    assert stop_request.aborted_by is signal.SIGINT
    stop_request.signal_came(signal.SIGTERM, DRAIN_SECONDS)
    assert stop_request.aborted_by is signal.SIGINT
    assert stop_request.stop == Stop(StopReason.SIGTERM, 1000.0)


def test_one_signal_in_a_drain_that_the_group_began_does_not_end_it() -> None:
    """`systemctl stop` during a scale-in still drains."""
    stop_request = StopRequest(Clock())
    stop_request.request(StopReason.ASG_TERMINATION, DRAIN_SECONDS)
    stop_request.signal_came(signal.SIGTERM, 30)
    assert not stop_request.aborted
    assert stop_request.stop == Stop(StopReason.ASG_TERMINATION, 1030.0)


def test_every_waiter_wakes_on_a_request_and_late_ones_do_not_wait() -> None:
    """Waiting is for any number of tasks, before and after the request."""

    async def story() -> list[Stop]:
        stop_request = StopRequest(Clock())
        waiting = [asyncio.create_task(stop_request.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        stop_request.request(StopReason.SIGINT, 5)
        return [*await asyncio.gather(*waiting), await stop_request.wait()]

    assert asyncio.run(story()) == [Stop(StopReason.SIGINT, 1005.0)] * 4


def test_an_abort_out_of_the_blue_wakes_those_who_wait_for_a_stop_too() -> None:
    """Nobody can be left waiting for a stop that was skipped."""

    async def story() -> Stop:
        stop_request = StopRequest(Clock())
        waiting = asyncio.gather(
            stop_request.wait(), stop_request.wait_aborted(), stop_request.wait_deadline()
        )
        await asyncio.sleep(0)
        stop_request.request_abort()
        stop, *_ = await waiting
        return stop

    assert asyncio.run(story()) == Stop(StopReason.SIGTERM, 1000.0)


def test_whoever_waits_for_the_deadline_feels_it_tighten() -> None:
    """A spot notice in the middle of a long drain cuts the waiting short, for every waiter."""

    async def story() -> list[bool]:
        stop_request = StopRequest(Clock())
        waiting = [asyncio.create_task(stop_request.wait_deadline()) for _ in range(2)]
        stop_request.request(StopReason.SIGTERM, 1_000_000)
        await asyncio.sleep(0)
        stop_request.request(StopReason.SPOT_INTERRUPTION, 500_000)
        for _ in range(5):
            await asyncio.sleep(0)
        early = [task.done() for task in waiting]
        stop_request.request(StopReason.SPOT_INTERRUPTION, 0)
        await asyncio.gather(*waiting)
        return early

    assert asyncio.run(story()) == [False, False]


def test_the_deadline_comes_by_itself() -> None:
    """With nobody asking again, the drain is over when its time is."""

    async def story() -> float:
        stop_request = StopRequest(asyncio.get_running_loop().time)
        stop_request.request(StopReason.SIGTERM, 0.01)
        await stop_request.wait_deadline()
        return stop_request.seconds_left()

    assert asyncio.run(story()) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_real_signals_drain_first_and_end_at_once_after(number: signal.Signals) -> None:
    """Sent by the kernel; handlers put in again after a reload remember the first signal."""

    async def story() -> tuple[Stop, bool, signal.Signals | None]:
        loop = asyncio.get_running_loop()
        stop_request = StopRequest(Clock())
        install_signals(loop, stop_request, DRAIN_SECONDS)
        os.kill(os.getpid(), number)
        stop = await stop_request.wait()
        aborted_early = stop_request.aborted
        install_signals(loop, stop_request, 5)
        os.kill(os.getpid(), number)
        await stop_request.wait_aborted()
        return stop, aborted_early, stop_request.aborted_by

    stop = Stop(StopReason(number.name), 1000.0 + DRAIN_SECONDS)
    assert asyncio.run(story()) == (stop, False, number)
