"""What makes an instance of the group right or wrong."""

from dataclasses import replace

import pytest

from provision.core.finding import Level, failures
from provision.core.group import GroupFacts, InstanceFacts
from provision.core.judge_instances import Expected, judge_instances

EXPECTED = Expected("files-workers", "3", "ami-1", "files-worker")
RIGHT = InstanceFacts(
    "i-1",
    "us-east-2a",
    "InService",
    "Healthy",
    "t3.small",
    "3",
    image="ami-1",
    profile="files-worker",
    group_tag="files-workers",
)
GROUP = GroupFacts("files-workers", 1, 1, 2, "3", (RIGHT,))
ACTIVE = {"i-1": "active"}


def test_an_instance_that_is_right_is_told_with_all_that_was_looked_at() -> None:
    """Zone, group, version, AMI, role, and what systemd says."""
    instance, service = judge_instances(EXPECTED, GROUP, ACTIVE)
    assert {instance.level, service.level} == {Level.OK}
    for told in ("us-east-2a", "files-workers", "version 3", "ami-1", "files-worker"):
        assert told in instance.detail


def test_rule_02_an_instance_that_was_launched_without_its_profile_is_a_failure() -> None:
    """RunInstances can go on while the profile is still on its way: one looks after the launch."""
    bare = replace(RIGHT, profile="")
    [wrong] = failures(judge_instances(EXPECTED, replace(GROUP, instances=(bare,)), ACTIVE))
    assert wrong.detail == "its instance profile is (none), not files-worker"
    assert wrong.hint == "`provision rollout` replaces it"


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (replace(RIGHT, lifecycle_state="Pending:Wait"), "is Pending:Wait, Healthy"),
        (replace(RIGHT, health="Unhealthy"), "is InService, Unhealthy"),
        (replace(RIGHT, template_version="2"), "its template version is 2, not 3"),
        (replace(RIGHT, image="ami-2"), "its AMI is ami-2, not ami-1"),
        (replace(RIGHT, group_tag=""), "its group tag is (none), not files-workers"),
    ],
)
def test_whatever_else_is_wrong_is_told(seen: InstanceFacts, told: str) -> None:
    """Each by itself, with what it should be."""
    wrong = replace(GROUP, instances=(seen,))
    assert [each.detail for each in failures(judge_instances(EXPECTED, wrong, ACTIVE))] == [told]


@pytest.mark.parametrize(
    ("services", "level", "command"),
    [
        ({}, Level.WARNING, "aws ssm describe-instance-information"),
        ({"i-1": "failed"}, Level.FAILURE, "aws ssm start-session --target i-1"),
    ],
)
def test_a_service_that_is_not_active_fails_and_one_that_is_not_reached_warns(
    services: dict[str, str], level: Level, command: str
) -> None:
    """Without Systems Manager nothing is claimed; either names the next command."""
    service = judge_instances(EXPECTED, GROUP, services)[-1]
    assert service.level is level
    assert command in service.hint


def test_a_group_without_instances_fails() -> None:
    """Nothing to look at is nothing that works."""
    assert failures(judge_instances(EXPECTED, replace(GROUP, instances=()), {}))
