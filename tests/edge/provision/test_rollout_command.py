"""`provision rollout` and `provision rollback` as an operator types them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.group_world import new_image, rolling, versions, withdrawn
from support.provision_cli import run
from support.provision_world import IMAGE, World
from support.recorded_aws import CutError

from provision.aws.images import image_of
from provision.core.image import WITHDRAWN_TAG

Build = Callable[..., World]


@pytest.fixture
def resting(build: Build) -> World:
    """Give a stack whose group has no instance."""
    world = build(instances={"minimum": 0, "desired": 0})
    world.apply()
    return world


def test_a_rollout_without_a_group_names_the_next_command(world: World, tmp_path: Path) -> None:
    """Nothing is there yet."""
    done = run(world, tmp_path, "rollout")
    assert done.exit_code == 1
    assert "provision apply" in done.stderr


def test_an_ami_that_is_not_there_is_refused(resting: World, tmp_path: Path) -> None:
    """Before anything is made."""
    done = run(resting, tmp_path, "rollout", "--ami", "ami-0fffffffffffffff0")
    assert done.exit_code == 1
    assert "ami-0fffffffffffffff0 is not there" in done.stderr
    assert "provision ami list" in done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [("rollout --ami latest", "'latest' is no AMI's id"), ("rollback --version 9", "there are 1")],
)
def test_what_is_not_there_to_go_to_is_refused(
    resting: World, tmp_path: Path, command: str, said: str
) -> None:
    """Before anything is changed: exit status 1."""
    done = run(resting, tmp_path, *command.split())
    assert (done.exit_code, said in done.stderr) == (1, True), done.output


def test_a_template_that_somebody_deleted_is_told_with_the_way_to_another(
    resting: World, tmp_path: Path
) -> None:
    """Nothing was changed by then: exit status 1; apply makes it anew."""
    template = resting.blueprint.names.launch_template
    resting.aws.ec2.delete_launch_template(LaunchTemplateName=template)
    for command in (("rollback",), ("rollout", "--ami", IMAGE.id)):
        done = run(resting, tmp_path, *command)
        assert (done.exit_code, f"{template} is gone" in done.stderr) == (1, True), done.output
        assert "`provision apply` makes it anew" in done.stderr
    resting.apply()
    assert resting.plan().steps == ()


def test_rule_35_an_ami_that_no_instance_of_the_type_starts_from_is_refused(
    build: Build, tmp_path: Path
) -> None:
    """By its architecture: every launch would fail, and the refresh stall for an hour."""
    world = build(instances={"minimum": 0, "desired": 0, "type": "t4g.small"})
    world.apply()
    with world.aws.recording() as sent:
        done = run(world, tmp_path, "rollout", "--ami", new_image(world).id)
    assert done.exit_code == 1
    assert "x86_64" in done.stderr
    assert not [each for each in sent if "LaunchTemplateVersion" in each.operation]


def test_a_rollout_and_a_rollback_are_told_to_people_and_machines(
    resting: World, tmp_path: Path
) -> None:
    """The AMI that is left is withdrawn; rolled out by name it is taken again."""
    image = new_image(resting)
    out = run(resting, tmp_path, "rollout", "--ami", image.id, "--json")
    assert out.exit_code == 0, out.stderr
    assert json.loads(out.stdout) == {"before": "1", "version": "2"}
    assert f'ami = "{image.id}"' in out.stderr
    back = run(resting, tmp_path, "rollback", "--json")
    assert back.exit_code == 0, back.stderr
    assert json.loads(back.stdout) == {"version": "1"}
    assert _withdrawn(resting, image.id)
    again = run(resting, tmp_path, "rollout", "--ami", image.id)
    assert again.exit_code == 0, again.stderr
    assert "no instance runs; the next one that starts is new" in again.stderr
    assert not _withdrawn(resting, image.id)


def _withdrawn(world: World, image_id: str) -> bool:
    found = image_of(world.aws.ec2, image_id)
    assert found is not None
    return WITHDRAWN_TAG in found.tags


@pytest.mark.parametrize("writes", [1, 2])
def test_a_rollback_that_is_cut_after_any_of_its_writes_goes_back_no_further(
    resting: World, writes: int
) -> None:
    """Run again it ends where it was going, and it is the bad AMI that is withdrawn."""
    good, bad = new_image(resting, 1), new_image(resting, 2)
    for image in (good, bad):
        roll, version, _ = rolling(resting, image)
        roll.to_version(version)
    with pytest.raises(CutError), resting.aws.cut_after(writes):
        roll.back()
    assert roll.back() == 2
    assert versions(resting) == ("2", [], 2)
    assert (withdrawn(resting, good), withdrawn(resting, bad)) == (False, True)
