"""The watcher against a real metadata server and a group with real hook semantics; no waiting."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support.autoscaling_twin import AutoScalingTwin
from support.imds_server import PATHS, FakeImds, imds_server

from worker.aws.autoscaling import GroupMember
from worker.aws.imds import ImdsClient, SpotAction
from worker.host.lifecycle import (
    COMPLETION_TRIES,
    DEFAULT_HOOK_NAME,
    FIRST_LOOKS,
    HEARTBEAT_SECONDS,
    POLL_SECONDS,
    LifecycleWatcher,
    Outlook,
    reasons_to_stop,
)
from worker.host.stop import StopReason, StopRequest

DRAIN_SECONDS = 90.0
WALL_START = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
INSTANCE_ID = "i-0123456789abcdef0"


@dataclass
class Time:
    """Time that passes only while somebody sleeps; `then` holds what happens at which second.

    A task that was told to stand still `at_rest` does so in its next sleep.
    """

    now: float = 0.0
    then: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    at_rest: asyncio.Task[None] | None = None

    def clock(self) -> float:
        """Return monotonic seconds."""
        return self.now

    def wall_clock(self) -> float:
        """Return Unix time."""
        return WALL_START + self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds
        due = [act for at, act in self.then if at <= self.now]
        self.then = [(at, act) for at, act in self.then if at > self.now]
        for act in due:
            act()
        await asyncio.sleep(0)
        if asyncio.current_task() is self.at_rest:
            await asyncio.Event().wait()


@dataclass
class Scene:
    """An instance with its metadata, its group, and the watcher on it."""

    imds: FakeImds
    time: Time
    group: AutoScalingTwin
    stop_request: StopRequest
    watcher: LifecycleWatcher

    def play(self, seconds: float, *, finish: bool = False) -> list[dict[str, Any]]:
        """Watch for so many seconds, finish if told to; returns what was logged."""

        async def story() -> None:
            over = asyncio.Event()
            watching = asyncio.create_task(self.watcher.run())

            def rest() -> None:
                self.time.at_rest = watching
                over.set()

            self.time.then.append((self.time.now + seconds, rest))
            waiting = asyncio.create_task(over.wait())
            await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if finish:
                await self.watcher.finish()
            waiting.cancel()
            watching.cancel()
            await asyncio.gather(watching, waiting, return_exceptions=True)

        with capture_logs() as logs:
            asyncio.run(story())
        return [dict(entry) for entry in logs]

    def finish(self) -> list[dict[str, Any]]:
        """Finish without watching any longer; returns what was logged."""
        with capture_logs() as logs:
            asyncio.run(self.watcher.finish())
        return [dict(entry) for entry in logs]

    def terminate(self, *hooks: str, timeout_seconds: float = 30) -> None:
        """Have the group terminate the instance, as the metadata then tells."""
        self.group.terminate(*hooks, timeout_seconds=timeout_seconds)
        self.imds.items[PATHS["target_state"]] = "Terminated"


def scene_of(imds: FakeImds, client: ImdsClient | None = None, **watcher: str) -> Scene:
    """Set a scene in front of a metadata server."""
    time = Time()
    group = AutoScalingTwin(time.clock, GroupMember(INSTANCE_ID, "workers", "InService"))
    stop_request = StopRequest(time.clock)
    return Scene(
        imds,
        time,
        group,
        stop_request,
        LifecycleWatcher(
            client or ImdsClient(imds.endpoint),
            group,
            stop_request,
            DRAIN_SECONDS,
            clock=time.clock,
            wall_clock=time.wall_clock,
            sleep=time.sleep,
            **watcher,
        ),
    )


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Set the usual scene: an instance in service, and no notice."""
    with imds_server(target_state="InService") as imds:
        yield scene_of(imds)


def events(logs: list[dict[str, Any]], *but: str) -> list[str]:
    """Return the names of what was logged, but for some."""
    return [entry["event"] for entry in logs if entry["event"] not in but]


def spot(action: str, seconds: float) -> str:
    """Write a notice for so many seconds after the start."""
    at = datetime.fromtimestamp(WALL_START + seconds, UTC)
    return f'{{"action": "{action}", "time": "{at:%Y-%m-%dT%H:%M:%SZ}"}}'


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


