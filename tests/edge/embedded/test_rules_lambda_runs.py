"""How functions run, and how a mapped queue feeds them. Every test here fails on plain moto."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from support import lambda_package

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

LEASE_SECONDS = 30
PATIENCE_SECONDS = 0.5 if os.environ.get("EMBEDDED_AWS") == "plain" else 20
"""A bound for the worst machine; a test that holds ends in a fraction of it."""


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    """Start a server that runs functions, whose changes hold at once."""
    honest = os.environ.get("EMBEDDED_AWS") != "plain"
    delays = Delays(lambda_seconds=0)
    with EmbeddedAws(honest=honest, delays=delays, run_lambdas=honest) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its queue."""

    client: Client
    sqs: Client
    logs: Client
    name: str
    queue: str
    arn: str

    def map(self, **more: object) -> str:
        """Feed the function from the queue; give the mapping's UUID."""
        told = self.client.create_event_source_mapping(
            EventSourceArn=self.arn, FunctionName=self.name, **more
        )
        uuid: str = told["UUID"]
        return uuid

    def send(self, *bodies: str) -> None:
        """Send messages."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def invoke(self, event: object) -> tuple[bool, Any]:
        """Invoke it; give whether it failed, and its payload."""
        told = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event))
        return "FunctionError" in told, json.loads(told["Payload"].read())

    def printed(self) -> list[str]:
        """Read all that it printed, from its log group, in order of writing."""
        events = self.logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}")["events"]
        lines = [each["message"] for each in sorted(events, key=lambda each: each["timestamp"])]
        return [line for line in lines if line != "(no output)"]

    def counts(self) -> tuple[int, int]:
        """Count the queue's ready and leased messages."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
        ready, leased = (int(told["Attributes"][each]) for each in names)
        return ready, leased

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that another thread brings about."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end, (self.printed(), self.counts())
            time.sleep(0.02)


Deploy = Callable[..., Function]


@pytest.fixture
def deploy(client: Callable[[str], Client], sqs: Client, name: str) -> Deploy:
    """Give what makes a function of a module's text, beside a queue."""

    def make(source: str, **more: object) -> Function:
        iam, lambdas = client("iam"), client("lambda")
        trust = lambda_package.trust()
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        arguments: dict[str, object] = {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Role": role,
            "Handler": "app.handler",
            "Code": {"ZipFile": lambda_package.of_text(source)},
            "Timeout": 20,
        }
        lambdas.create_function(**arguments | more)
        lease = {"VisibilityTimeout": str(LEASE_SECONDS)}
        url = sqs.create_queue(QueueName=name, Attributes=lease)["QueueUrl"]
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = told["Attributes"]["QueueArn"]
        logs = client("logs")
        logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
        return Function(lambdas, sqs, logs, name, url, arn)

    return make


COUNTING = """
calls = 0
def handler(event, context):
    global calls
    calls += 1
    left = context.get_remaining_time_in_millis()
    return [calls, event, context.function_name, 0 < left <= 20_000]
"""


def test_a_function_is_kept_warm(deploy: Deploy) -> None:
    """The second invocation finds what the first left in its module; and its context holds."""
    function = deploy(COUNTING)
    assert function.invoke({"a": 1}) == (False, [1, {"a": 1}, function.name, True])
    assert function.invoke({"a": 2})[1][:2] == [2, {"a": 2}]


def test_new_code_begins_anew(deploy: Deploy) -> None:
    """After UpdateFunctionCode the next invocation runs the new code."""
    function = deploy(COUNTING)
    function.invoke({})
    new = lambda_package.of_text("def handler(event, context):\n    return 'new'\n")
    function.client.update_function_code(FunctionName=function.name, ZipFile=new)
    assert function.invoke({}) == (False, "new")


ENVIRONMENT = """
import os, boto3
def handler(event, context):
    me = boto3.client("sts").get_caller_identity()["Arn"]
    return [os.environ["COLOUR"], os.environ["AWS_LAMBDA_FUNCTION_NAME"], me]
"""


