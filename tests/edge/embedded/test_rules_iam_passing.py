"""Roles that are passed or assumed, when IAM is enforced. Every test here fails on plain moto."""

import json
from collections.abc import Callable
from typing import Any

import boto3
from support.iam_actor import Actor, allow
from support.lambda_package import of_text, trust

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

ACCOUNT = "123456789012"
REGION = "us-east-2"


def test_rule_06_a_function_s_role_must_be_passed(
    actor: Actor, iam: Client, name: str, refusal: Refusal
) -> None:
    """iam:PassRole on the role, to Lambda and to no other service."""
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    create = allow("lambda:CreateFunction")
    wanted = {
        "FunctionName": name,
        "Runtime": "python3.12",
        "Role": role,
        "Handler": "app.handler",
        "Code": {"ZipFile": of_text("")},
    }
    attempts = []
    for service in ("", "ec2.amazonaws.com", "lambda.amazonaws.com"):
        to_it = {"StringEquals": {"iam:PassedToService": service}}
        actor.may(create, *([allow("iam:PassRole", role, to_it)] if service else []))
        attempts.append(refusal(actor.client("lambda").create_function, **wanted))
    denied = (403, "AccessDeniedException")
    assert attempts == [denied, denied, (200, "")]


def test_rule_06_a_group_s_template_passes_its_profile_s_role(
    actor: Actor, client: Callable[[str], Client], iam: Client, name: str, refusal: Refusal
) -> None:
    """CreateAutoScalingGroup needs ec2:RunInstances, and iam:PassRole on the profile's role."""
    document = trust("ec2.amazonaws.com")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    ec2 = client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    data = {
        "ImageId": image,
        "InstanceType": "t3.micro",
        "IamInstanceProfile": {"Name": name},
    }
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    group = {
        "AutoScalingGroupName": name,
        "LaunchTemplate": {"LaunchTemplateName": name, "Version": "1"},
        "MinSize": 0,
        "MaxSize": 1,
        "AvailabilityZones": ["us-east-2a"],
    }
    needed = [
        allow("autoscaling:CreateAutoScalingGroup"),
        allow("ec2:RunInstances"),
        allow("iam:PassRole", role),
    ]
    create = actor.client("autoscaling").create_auto_scaling_group
    for missing in needed:
        actor.may(*[each for each in needed if each is not missing])
        assert refusal(create, **group) == (403, "AccessDenied")
    actor.may(*needed)
    assert refusal(create, **group) == (200, "")


def test_a_role_is_assumed_if_it_trusts_the_caller(
    actor: Actor, iam: Client, name: str, refusal: Refusal
) -> None:
    """By name, its own permission is not needed; by account, it is; by service, never."""
    assume = actor.client("sts").assume_role
    attempts = []
    for number, principal in enumerate(
        ({"Service": "ec2.amazonaws.com"}, {"AWS": ACCOUNT}, {"AWS": actor.arn})
    ):
        document = json.loads(trust())
        document["Statement"][0]["Principal"] = principal
        role = iam.create_role(
            RoleName=f"{name}-{number}", AssumeRolePolicyDocument=json.dumps(document)
        )["Role"]["Arn"]
        for permission in ([], [allow("sts:AssumeRole", role)]):
            actor.may(allow("s3:ListAllMyBuckets"), *permission)
            attempts.append(refusal(assume, RoleArn=role, RoleSessionName="session")[0])
    assert attempts == [403, 403, 403, 200, 200, 200]


def test_a_user_has_what_its_groups_and_attached_policies_give(
    aws: EmbeddedAws, iam: Client, name: str, refusal: Refusal
) -> None:
    """An access key that IAM made is held to the user's policies."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("sns:ListTopics")]})
    policy = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    make: Any = boto3.client
    sns = make(
        "sns",
        endpoint_url=aws.endpoint_url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    with aws.enforcing_iam():
        before = refusal(sns.list_topics)
        iam.attach_group_policy(GroupName=name, PolicyArn=policy)
        after = refusal(sns.list_topics)
    sns.close()
    assert (before, after) == ((403, "AuthorizationError"), (200, ""))