def test_rule_33_the_hook_is_kept_alive_through_a_drain_longer_than_its_timeout(
    scene: Scene,
) -> None:
    """A hook of 30 s holds the instance for 85 s of drain, then we let it go."""
    scene.terminate(DEFAULT_HOOK_NAME, timeout_seconds=30)
    scene.play(85)
    assert scene.group.is_held()
    beats = [at for call, at in scene.group.calls if call == "heartbeat"]
    assert beats == [HEARTBEAT_SECONDS * beat for beat in range(len(beats))]
    logs = scene.finish()
    assert not scene.group.is_held()
    assert events(logs, "hook-heartbeat") == ["hook-completed"]


def test_rule_33_without_heartbeats_the_same_hook_lets_the_instance_go() -> None:
    """The group of these tests does end a hook whose time is over."""
    time = Time()
    group = AutoScalingTwin(time.clock, GroupMember(INSTANCE_ID, "workers", "InService"))
    group.terminate(DEFAULT_HOOK_NAME, timeout_seconds=30)
    time.now = 31
    assert not group.is_held()


def test_the_hook_is_not_completed_before_the_drain_is_over(scene: Scene) -> None:
    """However long it takes, and past its deadline too."""
    scene.terminate(DEFAULT_HOOK_NAME)
    scene.play(300)
    assert scene.stop_request.seconds_left() == 0
    assert scene.group.is_held()
    assert scene.group.count("complete") == 0
    scene.finish()
    assert scene.group.count("complete") == 1


def test_only_the_hook_of_our_name_is_touched(scene: Scene) -> None:
    """Another team's hook goes on holding the instance."""
    scene.terminate(DEFAULT_HOOK_NAME, "copy-the-logs", timeout_seconds=3600)
    scene.play(30, finish=True)
    assert [held.hook_name for held in scene.group.holds] == ["copy-the-logs"]
    assert scene.group.holds[0].until == 3600


def test_the_hook_may_have_another_name() -> None:
    """The name is the operator's."""
    with imds_server(target_state="InService") as imds:
        scene = scene_of(imds, hook_name="drain-me")
        scene.terminate("drain-me", DEFAULT_HOOK_NAME, timeout_seconds=3600)
        scene.play(30, finish=True)
        assert [held.hook_name for held in scene.group.holds] == [DEFAULT_HOOK_NAME]


def test_a_group_without_our_hook_is_no_error(scene: Scene) -> None:
    """Heartbeats that find no active action are no warning, and the end does not wait for one."""
    scene.terminate()
    logs = scene.play(40, finish=True)
    assert scene.stop_request.requested
    assert scene.group.count("heartbeat") == 4
    assert scene.group.count("complete") == 0
    assert {entry["log_level"] for entry in logs} <= {"debug", "info"}
    assert scene.time.now == 40


def test_a_hook_that_begins_to_wait_late_is_completed_all_the_same(scene: Scene) -> None:
    """AWS has answered "no active action" for an instance that waited: one try is not enough."""
    scene.terminate(DEFAULT_HOOK_NAME, timeout_seconds=3600)
    scene.group.lag = 3
    scene.play(10)
    logs = scene.finish()
    assert scene.group.count("complete") == 4
    assert not scene.group.is_held()
    assert events(logs) == ["hook-completed"]


def test_a_hook_that_is_not_ours_is_not_waited_for_without_end(scene: Scene) -> None:
    """The instance waits for others only: our tries are counted, and the last line says so."""
    scene.terminate("copy-the-logs", timeout_seconds=3600)
    scene.play(10)
    started = scene.time.now
    logs = scene.finish()
    assert scene.group.count("complete") == COMPLETION_TRIES
    assert scene.time.now - started == (COMPLETION_TRIES - 1) * POLL_SECONDS
    assert events(logs) == ["hook-not-completed"]


def test_failures_of_auto_scaling_are_logged_and_outlived(scene: Scene) -> None:
    """Throttled heartbeats and completions are tried again at their own pace."""
    scene.terminate(DEFAULT_HOOK_NAME, timeout_seconds=60)
    scene.group.failures = 2
    logs = scene.play(40)
    assert events(logs).count("hook-heartbeat-failed") == 2
    assert scene.group.count("heartbeat") == 2
    scene.group.failures = 2
    assert events(scene.finish()) == ["hook-completion-failed"] * 2 + ["hook-completed"]
    assert not scene.group.is_held()


def test_an_abort_tries_once_and_waits_for_nothing(scene: Scene) -> None:
    """After a second signal the hook still gets its one call, and no second one."""
    scene.terminate(DEFAULT_HOOK_NAME, timeout_seconds=3600)
    scene.group.lag = 99
    scene.play(10)
    scene.stop_request.request_abort()
    started = scene.time.now
    scene.finish()
    assert scene.group.count("complete") == 1
    assert scene.time.now == started


