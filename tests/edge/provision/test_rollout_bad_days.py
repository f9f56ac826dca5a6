"""Rollouts that were cut off, met another one, or found the group changed by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from support.group_world import new_image, rolling, settle, versions, withdrawn
from support.provision_cli import run
from support.provision_world import World

from provision.aws.images import image_of
from provision.aws.refresh import GroupRefreshes
from provision.core.plan import Update
from provision.core.resource import Key
from provision.errors import PartialError
from provision.group_rollout import GroupRollout
from worker.demo.embedded.layer import Delays

DELAYS = Delays(lambda_seconds=0)
"""Instances take a while to come and to go."""

Build = Callable[..., World]


@pytest.fixture
def world(build: Build) -> World:
    """Give a stack with one instance in service, and no function."""
    return settle(build(**{"lambda": {"enabled": False}}))


def cut_off(roll: GroupRollout, run: Callable[[GroupRollout], object]) -> None:
    """Do it until it first waits, and cut it off there."""

    def interrupt(why: str, seconds: float) -> None:
        del why, seconds
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(replace(roll, pause=interrupt))


@pytest.mark.heavy
def test_a_rollback_that_was_cut_off_goes_on_by_the_same_command(world: World) -> None:
    """It is not taken for a rollout that is to be turned back: the old AMI is the good one."""
    good, bad = new_image(world, 1), new_image(world, 2)
    for image in (good, bad):
        roll, version, watched = rolling(world, image)
        roll.to_version(version)
    cut_off(roll, GroupRollout.back)
    assert roll.back() == 2
    assert versions(world) == ("2", ["2"], 2)
    assert (withdrawn(world, good), withdrawn(world, bad)) == (False, True)
    assert min(watched.counts) >= 1


@pytest.mark.parametrize("later", [0, pytest.param(3000, marks=pytest.mark.heavy)])
def test_a_rollout_that_was_being_turned_back_when_it_was_cut_off_goes_back_no_further(
    world: World, later: float
) -> None:
    """Whether the way back is over by then or not, it ends at the version before the rollout."""
    good, bad = new_image(world, 1), new_image(world, 2)
    roll, version, _ = rolling(world, good)
    roll.to_version(version)
    roll, version, watched = rolling(world, bad)
    cut_off(roll, lambda some: some.to_version(version))
    refreshes = GroupRefreshes(world.aws.autoscaling, world.blueprint.names.group)
    while (latest := refreshes.latest()) and latest.status != "Baking":
        watched.pause("", 10)
    cut_off(roll, GroupRollout.back)
    for _ in range(int(later / 30)):
        world.region.clock.advance(30)
        versions(world)
    assert roll.back() == 2
    world.region.clock.advance(300)
    assert versions(world) == ("2", ["2"], 2)
    assert (withdrawn(world, good), withdrawn(world, bad)) == (False, True)


def test_a_rollout_that_an_alarm_turned_back_when_nobody_watched_is_settled_before_another(
    build: Build, tmp_path: Path
) -> None:
    """Status, apply and rollout name it; nothing goes to the bad AMI again until rollback."""
    world = build(**{"lambda": {"enabled": False}})
    good = image_of(world.aws.ec2, new_image(world, 1).id)
    world.blueprint = replace(world.blueprint, image=good.image if good else None)
    settle(world)
    bad = new_image(world, 2)
    roll, version, watched = rolling(world, bad)
    cut_off(roll, lambda some: some.to_version(version))
    watched.pause("", 5)
    ring(world, "ALARM")
    watched.pause("", 300)
    ring(world, "OK")
    assert versions(world) == ("1", ["1"], 2)
    with world.aws.recording() as sent:
        for command in ("status", "apply --yes", f"rollout --ami {bad.id}"):
            ended = run(world, tmp_path, *command.split())
            assert ended.exit_code == 1, ended.output
            assert "template version 2" in ended.output
            assert "refresh RollbackSuccessful" in ended.output
            assert "`provision rollback` settles it" in ended.output
    assert not [each for each in sent if each.writes]
    assert run(world, tmp_path, "rollback").exit_code == 0
    assert (versions(world), withdrawn(world, bad)) == (("1", ["1"], 1), True)
    ended = run(world, tmp_path, "plan")
    assert ended.exit_code == 0, ended.output


def ring(world: World, state: Literal["ALARM", "OK"]) -> None:
    """Set an alarm that watches over refreshes."""
    name = world.blueprint.names.alarm("oldest-message")
    world.aws.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a file")


def test_a_rollout_beside_another_one_is_refused_and_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    """By the command: no version is made, and the template's default stays the other one's."""
    roll, version, _ = rolling(world, new_image(world, 1))
    cut_off(roll, lambda some: some.to_version(version))
    second = new_image(world, 2)
    with world.aws.recording() as sent:
        ended = run(world, tmp_path, "rollout", "--ami", second.id)
    assert ended.exit_code == 1, ended.output
    assert "another refresh is under way, to template version 2" in ended.stderr
    assert "`provision rollback` turns it back" in ended.stderr
    assert not [each for each in sent if each.writes]
    assert versions(world)[2] == 2
    roll.to_version(version)
    assert versions(world) == ("2", ["2"], 2)


@pytest.mark.heavy
def test_a_group_that_was_given_a_version_by_hand_goes_back_to_the_one_before(
    world: World,
) -> None:
    """The template's default never was that version: it is the by-hand one that is left."""
    image = new_image(world)
    roll, version, _ = rolling(world, image)
    names, ec2 = world.blueprint.names, world.aws.ec2
    ec2.modify_launch_template(LaunchTemplateName=names.launch_template, DefaultVersion="1")
    roll.to_version(version)
    assert versions(world) == ("2", ["2"], 1)
    assert roll.back() == 1
    assert versions(world) == ("1", ["1"], 1)
    assert withdrawn(world, image)


def test_a_refresh_that_aws_does_not_know_is_no_traceback(world: World) -> None:
    """What was started a moment ago may not be told yet: half-way, with the next command."""
    refreshes = GroupRefreshes(world.aws.autoscaling, world.blueprint.names.group)
    with pytest.raises(PartialError, match="does not know the refresh r-1") as ended:
        refreshes.find("r-1")
    assert "provision rollout" in ended.value.hint


@pytest.mark.parametrize("word", ["$Latest", pytest.param("$Default", marks=pytest.mark.heavy)])
def test_rule_25_a_group_without_a_version_number_gets_one_before_it_is_rolled(
    world: World, word: str
) -> None:
    """Somebody wrote it by hand: apply and rollout put it right, and can be turned back then."""
    names = world.blueprint.names
    world.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=names.group,
        LaunchTemplate={"LaunchTemplateName": names.launch_template, "Version": word},
    )
    assert [each.key for each in world.plan().steps] == [Key("group", names.group)]
    assert isinstance(world.plan().steps[0], Update)
    image = new_image(world)
    roll, version, _ = rolling(world, image, lambda: "it is stuck")
    with pytest.raises(Exception, match="RollbackSuccessful"):
        roll.to_version(version)
    world.region.clock.advance(300)
    assert versions(world)[1:] == (["1"], 1)
    assert world.plan().steps == ()
