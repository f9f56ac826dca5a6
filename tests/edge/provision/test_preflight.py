"""The preflight against the embedded AWS: what it sees there, and that it changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from support.provision_cli import stack_file
from support.provision_world import World
from support.recorded_aws import RecordedAws, Sent

from provision.aws.preflight.account import permissions_of, quotas_of
from provision.aws.preflight.machines import machine_facts
from provision.aws.preflight.run import preflight
from provision.aws.session import Aws
from provision.aws.surroundings import identify
from provision.cli import main
from provision.core.finding import Finding, Level, failures
from provision.core.preflight.account import Permissions
from provision.policies.grants import Grant, same
from provision.policies.operator import operator_grants, operator_policies
from provision.resources.policy import text_of

Build = Callable[..., World]

GRANTS = (
    Grant("Queues", same("sqs", "CreateQueue DeleteQueue"), ("arn:aws:sqs:us-east-2:123:files-*",)),
    Grant(
        "Tagged",
        same("ec2", "CreateTags"),
        ("*",),
        {"StringEquals": {"aws:RequestTag/s3-event-worker:stack": "files"}},
    ),
)


def look(world: World) -> list[Finding]:
    """Run the whole preflight."""
    identity = identify(world.aws.sts)
    return list(preflight(world.aws, world.blueprint, identity, GRANTS))


def test_a_fresh_account_passes_and_nothing_is_changed(world: World) -> None:
    """Account and caller stand first; describe, get, list and simulate calls only."""
    with world.aws.recording() as sent:
        found = look(world)
    assert not failures(found)
    assert found[0].subject == "credentials"
    assert "123456789012" in found[0].detail
    assert {each.subject for each in found} >= {"permissions", "quotas", "zones"}
    assert [each.operation for each in sent if each.writes] == []


def test_an_applied_stack_passes_as_well(world: World) -> None:
    """Its own rule, group and bucket are no clash; what the scaler wishes is known (rule 39)."""
    before = {each.name: each for each in quotas_of(world.aws, world.blueprint)}
    world.apply()
    world.region.clock.advance(60)
    assert not failures(look(world))
    assert machine_facts(world.aws, world.blueprint).desired == 1
    after = {each.name: each for each in quotas_of(world.aws, world.blueprint)}
    assert (before["Auto Scaling groups"].needed, after["Auto Scaling groups"].needed) == (1, 0)
    # vCPUs for twice the maximum of 2, as a rollout needs.
    assert before["on-demand vCPUs"].needed == 2 * 2 * 2
    assert after["on-demand vCPUs"].used > before["on-demand vCPUs"].used


def test_the_pipelines_faults_are_among_the_findings(build: Build) -> None:
    """Only our rule would be added to the owner's bucket; there is none to add it to."""
    world = build(pipeline={"existing_bucket": True})
    assert [each.subject for each in failures(look(world))] == [
        f"bucket {world.blueprint.names.bucket}"
    ]


def test_rule_35_type_zones_and_architecture_are_looked_up(build: Build) -> None:
    """An Arm type does not run the image; an unknown one is told as such."""
    arm = build(instances={"type": "t4g.small"})
    [misfit] = failures(look(arm))
    assert "arm64" in misfit.detail
    unknown = build(instances={"type": "x9.small"})
    assert [each.subject for each in failures(look(unknown))] == ["instance type x9.small", "zones"]


def test_what_the_stack_file_names_has_to_be_there(build: Build) -> None:
    """Subnets, security groups, key pair, AMI: each that is missing is named."""
    world = build(
        instances={
            "subnets": ["subnet-0123456789abcdef0"],
            "security_groups": ["sg-0123456789abcdef0"],
            "key_pair": "nobodys",
            "ami": "ami-0123456789abcdef0",
        }
    )
    world.blueprint = type(world.blueprint)(world.blueprint.stack, world.blueprint.names)
    assert [each.subject for each in failures(look(world))] == [
        "subnet subnet-0123456789abcdef0",
        "security group sg-0123456789abcdef0",
        "key pair nobodys",
        "AMI ami-0123456789abcdef0",
    ]


