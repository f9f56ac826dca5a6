"""The termination hook: kept alive through the drain, completed after it, and only ours."""

import asyncio

from support.autoscaling_twin import AutoScalingTwin
from support.imds_server import imds_server
from support.lifecycle_scene import (
    DRAIN_SECONDS,
    INSTANCE_ID,
    Scene,
    Time,
    events,
    scene_of,
)

from worker.aws.autoscaling import GroupMember
from worker.host.lifecycle import (
    COMPLETION_TRIES,
    DEFAULT_HOOK_NAME,
    HEARTBEAT_SECONDS,
    POLL_SECONDS,
)
from worker.host.stop import StopReason


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
