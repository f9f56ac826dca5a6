"""A second opinion on who may do what: the roles' policies as ministack evaluates them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.flow_aws import ministack
from support.ministack_iam import Account, an_account
from support.stacks import a_blueprint
from support.stories import first_failure
from support.worker_policies import POLICIES, listed, statements, without
from support.worker_story import (
    MOVING,
    OUTSIDE,
    Steps,
    finds_what_is_gone,
    is_polled_for,
    moves_files,
    proves_the_guards,
    reads_its_tags,
    speaks_to_its_group,
    works_on_the_queue,
)

from provision.core.resource import Json

pytestmark = pytest.mark.heavy

SILENT = {
    "s3:PutObjectTagging": "not asked for when a copy or an upload brings tags",
    "s3:ListBucket": "not asked for when an object is missing",
    "autoscaling:SetInstanceHealth": "an operation that it does not have",
}
"""Actions of the roles that ministack never asks for."""

OTHERWISE = {
    "logs:CreateLogStream": "by the log group's ARN; AWS asks by the stream's",
    "logs:PutLogEvents": "likewise",
    "cloudwatch:PutMetricData": "without the condition key cloudwatch:namespace",
}
"""Actions that it asks for in a way that AWS does not, and so refuses."""

AGENTS = ("ssm:", "ssmmessages:", "ec2messages:")
"""The SSM agent's own protocol, which nothing here speaks."""

STEPS: dict[str, Steps] = {
    "worker": (
        *MOVING,
        proves_the_guards,
        works_on_the_queue,
        speaks_to_its_group,
        reads_its_tags,
    ),
    "lambda": (*MOVING, is_polled_for),
}
"""What the roles' code does in the services that ministack has."""

GRANTS = [
    pytest.param(role, statement["Sid"], action, id=f"{role}-{statement['Sid']}-{action}")
    for role in POLICIES
    for statement in statements(role)
    for action in listed(statement["Action"])
    if not action.startswith(AGENTS) and action not in SILENT and action not in OTHERWISE
]

EVERYTHING: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Run a ministack that enforces IAM, and make a pipeline in it."""
    with (
        ministack(tmp_path_factory.mktemp("enforcing"), enforce_iam=True) as backend,
        an_account(backend, a_blueprint("acting")) as made,
    ):
        yield made


# --- the worker's role, and the function's --------------------------------------------------------


@pytest.mark.parametrize("role", POLICIES)
def test_the_role_can_do_all_that_its_code_does(account: Account, role: str) -> None:
    """Nothing is denied, over TLS and with the bucket's policy in force."""
    with account.worker(POLICIES[role](account.blueprint)) as (worker, clients):
        assert first_failure(worker, STEPS[role]) is None
    assert clients.denied == []


@pytest.mark.parametrize(("role", "sid", "action"), GRANTS)
def test_without_one_action_a_step_fails(
    account: Account, role: str, sid: str, action: str
) -> None:
    """And it is this one that was denied."""
    document = without(POLICIES[role](account.blueprint), sid, action)
    with account.worker(document) as (worker, clients):
        failed = first_failure(worker, STEPS[role])
    print(f"without {action} of {sid}: {failed}")
    assert failed is not None
    assert {action, f"{action}Batch"} & set(clients.denied)


@pytest.mark.parametrize("role", POLICIES)
@pytest.mark.parametrize("what", OUTSIDE)
def test_calls_outside_are_denied(account: Account, role: str, what: str) -> None:
    """Beyond its prefixes and its queue."""
    document = POLICIES[role](account.blueprint)
    with account.worker(document) as (worker, clients), pytest.raises(ClientError):
        OUTSIDE[what](worker)
    assert len(clients.denied) == 1


def test_ministack_has_no_opinion_on_some_actions(account: Account) -> None:
    """Without them all goes on: what is shown of these, the embedded AWS shows alone."""
    document = POLICIES["worker"](account.blueprint)
    for sid, action in (
        ("MoveTo", "s3:PutObjectTagging"),
        ("TellMissingFromDenied", "s3:ListBucket"),
    ):
        document = without(document, sid, action)
    with account.worker(document) as (worker, clients):
        assert first_failure(worker, (moves_files, finds_what_is_gone)) is None
    assert clients.denied == []


# --- the policies of bucket, topic and queue ------------------------------------------------------


def test_the_bucket_refuses_everybody_without_tls(account: Account) -> None:
    """Even a role that may do anything; with TLS it does."""
    put: Any = {"Bucket": account.blueprint.names.bucket, "Key": "else/by-a-role", "Body": b"x"}
    document = policy(EVERYTHING)
    with account.role(document, tls=False) as bare, pytest.raises(ClientError) as caught:
        bare.s3.put_object(**put)
    assert "explicit deny in a resource-based policy" in str(caught.value)
    with account.role(document) as clients:
        clients.s3.put_object(**put)
    assert (bare.denied, clients.denied) == (["s3:PutObject"], [])


def test_the_queue_takes_messages_from_its_topic_and_from_no_other(account: Account) -> None:
    """By the queue policy's aws:SourceArn; without that condition it takes the other's as well."""
    names, sns = account.blueprint.names, account.aws.sns
    other = sns.create_topic(Name="another")["TopicArn"]
    sns.subscribe(
        TopicArn=other,
        Protocol="sqs",
        Endpoint=names.queue_arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    url = account.aws.sqs.get_queue_url(QueueName=names.queue)["QueueUrl"]
    account.aws.sqs.purge_queue(QueueUrl=url)
    sns.publish(TopicArn=other, Message="from another")
    sns.publish(TopicArn=names.topic_arn, Message="from ours")
    [body] = bodies(account, url)
    assert json.loads(body)["Message"] == "from ours"
    anybody = policy({**EVERYTHING, "Action": "sqs:SendMessage", "Principal": "*"})
    attributes: Any = {"Policy": json.dumps(anybody)}
    account.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    sns.publish(TopicArn=other, Message="from another")
    assert bodies(account, url) == ["from another"]
    account.carry_out(account.plan())


def test_the_topic_takes_events_from_its_bucket_and_from_no_other(account: Account) -> None:
    """By the topic policy's conditions."""
    names, s3 = account.blueprint.names, account.aws.s3
    other = "another-bucket"
    s3.create_bucket(Bucket=other, CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    rule: Any = {"TopicArn": names.topic_arn, "Events": ["s3:ObjectCreated:*"]}
    with pytest.raises(ClientError, match="Unable to validate"):
        s3.put_bucket_notification_configuration(
            Bucket=other, NotificationConfiguration={"TopicConfigurations": [rule]}
        )
    url = account.aws.sqs.get_queue_url(QueueName=names.queue)["QueueUrl"]
    account.aws.sqs.purge_queue(QueueUrl=url)
    s3.put_object(Bucket=names.bucket, Key="uploads/told", Body=b"x")
    [body] = bodies(account, url)
    assert "uploads/told" in body


def policy(*allowed: dict[str, Any]) -> Json:
    """Return a document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(allowed)}


def bodies(account: Account, url: str) -> list[str]:
    """Take all messages that are in a queue; at least one must come."""
    sqs, found = account.aws.sqs, []
    wait = 10
    while got := sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait).get("Messages"):
        found += [each["Body"] for each in got]
        wait = 1
    assert found, url
    return found
