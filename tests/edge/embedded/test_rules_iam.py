"""What IAM refuses, and what others refuse of its news. Every test here fails on plain moto."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.lambda_package import trust

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

ACCOUNT = "123456789012"


@pytest.fixture
def role(iam: Client, name: str) -> str:
    """Make a role; give its ARN."""
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    arn: str = made["Role"]["Arn"]
    return arn


@pytest.fixture
def late(aws: EmbeddedAws) -> Iterator[None]:
    """Let every new role be refused once."""
    aws.propagation.refusals = 1
    yield
    aws.propagation.refusals = 0


def names_a_role(arn: str, action: str, resource: str) -> str:
    """Write a resource's policy that names a role."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": arn},
        "Action": action,
        "Resource": resource,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_rule_04_a_role_name_has_64_characters(iam: Client, refusal: Refusal) -> None:
    """One more is refused, and so is a slash."""
    for name in ("r" * 65, "a/b"):
        refused = refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust())
        assert refused == (400, "ValidationError")


def test_rule_04_an_instance_profile_name_has_128_characters(iam: Client, refusal: Refusal) -> None:
    """One more is refused."""
    refused = refusal(iam.create_instance_profile, InstanceProfileName="p" * 129)
    assert refused == (400, "ValidationError")


@pytest.mark.parametrize(
    "document",
    [
        "no json",
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}),
        trust().replace("sts:AssumeRole", "s3:GetObject"),
    ],
    ids=["no-json", "no-action", "another-action"],
)
def test_rule_03_a_trust_policy_is_checked_when_a_role_is_made(
    iam: Client, name: str, refusal: Refusal, document: str
) -> None:
    """No JSON, no action, an action of another service: MalformedPolicyDocument."""
    refused = refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=document)
    assert refused == (400, "MalformedPolicyDocument")


def test_rule_03_a_trust_policy_names_roles_that_exist(
    iam: Client, name: str, role: str, refusal: Refusal
) -> None:
    """One that does not: MalformedPolicyDocument, with its ARN in the message."""
    missing = json.loads(trust())
    missing["Statement"][0]["Principal"] = {"AWS": f"{role}-missing"}
    document = json.dumps(missing)
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException, match="Invalid principal"):
        iam.create_role(RoleName=f"{name}-2", AssumeRolePolicyDocument=document)
    refused = refusal(iam.update_assume_role_policy, RoleName=name, PolicyDocument=document)
    assert refused == (400, "MalformedPolicyDocument")


def test_inline_policies_have_10240_characters(
    iam: Client, name: str, role: str, refusal: Refusal
) -> None:
    """Two of 6,000 are too much for one role, though each is not."""
    actions = [f"s3:Get{'x' * 90}{number}" for number in range(60)]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert role
    put = {"RoleName": name, "PolicyDocument": document}
    iam.put_role_policy(PolicyName="one", **put)
    assert refusal(iam.put_role_policy, PolicyName="two", **put) == (409, "LimitExceeded")


def test_rule_05_a_role_that_is_not_in_the_profile_cannot_be_removed(
    iam: Client, name: str, role: str, refusal: Refusal
) -> None:
    """NoSuchEntity, so that a destroy that is run again goes on."""
    assert role
    iam.create_instance_profile(InstanceProfileName=name)
    remove = iam.remove_role_from_instance_profile
    assert refusal(remove, InstanceProfileName=name, RoleName=name) == (404, "NoSuchEntity")


def test_rule_06_a_service_linked_role_is_made_once(iam: Client, refusal: Refusal) -> None:
    """The second time: InvalidInput, the name has been taken."""
    service = "autoscaling.amazonaws.com"
    iam.create_service_linked_role(AWSServiceName=service)
    refused = refusal(iam.create_service_linked_role, AWSServiceName=service)
    assert refused == (400, "InvalidInput")


def test_a_managed_policy_of_aws_can_be_attached(iam: Client, name: str, role: str) -> None:
    """AmazonSSMManagedInstanceCore is there, and has a document."""
    arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    assert role
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    told = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    assert "ssm:UpdateInstanceInformation" in str(told["Document"])


@pytest.mark.usefixtures("late")
def test_rule_03_a_topic_does_not_know_a_new_role_at_once(
    sns: Client, name: str, role: str
) -> None:
    """PrincipalNotFound at first, and then it is taken; a role that is missing is never taken."""
    topic = sns.create_topic(Name=name)["TopicArn"]
    policy = names_a_role(role, "sns:Publish", topic)
    change = {"TopicArn": topic, "AttributeName": "Policy"}
    with pytest.raises(sns.exceptions.InvalidParameterException, match="PrincipalNotFound"):
        sns.set_topic_attributes(**change, AttributeValue=policy)
    sns.set_topic_attributes(**change, AttributeValue=policy)
    missing = policy.replace(role, f"{role}-missing")
    with pytest.raises(sns.exceptions.InvalidParameterException, match="PrincipalNotFound"):
        sns.set_topic_attributes(**change, AttributeValue=missing)


@pytest.mark.usefixtures("late")
def test_rule_03_a_queue_does_not_know_a_new_role_at_once(
    sqs: Client, queue: str, name: str, role: str, refusal: Refusal
) -> None:
    """InvalidAttributeValue at first, and then it is taken; at the making of a queue as well."""
    arn = f"arn:aws:sqs:us-east-2:{ACCOUNT}:{name}"
    policy = {"Policy": names_a_role(role, "sqs:SendMessage", arn)}
    refused = (400, "InvalidAttributeValue")
    assert refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes=policy) == refused
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=policy)
    missing = {"Policy": names_a_role(f"{role}-missing", "sqs:SendMessage", arn)}
    assert refusal(sqs.create_queue, QueueName=f"{name}-2", Attributes=missing) == refused


def test_rule_05_a_role_made_again_is_news_again(
    iam: Client, sqs: Client, queue: str, name: str, aws: EmbeddedAws, refusal: Refusal
) -> None:
    """After a minute the role is known; deleted and made again, it is not."""
    aws.propagation.seconds = 60
    try:
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())["Role"]["Arn"]
        policy = {"Policy": names_a_role(arn, "sqs:SendMessage", "*")}
        attempts = []
        acts: list[Callable[[], None]] = [
            lambda: aws.clock.advance(61),
            lambda: made_again(iam, name),
        ]
        for act in acts:
            attempts.append(refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes=policy))
            act()
            attempts.append(refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes=policy))
    finally:
        aws.propagation.seconds = 0
    fine, refused = (200, ""), (400, "InvalidAttributeValue")
    assert attempts == [refused, fine, fine, refused]


def made_again(iam: Client, name: str) -> None:
    """Delete a role, and make it again."""
    iam.delete_role(RoleName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())