def test_a_function_acts_as_its_role_in_its_own_environment(deploy: Deploy) -> None:
    """Its variables are there, and STS says that it is its role."""
    function = deploy(ENVIRONMENT, Environment={"Variables": {"COLOUR": "red"}})
    failed, (colour, name, me) = function.invoke({})
    assert (failed, colour, name) == (False, "red", function.name)
    assert f":assumed-role/{function.name}/" in me


def test_an_error_is_told_and_printed(deploy: Deploy) -> None:
    """The caller gets type and message; the log group gets the traceback."""
    function = deploy("def handler(event, context):\n    print('hello')\n    raise KeyError('x')\n")
    failed, payload = function.invoke({})
    assert (failed, payload["errorType"]) == (True, "KeyError")
    assert {"hello", "KeyError: 'x'"} <= set(function.printed())


def test_a_function_that_takes_too_long_is_ended(deploy: Deploy) -> None:
    """After its timeout it is killed, and a new environment takes the next event."""
    source = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'ok'\n"
    function = deploy(source, Timeout=1)
    assert function.invoke(0) == (False, "ok")
    failed, payload = function.invoke(60)
    assert (failed, "timed out" in payload["errorMessage"]) == (True, True)
    assert function.invoke(0) == (False, "ok")


PRINTING = """
def handler(event, context):
    for record in event["Records"]:
        print(record["body"], record["attributes"]["ApproximateReceiveCount"], flush=True)
    bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
"""


def test_a_mapped_queue_feeds_the_function(deploy: Deploy) -> None:
    """What is handled is deleted."""
    function = deploy(PRINTING)
    function.send("one", "two")
    function.map()
    function.until(lambda: function.counts() == (0, 0) and len(function.printed()) == 2)
    assert sorted(function.printed()) == ["one 1", "two 1"]


def test_a_reported_message_comes_back_and_the_others_do_not(
    deploy: Deploy, aws: EmbeddedAws
) -> None:
    """With ReportBatchItemFailures the failed one is leased on; it returns when its lease ends."""
    function = deploy(PRINTING)
    function.send("good", "bad")
    function.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    function.until(lambda: len(function.printed()) == 2 and function.counts() == (0, 1))
    aws.clock.advance(LEASE_SECONDS + 1)
    function.until(lambda: "bad 2" in function.printed())
    assert "good 2" not in function.printed()


@pytest.mark.parametrize(
    "answer", ['{"batchItemFailures": [{"itemIdentifier": ""}]}', '"nonsense"', "1 / 0"]
)
def test_an_answer_that_means_nothing_fails_the_whole_batch(deploy: Deploy, answer: str) -> None:
    """An empty identifier, another type, an error: every message is leased on."""
    function = deploy(f"def handler(event, context):\n    print('called')\n    return {answer}\n")
    function.send("one", "two")
    function.map(
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumBatchingWindowInSeconds=1,
        BatchSize=2,
    )
    function.until(lambda: "called" in function.printed())
    assert function.counts() == (0, 2)


def test_a_batching_window_gathers_a_large_batch(deploy: Deploy) -> None:
    """Twenty messages that came before the mapping arrive in one event or two."""
    function = deploy("def handler(event, context):\n    print(len(event['Records']))\n")
    function.send(*map(str, range(20)))
    function.map(BatchSize=20, MaximumBatchingWindowInSeconds=1)
    function.until(lambda: function.counts() == (0, 0) and len(function.printed()) > 0)
    sizes = [int(line) for line in function.printed()]
    assert sum(sizes) == 20
    assert len(sizes) <= 2


def test_rule_47_a_disabled_mapping_takes_nothing_more(deploy: Deploy) -> None:
    """What is sent after Disabled stays in the queue; enabling brings it on."""
    function = deploy(PRINTING)
    uuid = function.map()
    function.send("before")
    function.until(lambda: function.printed() == ["before 1"])
    function.client.update_event_source_mapping(UUID=uuid, Enabled=False)
    function.send("after")
    assert function.counts() == (1, 0)
    function.client.update_event_source_mapping(UUID=uuid, Enabled=True)
    function.until(lambda: len(function.printed()) == 2)
