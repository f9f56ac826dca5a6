"""Rollouts and rollbacks of a group in the embedded AWS, second by second."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from support.group_world import in_service, new_image, rolling, settle, versions, withdrawn
from support.provision_world import World

from provision.core.plan import Update
from provision.errors import ProvisionError
from provision.resources import alarm
from provision.rollout import RolloutError
from worker.demo.embedded.layer import Delays

DELAYS = Delays(lambda_seconds=0)
"""Instances take a while to come and to go."""

Build = Callable[..., World]


@pytest.fixture
def world(build: Build) -> World:
    """Give a stack with one instance in service, and no function."""
    return settle(build(**{"lambda": {"enabled": False}}))


def test_a_rollout_replaces_the_only_instance_and_one_works_all_the_while(world: World) -> None:
    """Every second of it; the canary flies once, when all instances are new."""
    image, flown_at = new_image(world), list[list[str]]()
    roll, version, watched = rolling(world, image, lambda: flown_at.append(versions(world)[1]))
    roll.to_version(version)
    assert versions(world) == ("2", ["2"], 2)
    assert flown_at == [["2"]]
    assert watched.counts
    assert min(watched.counts) >= 1
    assert not withdrawn(world, image)


def test_a_canary_that_fails_turns_all_back_and_the_ami_is_not_tried_again(world: World) -> None:
    """Instances, template and `latest` are as before; one instance works all the while."""
    image = new_image(world)
    roll, version, watched = rolling(world, image, lambda: "it is stuck")
    with pytest.raises(RolloutError, match="RollbackSuccessful"):
        roll.to_version(version)
    world.region.clock.advance(300)
    assert versions(world) == ("1", ["1"], 1)
    assert withdrawn(world, image)
    assert min(watched.counts) >= 1
    assert world.plan().steps == ()


def test_an_alarm_that_rings_half_way_turns_all_back(world: World) -> None:
    """AWS itself watches: the alarms go with the refresh."""
    image = new_image(world)
    roll, version, watched = rolling(world, image)
    rings = world.blueprint.names.alarm("oldest-message")

    def ring(why: str, seconds: float) -> None:
        if "InProgress" in why:
            world.aws.cloudwatch.set_alarm_state(
                AlarmName=rings, StateValue="ALARM", StateReason="a file waits"
            )
        watched.pause(why, seconds)

    with pytest.raises(RolloutError, match="RollbackSuccessful"):
        replace(roll, pause=ring).to_version(version)
    world.region.clock.advance(300)
    assert versions(world) == ("1", ["1"], 1)
    assert withdrawn(world, image)
    assert min(watched.counts) >= 1


def test_an_alarm_that_rings_before_cannot_stop_a_rollout(world: World) -> None:
    """A full dead-letter queue must not keep its own cure away: it is said, and left out."""
    rings = world.blueprint.names.alarm("dlq-not-empty")
    world.aws.cloudwatch.set_alarm_state(AlarmName=rings, StateValue="ALARM", StateReason="one")
    roll, version, _ = rolling(world, new_image(world))
    assert [each.subject for each in roll.findings()] == [f"alarm {rings}"]
    roll.to_version(version)
    refresh = world.aws.parameters_of("autoscaling.StartInstanceRefresh")
    assert rings not in refresh["Preferences"]["AlarmSpecification"]["Alarms"]
    assert versions(world) == ("2", ["2"], 2)


def test_with_every_alarm_ringing_the_refresh_names_none(world: World) -> None:
    """AWS refuses an empty list of them."""
    for key in alarm.alarms(world.blueprint):
        world.aws.cloudwatch.set_alarm_state(
            AlarmName=key.name, StateValue="ALARM", StateReason="one"
        )
    roll, version, _ = rolling(world, new_image(world))
    roll.to_version(version)
    refresh = world.aws.parameters_of("autoscaling.StartInstanceRefresh")
    assert "AlarmSpecification" not in refresh["Preferences"]


def test_a_rollout_that_was_cut_off_goes_on_with_the_same_refresh(world: World) -> None:
    """Interrupted and run again: one refresh in all."""
    roll, version, _ = rolling(world, new_image(world))

    def interrupt(why: str, seconds: float) -> None:
        del why, seconds
        raise KeyboardInterrupt

    with world.aws.recording() as sent:
        with pytest.raises(KeyboardInterrupt):
            replace(roll, pause=interrupt).to_version(version)
        roll.to_version(version)
    started = [each for each in sent if each.operation == "autoscaling.StartInstanceRefresh"]
    assert len(started) == 1
    assert versions(world) == ("2", ["2"], 2)


def test_rule_26_a_rollback_turns_back_what_is_under_way(world: World) -> None:
    """RollbackInstanceRefresh; the AMI is withdrawn, and one instance works all the while."""
    image = new_image(world)
    roll, version, watched = rolling(world, image)

    def interrupt(why: str, seconds: float) -> None:
        watched.pause(why, seconds)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(roll, pause=interrupt).to_version(version)
    assert roll.back() == 1
    world.region.clock.advance(300)
    assert versions(world) == ("1", ["1"], 1)
    assert withdrawn(world, image)
    assert min(watched.counts) >= 1


def test_rule_26_a_finished_rollout_is_rolled_forward_to_the_version_before(world: World) -> None:
    """A second refresh, to the old version; the AMI that is left is withdrawn."""
    image = new_image(world)
    roll, version, watched = rolling(world, image)
    roll.to_version(version)
    assert roll.back() == 1
    assert versions(world) == ("1", ["1"], 1)
    assert withdrawn(world, image)
    assert min(watched.counts) >= 1
    operations = [each.operation for each in world.aws.sent]
    assert "autoscaling.RollbackInstanceRefresh" not in operations[-200:]
    with pytest.raises(ProvisionError, match="no version before 1"):
        roll.back()


def test_a_rollback_goes_to_the_version_that_is_named(build: Build) -> None:
    """Forwards as well: undoing a rollback. Without an instance the group alone changes."""
    world = build(instances={"minimum": 0, "desired": 0}, **{"lambda": {"enabled": False}})
    world.apply()
    roll, version, _ = rolling(world, new_image(world))
    roll.to_version(version)
    roll.back()
    assert versions(world) == ("1", [], 1)
    assert roll.back(version) == version
    assert versions(world) == ("2", [], 2)


def test_a_failed_rollout_of_an_apply_is_turned_back_too(world: World) -> None:
    """The plan then shows what the stack file still wants, and a second try is the operator's."""
    image = new_image(world)
    world.blueprint = replace(world.blueprint, image=image)
    rings = world.blueprint.names.alarm("oldest-message")

    def ring(why: str, seconds: float) -> None:
        if "InProgress" in why:
            world.aws.cloudwatch.set_alarm_state(
                AlarmName=rings, StateValue="ALARM", StateReason="a file waits"
            )
        world.region.clock.advance(seconds)

    world.pause = ring
    with pytest.raises(RolloutError):
        world.apply()
    world.region.clock.advance(300)
    assert in_service(world) == 1
    assert versions(world) == ("1", ["1"], 1)
    assert withdrawn(world, image)
    assert all(isinstance(step, Update) for step in world.plan().steps)
