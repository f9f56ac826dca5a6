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
from support.provision_world import World, the_network
from support.recorded_aws import Befalls, RecordedAws, be_busy, lose_the_answer

from provision.aws.stack_facts import Observer
from provision.aws.surroundings import identify
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


ASKED_TOO_MUCH = {
    *("DescribeSubnets", "DescribeLaunchTemplates", "DescribeAutoScalingGroups", "GetRole"),
    *("GetQueueUrl", "GetBucketPolicy", "GetFunction"),
    *("CreateRole", "CreateQueue", "CreateTopic", "PutBucketPolicy"),
}
"""Reading and writing, of each way in which AWS's services are spoken to."""


@pytest.mark.heavy
def test_an_aws_that_is_busy_several_times_in_a_row_is_waited_for_in_reads_and_writes(
    world: World,
) -> None:
    """Three refusals of one call, and all of it is there, is told, and is gone, as ever."""
    empty = photograph(world.aws)
    with world.aws.befallen(be_busy, times=3, only=ASKED_TOO_MUCH) as busy:
        the_network(world.aws)
        world.apply()
        assert world.plan().steps == ()
    assert busy == ASKED_TOO_MUCH
    looks = {"DescribeAutoScalingGroups", "GetMetricData", "ListQueueTags", "DescribeAlarms"}
    with world.aws.befallen(be_busy, times=3, only=looks) as busy:
        assert Observer(world.aws, world.blueprint).stack().group is not None
    assert busy == looks
    goes = {"DeleteQueue", "DeleteRole", "DescribeAutoScalingGroups", "ListSubscriptionsByTopic"}
    with world.aws.befallen(be_busy, times=3, only=goes) as busy:
        world.destroy()
    assert busy == goes
    assert photograph(world.aws) == empty


def test_a_fault_that_lasts_for_a_few_seconds_is_outlasted(aws: RecordedAws) -> None:
    """Six refusals in a row, as in a VPN's moment of weakness, end no command that watches."""
    with aws.befallen(be_busy, times=6, only={"GetCallerIdentity"}) as befell:
        assert identify(aws.sts).account == "123456789012"
    assert befell == {"GetCallerIdentity"}


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
