"""AWS has done it and the connection breaks, or AWS is busy: botocore asks for it once more."""

from collections import Counter
from dataclasses import replace

import pytest
from support.operator_role import Agents, Operator
from support.operator_story import (
    applies,
    cuts_over,
    destroys,
    makes_images,
    new_version,
    repairs,
    templates_of,
)
from support.photograph import Picture, photograph
from support.provision_world import World
from support.recorded_aws import Befalls, RecordedAws, be_busy, lose_the_answer

from provision.group_rollout import GroupRollout
from worker.demo.embedded.server import EmbeddedAws

HAS_AGENTS = True


@pytest.mark.heavy
@pytest.mark.parametrize("befalls", [lose_the_answer, be_busy])
def test_a_run_whose_every_first_try_goes_wrong_makes_and_takes_everything_once(
    world: World, name: str, befalls: Befalls
) -> None:
    """Of each thing one, none of them foreign, and at the end the account is as it was before."""
    empty = photograph(world.aws)
    world.apply()
    usual = kinds(photograph(world.aws)) - kinds(empty)
    world.destroy()
    other = World.of(world.region, world.aws, name)
    with world.aws.befallen(befalls) as made, world.aws.recording() as sent:
        other.apply()
    assert made == {each.operation.partition(".")[2] for each in sent if each.writes}
    assert other.plan().steps == ()
    assert kinds(photograph(world.aws)) - kinds(empty) == usual
    template = other.blueprint.names.launch_template
    assert len(templates_of(other).versions(template)) == 1
    with world.aws.befallen(befalls) as taken:
        other.destroy()
    assert {"DeleteQueue", "DeleteRole", "DeleteAutoScalingGroup"} <= taken
    assert photograph(world.aws) == empty


def kinds(picture: Picture) -> Counter[str]:
    """Count what there is, by kind."""
    return Counter(each.split(" ")[0] for each in picture)


def rolls_and_turns_back(operator: Operator) -> None:
    """Roll to the newest image, and back; again, and turned back while it is under way."""
    world = operator.world
    _, blueprint, version = new_version(world)
    rolling = GroupRollout(world.aws, blueprint, operator.pause)
    rolling.to_version(version)
    assert rolling.facts().template_version == str(version)
    assert rolling.back() == 1

    def interrupt(why: str, seconds: float) -> None:
        del why, seconds
        raise KeyboardInterrupt

    templates_of(world).make_default(world.blueprint.names.launch_template, version)
    with pytest.raises(KeyboardInterrupt):
        replace(rolling, pause=interrupt).to_version(version)
    assert rolling.back() == 1
    assert rolling.facts().template_version == "1"


@pytest.mark.heavy
def test_a_day_s_work_without_a_first_answer_ends_as_with_it(
    region: EmbeddedAws, agents: Agents, world: World
) -> None:
    """Images, rollouts, cutovers, repairs, the end: each step sees to its own outcome."""
    losing = RecordedAws(region)
    operator = Operator(world, replace(world, aws=losing), "", agents)
    with losing.befallen(lose_the_answer):
        for step in (applies, makes_images, rolls_and_turns_back, cuts_over, repairs, destroys):
            step(operator)
    losing.close()
