"""What Lambda refuses, and the time its changes take. Every test here fails on plain moto."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

INVALID = (400, "InvalidParameterValueException")
BUSY = (400, "ResourceInUseException")
CONFLICT = (409, "ResourceConflictException")
A_CHANGE_SECONDS = 61
"""Longer than conftest lets a change take."""


def code() -> bytes:
    """Zip a function."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event\n")
    return buffer.getvalue()


def trust(service: str = "lambda.amazonaws.com") -> str:
    """Write a trust policy."""
    principal = {"Service": service}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True, slots=True)
class Twin:
    """A function and the queue that is to feed it."""

    client: Client
    name: str
    queue: str
    queue_arn: str
    aws: EmbeddedAws

    def wait(self) -> None:
        """Let every change end."""
        self.aws.clock.advance(A_CHANGE_SECONDS)

    def configuration(self) -> dict[str, Any]:
        """Get the function's configuration."""
        told: dict[str, Any] = self.client.get_function_configuration(FunctionName=self.name)
        return told

    def join(self, **more: object) -> dict[str, Any]:
        """Make the mapping."""
        told: dict[str, Any] = self.client.create_event_source_mapping(**self.mapping(**more))
        return told

    def mapping(self, **more: object) -> dict[str, object]:
        """Write the arguments of a mapping."""
        return {"EventSourceArn": self.queue_arn, "FunctionName": self.name, **more}

    def state(self, uuid: str) -> str:
        """Get the mapping's state."""
        told: str = self.client.get_event_source_mapping(UUID=uuid)["State"]
        return told


@pytest.fixture(scope="module")
def lambdas(client: Callable[[str], Client]) -> Client:
    """Give the Lambda client."""
    return client("lambda")


@pytest.fixture
def role(client: Callable[[str], Client], name: str) -> str:
    """Make a role that Lambda may assume; give its ARN."""
    answer = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust())
    arn: str = answer["Role"]["Arn"]
    return arn


@pytest.fixture
def arguments(name: str, role: str) -> dict[str, object]:
    """Write the arguments of a function."""
    return {
        "FunctionName": name,
        "Runtime": "python3.12",
        "Role": role,
        "Handler": "app.handler",
        "Code": {"ZipFile": code()},
        "Timeout": 30,
    }


@pytest.fixture
def twin(
    lambdas: Client, sqs: Client, queue: str, arguments: dict[str, object], aws: EmbeddedAws
) -> Twin:
    """Make a function, active, beside a queue."""
    lambdas.create_function(**arguments)
    aws.clock.advance(A_CHANGE_SECONDS)
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = told["Attributes"]["QueueArn"]
    return Twin(lambdas, str(arguments["FunctionName"]), queue, arn, aws)


def test_rule_03_a_role_that_does_not_trust_lambda_is_refused(
    client: Callable[[str], Client], lambdas: Client, name: str, arguments: dict[str, object]
) -> None:
    """The role's trust policy names EC2: it cannot be assumed by Lambda."""
    iam = client("iam")
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust("ec2.amazonaws.com"))
    with pytest.raises(lambdas.exceptions.InvalidParameterValueException, match="be assumed by"):
        lambdas.create_function(**arguments)


def test_rule_03_a_new_role_is_refused_until_lambda_knows_it(
    lambdas: Client, arguments: dict[str, object], aws: EmbeddedAws, refusal: Refusal
) -> None:
    """With two refusals asked for, the third attempt succeeds."""
    aws.propagation.refusals = 2
    try:
        attempts = [refusal(lambdas.create_function, **arguments) for _ in range(3)]
    finally:
        aws.propagation.refusals = 0
    assert attempts == [INVALID, INVALID, (200, "")]


def test_rule_03_a_new_role_is_known_after_its_time(
    lambdas: Client, arguments: dict[str, object], aws: EmbeddedAws, refusal: Refusal
) -> None:
    """With ten seconds asked for, eleven are enough."""
    aws.propagation.seconds = 10
    try:
        first = refusal(lambdas.create_function, **arguments)
        aws.clock.advance(11)
        second = refusal(lambdas.create_function, **arguments)
    finally:
        aws.propagation.seconds = 0
    assert (first, second) == (INVALID, (200, ""))


def test_a_new_function_is_pending(
    lambdas: Client, arguments: dict[str, object], aws: EmbeddedAws, refusal: Refusal
) -> None:
    """Pending at first, and not to be updated; then Active."""
    assert lambdas.create_function(**arguments)["State"] == "Pending"
    name = arguments["FunctionName"]
    told = lambdas.get_function(FunctionName=name)["Configuration"]
    assert (told["State"], told["StateReasonCode"]) == ("Pending", "Creating")
    update = lambdas.update_function_configuration
    assert refusal(update, FunctionName=name, Timeout=20) == CONFLICT
    aws.clock.advance(A_CHANGE_SECONDS)
    assert lambdas.get_function(FunctionName=name)["Configuration"]["State"] == "Active"


def test_an_update_is_in_progress_for_a_while(twin: Twin, refusal: Refusal) -> None:
    """Another update meanwhile: ResourceConflictException."""
    lambdas = twin.client
    answer = lambdas.update_function_code(FunctionName=twin.name, ZipFile=code())
    assert answer["LastUpdateStatus"] == "InProgress"
    assert twin.configuration()["LastUpdateStatus"] == "InProgress"
    update = lambdas.update_function_configuration
    assert refusal(update, FunctionName=twin.name, Timeout=20) == CONFLICT
    assert refusal(lambdas.update_function_code, FunctionName=twin.name, ZipFile=b"") == CONFLICT
    twin.wait()
    assert twin.configuration()["LastUpdateStatus"] == "Successful"


