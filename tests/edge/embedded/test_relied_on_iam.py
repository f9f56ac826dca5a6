"""What moto has right of IAM, and this project relies on."""

import json
from collections.abc import Callable
from typing import Any

from support.lambda_package import trust

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

CONFLICT = (409, "DeleteConflict")
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


def test_rule_05_a_role_goes_last(
    client: Callable[[str], Client], name: str, refusal: Refusal
) -> None:
    """An inline policy, an attached one, a profile: each is a DeleteConflict until it is gone."""
    iam = client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=POLICY)
    arn = iam.create_policy(PolicyName=name, PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    assert refusal(iam.delete_instance_profile, InstanceProfileName=name) == CONFLICT
    steps: list[Callable[[], object]] = [
        lambda: iam.delete_role_policy(RoleName=name, PolicyName="inline"),
        lambda: iam.detach_role_policy(RoleName=name, PolicyArn=arn),
        lambda: iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name),
    ]
    for step in steps:
        assert refusal(iam.delete_role, RoleName=name) == CONFLICT
        step()
    iam.delete_role(RoleName=name)
    iam.delete_instance_profile(InstanceProfileName=name)
    assert refusal(iam.get_role, RoleName=name) == (404, "NoSuchEntity")
