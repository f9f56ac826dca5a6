"""What an account may do and have, as its services tell it. Every test here fails on plain moto."""

import json
from collections.abc import Callable
from typing import Any

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]


def test_a_simulation_tells_what_a_users_policies_allow(
    client: Callable[[str], Client], name: str
) -> None:
    """By action, resource and condition; a Deny is told apart from nothing at all."""
    iam = client("iam")
    user = iam.create_user(UserName=name)["User"]["Arn"]
    statements = [
        {
            "Effect": "Allow",
            "Action": "sqs:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/stack": "files"}},
        },
        {"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    tagged = {
        "ContextKeyName": "aws:RequestTag/stack",
        "ContextKeyValues": ["files"],
        "ContextKeyType": "string",
    }
    told = iam.simulate_principal_policy(
        PolicySourceArn=user,
        ActionNames=["sqs:CreateQueue", "sqs:DeleteQueue", "sns:CreateTopic"],
        ContextEntries=[tagged],
    )
    decisions = {each["EvalActionName"]: each["EvalDecision"] for each in told["EvaluationResults"]}
    assert decisions == {
        "sqs:CreateQueue": "allowed",
        "sqs:DeleteQueue": "explicitDeny",
        "sns:CreateTopic": "implicitDeny",
    }
    untagged = iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=["sqs:CreateQueue"])
    [result] = untagged["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["aws:RequestTag/stack"]


def test_a_simulation_of_nobody_is_refused(
    client: Callable[[str], Client], refusal: Refusal
) -> None:
    """A role's path is part of its ARN: without it IAM finds none."""
    told = refusal(
        client("iam").simulate_principal_policy,
        PolicySourceArn="arn:aws:iam::123456789012:role/nobody",
        ActionNames=["sqs:CreateQueue"],
    )
    assert told == (404, "NoSuchEntity")


def test_quotas_of_instances_and_groups_are_told(client: Callable[[str], Client]) -> None:
    """VCPUs by Service Quotas, groups by Auto Scaling itself."""
    quotas = client("service-quotas")
    for code in ("L-1216C47A", "L-34B43A08"):
        assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"] == 64
    limits = client("autoscaling").describe_account_limits()
    assert (limits["MaxNumberOfAutoScalingGroups"], limits["NumberOfAutoScalingGroups"]) == (500, 0)