def test_rule_06_permissions_are_simulated_for_the_caller(aws: RecordedAws, name: str) -> None:
    """What the policy does not allow is named; conditions are met as our requests would."""
    user = aws.iam.create_user(UserName=name)["User"]["Arn"]
    allowed: Any = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sqs:CreateQueue",
                "Resource": "arn:aws:sqs:us-east-2:123:files-*",
            },
            {
                "Effect": "Allow",
                "Action": "ec2:CreateTags",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestTag/s3-event-worker:stack": "files"}},
            },
        ],
    }
    aws.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(allowed))
    told = permissions_of(aws.iam, user, GRANTS)
    assert (told.denied, told.asked, told.unknown) == (("sqs:DeleteQueue",), 3, "")


def test_a_denial_that_hangs_on_mfa_is_told_apart(aws: RecordedAws, name: str) -> None:
    """IAM's simulation knows of no MFA: the real request may well be allowed."""
    user = aws.iam.create_user(UserName=name)["User"]["Arn"]
    allowed: Any = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        },
    }
    aws.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(allowed))
    told = permissions_of(aws.iam, user, GRANTS)
    assert told.denied == ()
    assert told.doubtful == ("sqs:CreateQueue", "sqs:DeleteQueue", "ec2:CreateTags")
    assert told.lacking == ("aws:MultiFactorAuthPresent",)


def test_a_caller_that_cannot_be_simulated_is_said_so(aws: RecordedAws) -> None:
    """A role with a path, or no permission to simulate: nothing is claimed."""
    told = permissions_of(aws.iam, "arn:aws:iam::123456789012:role/none", GRANTS)
    assert "NoSuchEntity" in told.unknown


def test_whoever_has_the_operators_policy_passes(world: World) -> None:
    """The document that is hinted at is enough for the simulation, statement by statement."""
    name = f"{world.stack}-op"
    user = world.aws.iam.create_user(UserName=name)["User"]["Arn"]
    grants = [each for some in operator_grants(world.blueprint).values() for each in some]
    for title, document in operator_policies(world.blueprint).items():
        policy = world.aws.iam.create_policy(PolicyName=title, PolicyDocument=text_of(document))
        world.aws.iam.attach_user_policy(UserName=name, PolicyArn=policy["Policy"]["Arn"])
    told = permissions_of(world.aws.iam, user, grants)
    assert told == Permissions(asked=told.asked)
    assert told.asked > 100


def test_what_may_not_be_looked_at_is_a_warning(world: World, name: str) -> None:
    """A caller with no permission at all: nothing is raised, and nothing is claimed."""
    world.aws.iam.create_user(UserName=name)
    key = world.aws.iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-2")
    closed = Aws(session, world.region.endpoint_url)
    with world.region.enforcing_iam():
        found = list(preflight(closed, world.blueprint, identify(closed.sts), GRANTS))
    levels = {each.subject: each.level for each in found}
    assert levels.pop("credentials") is Level.OK
    assert set(levels.values()) == {Level.WARNING}
    assert levels.keys() == {"permissions", "pipeline", "instances", "rollout"}


@pytest.mark.parametrize(("command", "status"), [(("apply", "--yes"), 1), (("plan",), 1)])
def test_nothing_is_made_while_the_preflight_fails(
    world: World, tmp_path: Path, command: tuple[str, ...], status: int
) -> None:
    """The fault and what to do about it are shown, and no request changes anything."""
    with stack_file(world.blueprint.stack, tmp_path).open("a") as file:
        file.write('[instances]\nkey_pair = "nobodys"\n')
    environment = {
        **world.region.environment(),
        "PROVISION_STACK": str(tmp_path / "stack.toml"),
        "COLUMNS": "200",
    }
    before = world.region.requests.snapshot()
    done = CliRunner().invoke(main, command, env=environment)
    asked = world.region.requests.snapshot() - before
    assert done.exit_code == status
    assert "key pair nobodys" in done.stderr
    assert "correct `key_pair`" in done.stderr
    written = [each for each in asked if Sent(f"x.{each}", {}).writes]
    assert [each for each in written if not each.startswith("GET ")] == []
