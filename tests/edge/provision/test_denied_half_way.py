"""An operator who is denied one action in the middle of an apply or a destroy, by the commands."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from support.operator_role import Agents, Operator, an_operator
from support.provision_cli import run
from support.provision_world import World

SIMULATION = "iam:SimulatePrincipalPolicy"
"""Denied as well: else all of it is found before anything is made."""

MAKING = (
    "s3:PutBucketVersioning",
    "s3:PutBucketNotification",
    "iam:PutRolePolicy",
    "iam:AddRoleToInstanceProfile",
    "ec2:AuthorizeSecurityGroupEgress",
    "logs:PutRetentionPolicy",
    "cloudwatch:PutMetricAlarm",
)
TAKING = ("sns:Unsubscribe", "iam:DeleteRolePolicy", "sqs:DeleteQueue", "s3:DeleteBucket")


@pytest.fixture
def operator(world: World) -> Iterator[Operator]:
    """Give an operator of a stack without instances."""
    world.blueprint = replace(world.blueprint, image=None)
    with an_operator(world, Agents()) as operator:
        yield operator


def denied_once(operator: Operator, folder: Path, action: str, *command: str) -> Result:
    """Run a command as the operator, who is denied this action and the simulation."""
    statement = {"Effect": "Deny", "Action": [action, SIMULATION], "Resource": "*"}
    operator.admin.aws.iam.put_role_policy(
        RoleName=operator.role,
        PolicyName="denied",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )
    return run(operator.admin, folder, *command, role=operator.names.role_arn(operator.role))


def allowed(operator: Operator, folder: Path, *command: str) -> Result:
    """Run a command as the operator, who may do all of it again."""
    operator.admin.aws.iam.delete_role_policy(RoleName=operator.role, PolicyName="denied")
    return run(operator.admin, folder, *command, role=operator.names.role_arn(operator.role))


@pytest.mark.heavy
def test_each_denial_names_its_action_and_the_grant_and_the_next_run_goes_on(
    operator: Operator, tmp_path: Path
) -> None:
    """From stage to stage: half-way each time, and whole once all is granted."""
    apply = ("apply", "--yes")
    destroy = ("destroy", "--confirm", operator.admin.stack, "--delete-bucket")
    for action in MAKING:
        half(denied_once(operator, tmp_path, action, *apply), action, "provision apply")
    whole = allowed(operator, tmp_path, *apply)
    assert whole.exit_code == 0, whole.output
    for action in TAKING:
        half(denied_once(operator, tmp_path, action, *destroy), action, "provision destroy")
    whole = allowed(operator, tmp_path, *destroy)
    assert whole.exit_code == 0, whole.output


def half(ended: Result, action: str, command: str) -> None:
    """Assert that it ended half-way, and that the operator can do something about it."""
    assert ended.exit_code == 3, f"{action}: {ended.output}"
    assert action in ended.stderr
    assert "`provision policy operator` prints" in ended.stderr
    assert f"run `{command}` again" in ended.stderr