def test_rule_46_a_function_may_not_outlive_the_lease(
    twin: Twin, sqs: Client, refusal: Refusal
) -> None:
    """Timeout 30 s over a visibility timeout of 29 s: refused, when made and when changed."""
    sqs.set_queue_attributes(QueueUrl=twin.queue, Attributes={"VisibilityTimeout": "29"})
    create = twin.client.create_event_source_mapping
    with pytest.raises(twin.client.exceptions.InvalidParameterValueException, match="less than"):
        create(**twin.mapping())
    sqs.set_queue_attributes(QueueUrl=twin.queue, Attributes={"VisibilityTimeout": "30"})
    uuid = twin.join()["UUID"]
    twin.wait()
    sqs.set_queue_attributes(QueueUrl=twin.queue, Attributes={"VisibilityTimeout": "29"})
    update = twin.client.update_event_source_mapping
    assert refusal(update, UUID=uuid, BatchSize=5) == INVALID


def test_rule_46_a_large_batch_needs_a_window(twin: Twin, refusal: Refusal) -> None:
    """BatchSize 11 without a batching window is refused, and with one taken and kept."""
    create = twin.client.create_event_source_mapping
    assert refusal(create, **twin.mapping(BatchSize=11)) == INVALID
    made = twin.join(BatchSize=11, MaximumBatchingWindowInSeconds=1)
    assert (made["BatchSize"], made["MaximumBatchingWindowInSeconds"]) == (11, 1)
    twin.wait()
    update = twin.client.update_event_source_mapping
    assert refusal(update, UUID=made["UUID"], MaximumBatchingWindowInSeconds=0) == INVALID


@pytest.mark.parametrize("concurrency", [1, 1001])
def test_rule_46_concurrency_is_2_to_1000(
    twin: Twin, aws: EmbeddedAws, refusal: Refusal, concurrency: int
) -> None:
    """MaximumConcurrency out of range, from a client that does not check it itself."""
    unchecked = boto3.client(
        "lambda",
        endpoint_url=aws.endpoint_url,
        region_name="us-east-2",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(parameter_validation=False),
    )
    wanted = twin.mapping(ScalingConfig={"MaximumConcurrency": concurrency})
    refused = refusal(unchecked.create_event_source_mapping, **wanted)
    unchecked.close()
    assert refused == (400, "ValidationException")


def test_rule_47_a_mapping_is_enabled_and_disabled_in_its_own_time(
    twin: Twin, refusal: Refusal
) -> None:
    """Creating, Enabled, Disabling, Disabled, Enabling; no change while it changes."""
    update = twin.client.update_event_source_mapping
    made = twin.join(Enabled=True)
    uuid = made["UUID"]
    seen = [made["State"], twin.state(uuid)]
    assert refusal(update, UUID=uuid, Enabled=False) == BUSY
    assert refusal(twin.client.delete_event_source_mapping, UUID=uuid) == BUSY
    twin.wait()
    seen += [twin.state(uuid), update(UUID=uuid, Enabled=False)["State"], twin.state(uuid)]
    twin.wait()
    seen += [twin.state(uuid), update(UUID=uuid, Enabled=True)["State"]]
    twin.wait()
    assert [*seen, twin.state(uuid)] == [
        "Creating",
        "Creating",
        "Enabled",
        "Disabling",
        "Disabling",
        "Disabled",
        "Enabling",
        "Enabled",
    ]


def test_rule_47_a_deleted_mapping_goes_in_its_own_time(twin: Twin, refusal: Refusal) -> None:
    """Deleting, still listed, and then not found; update and delete of it as well."""
    uuid = twin.join()["UUID"]
    twin.wait()
    assert twin.client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    assert twin.state(uuid) == "Deleting"
    assert refusal(twin.client.update_event_source_mapping, UUID=uuid, BatchSize=1) == BUSY
    twin.wait()
    missing = (404, "ResourceNotFoundException")
    assert refusal(twin.client.get_event_source_mapping, UUID=uuid) == missing
    assert refusal(twin.client.update_event_source_mapping, UUID=uuid, BatchSize=1) == missing
    assert refusal(twin.client.delete_event_source_mapping, UUID=uuid) == missing


def test_rule_47_a_deleted_function_leaves_its_mapping(twin: Twin) -> None:
    """It is still listed by the function's name and by its ARN."""
    made = twin.join()
    twin.wait()
    twin.client.delete_function(FunctionName=twin.name)
    for name in (twin.name, made["FunctionArn"]):
        [left] = twin.client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        assert left["UUID"] == made["UUID"]


def test_a_queue_and_a_function_are_joined_once(twin: Twin, refusal: Refusal) -> None:
    """A second mapping between the two: ResourceConflictException."""
    twin.join()
    assert refusal(twin.client.create_event_source_mapping, **twin.mapping()) == CONFLICT


def test_a_mapping_needs_its_queue(twin: Twin, refusal: Refusal) -> None:
    """A queue that is not there: InvalidParameterValueException."""
    wanted = twin.mapping(EventSourceArn=f"{twin.queue_arn}-missing")
    assert refusal(twin.client.create_event_source_mapping, **wanted) == INVALID