def test_a_signal_that_came_before_the_notice_does_not_leave_the_hook_waiting(
    scene: Scene,
) -> None:
    """The last look finds the termination that no poll has seen."""
    scene.play(10)
    scene.stop_request.request(StopReason.SIGTERM, DRAIN_SECONDS)
    scene.terminate(DEFAULT_HOOK_NAME, timeout_seconds=3600)
    logs = scene.finish()
    assert "hook-completed" in events(logs)
    assert not scene.group.is_held()


def test_finishing_works_before_the_watcher_ever_ran(scene: Scene) -> None:
    """A stop in the first second is as good as any."""
    scene.terminate(DEFAULT_HOOK_NAME)
    scene.finish()
    assert not scene.group.is_held()


def test_nothing_beats_after_the_end(scene: Scene) -> None:
    """A watcher that was not cancelled ends by itself once finished."""
    scene.terminate(DEFAULT_HOOK_NAME)

    async def story() -> None:
        over = asyncio.Event()
        scene.time.then.append((20, over.set))
        watching = asyncio.create_task(scene.watcher.run())
        await over.wait()
        await scene.watcher.finish()
        async with asyncio.timeout(30):  # far more than it needs; without an end it is in vain
            await watching

    asyncio.run(story())
    assert not scene.group.is_held()


def test_an_instance_outside_any_group_stops_and_has_no_hook(scene: Scene) -> None:
    """Auto Scaling does not know it: nothing to beat or to complete."""
    scene.terminate(DEFAULT_HOOK_NAME)
    scene.group.member = None
    logs = scene.play(20, finish=True)
    assert scene.stop_request.requested
    assert scene.group.count("heartbeat") == scene.group.count("complete") == 0
    assert {entry["log_level"] for entry in logs} <= {"debug", "info"}


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


@pytest.mark.parametrize("path", ["spot", "rebalance"])
@pytest.mark.parametrize("trouble", ["503", "unreadable"])
def test_one_broken_answer_does_not_hide_the_others(scene: Scene, path: str, trouble: str) -> None:
    """The group's word counts, whatever the spot notice's form; the silence is logged once."""
    if trouble == "503":
        scene.imds.broken[PATHS[path]] = 503
    else:
        scene.imds.items[PATHS[path]] = "?"
    scene.time.then.append((20, lambda: scene.terminate(DEFAULT_HOOK_NAME)))
    logs = scene.play(60)
    assert scene.stop_request.requested
    assert events(logs).count("metadata-silent") == 1


def test_a_service_that_falls_silent_does_not_undo_what_it_said(scene: Scene) -> None:
    """Heartbeats and completion go on through an outage of the metadata, and polls come back."""
    scene.terminate(DEFAULT_HOOK_NAME)
    scene.play(10)
    scene.imds.broken[PATHS["target_state"]] = 500
    scene.play(60)
    assert scene.group.is_held()
    scene.finish()
    assert not scene.group.is_held()


def test_off_ec2_the_watcher_ends_with_one_debug_line() -> None:
    """No service, some looks, one line that nobody sees at level info."""
    with imds_server() as imds:
        imds.token_status = 404
        scene = scene_of(imds)
        logs = scene.play(600, finish=True)
        assert [(entry["event"], entry["log_level"]) for entry in logs] == [
            ("lifecycle-unwatched", "debug")
        ]
        assert imds.asked == {"PUT api/token": FIRST_LOOKS}
        assert scene.time.now < 600
        assert scene.group.calls == []


def test_turned_off_the_watcher_ends_without_asking() -> None:
    """AWS_EC2_METADATA_DISABLED: not a single request."""
    with imds_server(target_state="Terminated") as imds:
        scene = scene_of(imds, ImdsClient(imds.endpoint, disabled=True))
        logs = scene.play(600, finish=True)
        assert events(logs) == ["lifecycle-unwatched"]
        assert not imds.asked
        assert not scene.stop_request.requested


def test_a_service_that_is_late_at_boot_is_still_found() -> None:
    """One lost answer is not taken for "not on EC2"."""
    with imds_server(target_state="Terminated") as imds:
        imds.token_status = 500
        scene = scene_of(imds)
        scene.time.then.append((POLL_SECONDS, lambda: setattr(imds, "token_status", 200)))
        scene.play(30)
        assert scene.stop_request.requested


# hypothesis takes its bounds without a zone
FIRST, LAST = datetime(2020, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001 - see above
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
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
