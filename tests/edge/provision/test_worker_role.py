"""The worker's and the function's role, with IAM enforced: all that their code does, no more."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.operator_role import denied
from support.provision_world import World
from support.recorded_aws import RecordedAws
from support.stacks import a_blueprint
from support.worker_story import STEPS, Worker, a_worker, first_failure

from provision.core.resource import Json
from provision.policies.lambda_ import lambda_policy
from provision.policies.worker import worker_policy
from provision.resources.policy import document as policy_of
from worker.demo.embedded.server import EmbeddedAws

POLICIES = {"worker": worker_policy, "lambda": lambda_policy}

NEVER_HERE = {
    # The SSM agent's own protocol, which nothing here speaks.
    *(f"ec2messages:{each}" for each in ("AcknowledgeMessage", "FailMessage", "GetMessages")),
    "ec2messages:SendReply",
    "ssm:UpdateInstanceInformation",
    *(f"ssmmessages:{each}Channel" for each in ("CreateControl", "CreateData")),
    *(f"ssmmessages:{each}Channel" for each in ("OpenControl", "OpenData")),
}


def statements(role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's document."""
    document: Any = POLICIES[role](a_blueprint())
    found: list[dict[str, Any]] = document["Statement"]
    return found


def listed(value: Any) -> list[str]:  # noqa: ANN401 # one, or several, as IAM has it
    """Return a list of one or several."""
    return value if isinstance(value, list) else [value]


def without(document: Json, sid: str, action: str) -> Json:
    """Return the document without one action of one statement."""
    assert isinstance(document, dict)
    kept = []
    for statement in document["Statement"]:
        actions = listed(statement["Action"])
        if statement["Sid"] == sid:
            actions = [each for each in actions if each != action]
        kept += [{**statement, "Action": actions}] if actions else []
    return policy_of(*kept)


GRANTS = [
    pytest.param(
        role,
        statement["Sid"],
        action,
        id=f"{role}-{statement['Sid']}-{action}",
        marks=[] if role == "worker" else [pytest.mark.heavy],  # the function's are nearly the same
    )
    for role in POLICIES
    for statement in statements(role)
    for action in listed(statement["Action"])
    if action not in NEVER_HERE
]


@pytest.fixture(scope="module")
def world(region: EmbeddedAws, aws: RecordedAws) -> Iterator[World]:
    """Apply one stack that all tests here work on; nobody but them is in its queue."""
    made = World.of(region, aws, "acting")
    made.apply()
    yield made
    s3, bucket = aws.s3, made.blueprint.names.bucket
    listed_versions = s3.list_object_versions(Bucket=bucket)
    for each in [*listed_versions.get("Versions", []), *listed_versions.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    made.destroy()


@pytest.mark.parametrize("role", POLICIES)
def test_the_role_can_do_all_that_its_code_does(
    region: EmbeddedAws, world: World, role: str
) -> None:
    """Nothing is denied."""
    region.accesses.clear()
    with a_worker(world, POLICIES[role](world.blueprint)) as worker:
        assert first_failure(worker, STEPS[role]) is None
    assert denied(region) == []


@pytest.mark.parametrize(("role", "sid", "action"), GRANTS)
def test_without_one_action_a_step_fails(
    region: EmbeddedAws, world: World, role: str, sid: str, action: str
) -> None:
    """No action of any statement is there for nothing, and it is this one that was denied."""
    region.accesses.clear()
    document = without(POLICIES[role](world.blueprint), sid, action)
    with a_worker(world, document) as worker:
        failed = first_failure(worker, STEPS[role])
    print(f"without {action} of {sid}: {failed}")
    assert failed is not None
    assert action in {each.partition(" ")[0] for each in denied(region)}


Call = Callable[[Worker], object]

OUTSIDE: dict[str, Call] = {
    "read elsewhere": lambda w: w.aws.s3.get_object(Bucket=w.bucket, Key="else/x"),
    "write where files land": lambda w: w.aws.s3.put_object(Bucket=w.bucket, Key="uploads/x"),
    "delete a file that was moved": lambda w: w.aws.s3.delete_object(
        Bucket=w.bucket, Key="processed/x"
    ),
    "delete for good": lambda w: w.aws.s3.delete_object(
        Bucket=w.bucket, Key="uploads/x", VersionId="null"
    ),
    "send a message": lambda w: w.aws.sqs.send_message(QueueUrl=w.queue_url, MessageBody="x"),
    "receive dead letters": lambda w: w.aws.sqs.receive_message(QueueUrl=f"{w.queue_url}-dlq"),
    "delete the queue": lambda w: w.aws.sqs.delete_queue(QueueUrl=w.queue_url),
    "publish": lambda w: w.aws.sns.publish(TopicArn=w.admin.blueprint.names.topic_arn, Message="x"),
    "look at instances": lambda w: w.aws.ec2.describe_instances(),
    "change the group": lambda w: w.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=w.admin.blueprint.names.group, MaxSize=9
    ),
    "change the bucket": lambda w: w.aws.s3.delete_bucket_policy(Bucket=w.bucket),
    "take another role": lambda w: w.aws.sts.assume_role(
        RoleArn=w.admin.blueprint.names.role_arn("acting-lambda"), RoleSessionName="other"
    ),
}


@pytest.mark.parametrize("role", POLICIES)
@pytest.mark.parametrize("what", OUTSIDE)
def test_calls_outside_are_denied(world: World, role: str, what: str) -> None:
    """Beyond its prefixes, its queue, its group."""
    document = POLICIES[role](world.blueprint)
    with a_worker(world, document) as worker, pytest.raises(ClientError) as caught:
        OUTSIDE[what](worker)
    code = caught.value.response["Error"]["Code"]
    assert code in {"AccessDenied", "AuthorizationError", "UnauthorizedOperation"}
