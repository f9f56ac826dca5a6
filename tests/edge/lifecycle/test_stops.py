"""What stops an instance's worker, and by when: Auto Scaling's word, spot notices, neither."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.imds_server import PATHS
from support.lifecycle_scene import (
    DRAIN_SECONDS,
    Scene,
    events,
    spot,
)

from worker.aws.imds import SpotAction
from worker.host.lifecycle import (
    DEFAULT_HOOK_NAME,
    Outlook,
    reasons_to_stop,
)
from worker.host.stop import StopReason


def test_an_instance_in_service_is_left_in_peace(scene: Scene) -> None:
    """No notice: no stop, no call to Auto Scaling, not a line of log."""
    logs = scene.play(300, finish=True)
    assert not scene.stop_request.requested
    assert scene.group.calls == []
    assert logs == []


@pytest.mark.parametrize("state", ["Standby", "Detached", "Warmed:Stopped", "Warmed:Running"])
def test_states_that_keep_the_instance_do_not_stop_it(scene: Scene, state: str) -> None:
    """Only a termination ends the worker."""
    scene.imds.items[PATHS["target_state"]] = state
    scene.play(60, finish=True)
    assert not scene.stop_request.requested
    assert scene.group.calls == []


@pytest.mark.parametrize("state", ["Terminated", "Warmed:Terminated"])
def test_a_termination_stops_within_the_drain_seconds(scene: Scene, state: str) -> None:
    """Seen at the next poll, and asked for once: later polls do not move the deadline."""
    scene.time.then.append((100, lambda: scene.imds.items.update({PATHS["target_state"]: state})))
    scene.play(150)
    stop = scene.stop_request.stop
    assert stop
    assert stop.reason is StopReason.ASG_TERMINATION
    assert stop.deadline == 100 + DRAIN_SECONDS


@pytest.mark.parametrize("action", ["terminate", "stop"])
def test_a_spot_notice_leaves_twenty_seconds_before_the_end(scene: Scene, action: str) -> None:
    """Notice at 50 s for 170 s: drained by 150 s, on our own monotonic clock."""
    text = spot(action, 170)
    scene.time.then.append((50, lambda: scene.imds.items.update({PATHS["spot"]: text})))
    logs = scene.play(100)
    stop = scene.stop_request.stop
    assert stop
    assert stop.reason is StopReason.SPOT_INTERRUPTION
    assert stop.deadline == pytest.approx(150, abs=1e-3)
    assert events(logs) == ["spot-notice", "stop-requested"]
    assert scene.group.calls == []


def test_a_notice_whose_time_is_past_stops_now(scene: Scene) -> None:
    """Too late for any drain: no time is left, and nothing breaks."""
    scene.imds.items[PATHS["spot"]] = spot("terminate", -500)
    scene.play(10)
    assert scene.stop_request.seconds_left() == 0


def test_hibernation_is_logged_and_not_a_stop(scene: Scene) -> None:
    """The instance sleeps and wakes; it must wake with its worker."""
    scene.imds.items[PATHS["spot"]] = spot("hibernate", 0)
    logs = scene.play(60)
    assert events(logs) == ["spot-notice"]
    assert not scene.stop_request.requested


def test_a_spot_notice_tightens_a_drain_that_the_group_began(scene: Scene) -> None:
    """One lifecycle: the first reason stays, the nearer end counts."""
    scene.terminate(DEFAULT_HOOK_NAME)
    text = spot("terminate", 60)
    scene.time.then.append((20, lambda: scene.imds.items.update({PATHS["spot"]: text})))
    scene.play(30)
    stop = scene.stop_request.stop
    assert stop
    assert stop.reason is StopReason.ASG_TERMINATION
    assert stop.deadline == pytest.approx(40, abs=1e-3)


def test_a_rebalance_recommendation_is_only_logged_and_once(scene: Scene) -> None:
    """It asks for nothing yet."""
    scene.imds.items[PATHS["rebalance"]] = '{"noticeTime": "2030-01-01T00:00:00Z"}'
    logs = scene.play(60, finish=True)
    assert events(logs) == ["rebalance-recommended"]
    assert not scene.stop_request.requested


def test_new_drain_seconds_count_for_the_next_termination(scene: Scene) -> None:
    """A reload may change them while the watcher runs."""
    scene.watcher.drain_seconds = 10
    scene.terminate()
    scene.play(5)
    assert scene.stop_request.stop
    assert scene.stop_request.stop.deadline == 10


FIRST, YEARS = datetime(2020, 1, 1, tzinfo=UTC), timedelta(days=20 * 365)

moments = st.timedeltas(timedelta(0), YEARS).map(lambda later: FIRST + later)

outlooks = st.builds(
    Outlook,
    st.sampled_from([None, "InService", "Terminated", "Warmed:Terminated", "Standby"]),
    st.none() | st.builds(SpotAction, st.sampled_from(["terminate", "stop", "hibernate"]), moments),
    st.none() | moments,
)


@given(outlooks, outlooks, st.floats(min_value=0, max_value=4e9))
def test_what_is_known_is_never_told_again(before: Outlook, now: Outlook, wall: float) -> None:
    """The same outlook twice gives no reason; a new one at most one of each kind."""
    assert list(reasons_to_stop(now, now, wall, DRAIN_SECONDS)) == []
    told = list(reasons_to_stop(before, now, wall, DRAIN_SECONDS))
    assert len({reason for reason, _ in told}) == len(told)
    for reason, within in told:
        if reason is StopReason.SPOT_INTERRUPTION:
            assert now.spot
            assert wall + within == pytest.approx(now.spot.time.timestamp() - 20)
        else:
            assert (within, now.is_terminating) == (DRAIN_SECONDS, True)
