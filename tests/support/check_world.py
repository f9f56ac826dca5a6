"""A small world to check, explain and sweep in: one bucket, one queue, settings that name them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3
import click
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from click.testing import CliRunner, Result

from worker.aws.checks import run_checks
from worker.aws.clients import Clients
from worker.commands import check as check_command
from worker.commands.explain import explain
from worker.commands.sweep import sweep
from worker.demo.embedded.server import EmbeddedAws
from worker.operator.preflight import Finding, failures
from worker.settings import Settings, read_settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

BUCKET = "files"

COMMANDS = click.Group("worker", commands=[check_command.check, explain, sweep])


@dataclass(frozen=True, slots=True)
class World:
    """An embedded AWS with a bucket `files` and a queue with a dead-letter queue."""

    aws: EmbeddedAws
    environment: Mapping[str, str]
    s3: "S3Client"
    sqs: "SQSClient"

    def settings(self, **changes: str) -> Settings:
        """Return the settings of this world, with changes."""
        return read_settings({**self.environment, **changes})

    def clients(self) -> Clients:
        """Return clients of this world."""
        return Clients(self.environment["REGION"])

    def worker(self, *arguments: str, stdin: str = "", **changes: str) -> Result:
        """Run `worker …` in this process, with this world's environment."""
        environment = {**self.environment, **changes}
        return CliRunner().invoke(COMMANDS, list(arguments), input=stdin, env=environment)

    def put(self, key: str, body: bytes = b"content") -> str:
        """Upload an object; returns its ETag without quotes."""
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')

    def keys(self) -> list[str]:
        """Return all keys of the bucket, and whatever versions and markers are left."""
        listed = self.s3.list_object_versions(Bucket=BUCKET)
        entries: list[Any] = [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]
        return sorted(entry["Key"] for entry in entries)

    def body(self, key: str) -> bytes:
        """Return an object's content."""
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


@contextmanager
def make_world(environ: pytest.MonkeyPatch, *, honest: bool = True) -> Iterator[World]:
    """Start an embedded AWS, and put its endpoint and credentials into the environment."""
    with ExitStack() as starting:
        aws = starting.enter_context(EmbeddedAws(honest=honest))
        for name, value in aws.environment().items():
            environ.setenv(name, value)
        region = aws.environment()["AWS_DEFAULT_REGION"]
        s3 = starting.enter_context(closing(boto3.client("s3", region_name=region)))
        sqs = starting.enter_context(closing(boto3.client("sqs", region_name=region)))
        place: Any = {"LocationConstraint": region}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        environment = {
            **aws.environment(),
            "BUCKET": BUCKET,
            "REGION": region,
            "QUEUE_URL": make_queue(sqs, "uploads"),
        }
        yield World(aws, environment, s3, sqs)


def make_queue(
    sqs: "SQSClient", name: str, *, receives: int | None = 5, visibility: int = 120
) -> str:
    """Create a queue, with a dead-letter queue unless `receives` is None; returns its URL."""
    attributes: dict[Any, str] = {"VisibilityTimeout": str(visibility)}
    if receives is not None:
        dlq = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])
        redrive = {
            "deadLetterTargetArn": arn["Attributes"]["QueueArn"],
            "maxReceiveCount": receives,
        }
        attributes["RedrivePolicy"] = json.dumps(redrive)
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What AWS says instead of doing what it was asked.

    `header`, `in_url`: only to requests that have it. `raises`: no answer, but an exception.
    """

    code: str = "AccessDenied"
    message: str = "Access Denied"
    status: int = 403
    header: str = ""
    in_url: str = ""
    raises: Exception | None = None


class RefusingClients(Clients):
    """Clients that are refused some operations (`s3.HeadObject`), as AWS does and moto cannot.

    A hook of botocore's own (`before-send`) answers in the server's place; HeadObject without a
    body, as HTTP has it.
    """

    def __init__(self, region: str, refusals: Mapping[str, Refusal]) -> None:
        super().__init__(region)
        self._refusals = refusals

    def s3(self, connections: int) -> "S3Client":
        """Return a client that is refused some operations."""
        client = super().s3(connections)
        self._refuse(client.meta.events, "s3.")
        return client

    def sts(self) -> "STSClient":
        """Return a client that is refused some operations."""
        client = super().sts()
        self._refuse(client.meta.events, "sts.")
        return client

    def _refuse(self, events: Any, service: str) -> None:  # noqa: ANN401 - botocore's own kind
        for operation, refusal in self._refusals.items():
            if operation.startswith(service):
                events.register(f"before-send.{operation}", _answer(operation, refusal))


def _answer(operation: str, refusal: Refusal) -> Callable[..., AWSResponse | None]:
    error = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
    if operation.startswith("sts."):
        error = f"<ErrorResponse>{error}</ErrorResponse>"
    body = b"" if operation == "s3.HeadObject" else error.encode()

    def answer(request: Any, **_: object) -> AWSResponse | None:  # noqa: ANN401 - likewise
        if refusal.header and refusal.header not in request.headers:
            return None
        if refusal.in_url not in request.url:
            return None
        if refusal.raises:
            raise refusal.raises
        return AWSResponse(request.url, refusal.status, HTTPHeaders(), _Raw(body))

    return answer


class _Raw:
    """A body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        """Give it in one piece."""
        yield self._body


@contextmanager
def permissions_count(world: World) -> Iterator[None]:
    """Let moto look at IAM's policies for as long as the block lasts."""
    _reset_auth(world, "0")
    try:
        yield
    finally:
        _reset_auth(world, "inf")


def _reset_auth(world: World, free_actions: str) -> None:
    url = f"{world.aws.endpoint_url}/moto-api/reset-auth"
    headers = {"Content-Type": "text/plain"}  # moto reads no form here
    request = Request(url, free_actions.encode(), headers, method="POST")  # noqa: S310 - http
    with urlopen(request) as response:  # noqa: S310 - likewise
        assert response.status == 200


class Person:
    """An IAM user whose only policy can be changed."""

    def __init__(self, world: World, environ: pytest.MonkeyPatch) -> None:
        with closing(boto3.client("iam")) as iam:
            iam.create_user(UserName="somebody")
            key = iam.create_access_key(UserName="somebody")["AccessKey"]
        self.settings = world.settings()
        environ.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        environ.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        self.clients = Clients(self.settings.region)

    def may(self, statements: Sequence[object]) -> None:
        """Set what the user may do. Not while permissions count: the user may not do this."""
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        with closing(boto3.client("iam")) as iam:
            iam.put_user_policy(
                UserName="somebody", PolicyName="all", PolicyDocument=json.dumps(document)
            )


def no_wait(_: float) -> None:
    """Stand in for sleep: a refused call need not wait to be refused again."""


def check(world: World, refusals: dict[str, Refusal], **settings: str) -> dict[str, Finding]:
    """Run all checks, some operations being refused; returns the findings by subject."""
    clients = RefusingClients(world.settings().region, refusals)
    return {each.subject: each for each in run_checks(world.settings(**settings), clients, no_wait)}


def worst(findings: dict[str, Finding]) -> list[str]:
    """Return the subjects of all failures."""
    return [each.subject for each in failures(findings.values())]
