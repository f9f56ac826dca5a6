"""The watcher while the metadata service is late, broken, silent, or not there at all."""

import pytest
from support.imds_server import PATHS, imds_server
from support.lifecycle_scene import Scene, events, scene_of

from worker.aws.imds import ImdsClient
from worker.host.lifecycle import (
    DEFAULT_HOOK_NAME,
    FIRST_LOOKS,
    POLL_SECONDS,
)


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
