"""The Auto Scaling calls over the wire: boto3 against a real HTTP server with scripted answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import boto3
import pytest
from botocore.config import Config

from worker.aws.autoscaling import AutoScalingUnavailable, GroupMember, InstanceAutoScaling

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

INSTANCE_ID = "i-0123456789abcdef0"
MEMBER = GroupMember(INSTANCE_ID, "workers", "Terminating:Wait")
HOOK = "s3-event-worker-drain"


@dataclass
class Service:
    """What the service answers to every request, and what it was asked."""

    port: int = 0
    status: int = 200
    body: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    def fail(self, code: str, message: str, status: int = 400) -> None:
        """Answer with an error in the query protocol's form."""
        self.status = status
        self.body = (
            '<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">'
            f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>1</RequestId></ErrorResponse>"
        )

    def describe(self, members: str) -> None:
        """Answer DescribeAutoScalingInstances."""
        self.body = (
            "<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult>"
            f"<AutoScalingInstances>{members}</AutoScalingInstances>"
            "</DescribeAutoScalingInstancesResult></DescribeAutoScalingInstancesResponse>"
        )


@contextmanager
def serving() -> Iterator[Service]:
    """Serve on a free port of loopback."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            asked = dict(parse_qsl(self.rfile.read(length).decode()))
            asked.pop("Version")
            service.asked.append(asked)
            action = asked["Action"]
            empty = f"<{action}Response><{action}Result/></{action}Response>"
            body = (service.body or empty).encode()
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def service() -> Iterator[Service]:
    """Serve for one test."""
    with serving() as service:
        yield service


def client_of(port: int) -> "AutoScalingClient":
    """Return a client that tries once."""
    return boto3.client(
        "autoscaling",
        region_name="us-east-2",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def autoscaling(service: Service) -> Iterator[InstanceAutoScaling]:
    """Speak to the service as the worker does."""
    client = client_of(service.port)
    yield InstanceAutoScaling(client)
    client.close()


def test_the_instance_is_found_in_its_group(
    service: Service, autoscaling: InstanceAutoScaling
) -> None:
    """Its group's name and its lifecycle state, by its id alone."""
    service.describe(
        f"<member><InstanceId>{INSTANCE_ID}</InstanceId>"
        "<AutoScalingGroupName>workers</AutoScalingGroupName>"
        "<LifecycleState>Terminating:Wait</LifecycleState></member>"
    )
    assert autoscaling.find_member(INSTANCE_ID) == MEMBER
    assert service.asked == [
        {"Action": "DescribeAutoScalingInstances", "InstanceIds.member.1": INSTANCE_ID}
    ]


def test_an_instance_in_no_group_is_none(
    service: Service, autoscaling: InstanceAutoScaling
) -> None:
    """AWS answers an empty list."""
    service.describe("")
    assert autoscaling.find_member(INSTANCE_ID) is None


def test_rule_33_heartbeat_and_completion_name_the_hook_the_group_and_the_instance(
    service: Service, autoscaling: InstanceAutoScaling
) -> None:
    """By instance id, so that no token has to be kept; the result is CONTINUE."""
    assert autoscaling.record_lifecycle_action_heartbeat(MEMBER, HOOK)
    assert autoscaling.complete_lifecycle_action(MEMBER, HOOK)
    named = {
        "LifecycleHookName": HOOK,
        "AutoScalingGroupName": "workers",
        "InstanceId": INSTANCE_ID,
    }
    assert service.asked == [
        {"Action": "RecordLifecycleActionHeartbeat", **named},
        {"Action": "CompleteLifecycleAction", **named, "LifecycleActionResult": "CONTINUE"},
    ]


def test_no_active_action_is_an_answer_and_no_error(
    service: Service, autoscaling: InstanceAutoScaling
) -> None:
    """The hook waits not yet, or no longer."""
    service.fail(
        "ValidationError", f"No active Lifecycle Action found with instance ID {INSTANCE_ID}"
    )
    assert not autoscaling.record_lifecycle_action_heartbeat(MEMBER, HOOK)
    assert not autoscaling.complete_lifecycle_action(MEMBER, HOOK)


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("ValidationError", "AutoScalingGroup name not found", 400),
        ("AccessDenied", "No active Lifecycle Action found, and no permission either", 403),
        ("Throttling", "Rate exceeded", 400),
        ("InternalFailure", "We are at fault", 500),
    ],
)
def test_any_other_refusal_is_told_in_awss_words(
    service: Service, autoscaling: InstanceAutoScaling, code: str, message: str, status: int
) -> None:
    """Every call raises the one error, with the code and the message."""
    service.fail(code, message, status)
    with pytest.raises(AutoScalingUnavailable, match=code):
        autoscaling.find_member(INSTANCE_ID)
    with pytest.raises(AutoScalingUnavailable, match=message):
        autoscaling.record_lifecycle_action_heartbeat(MEMBER, HOOK)
    with pytest.raises(AutoScalingUnavailable, match=code):
        autoscaling.complete_lifecycle_action(MEMBER, HOOK)
    with pytest.raises(AutoScalingUnavailable, match=code):
        autoscaling.set_instance_health(INSTANCE_ID)


def test_rule_30_an_unhealthy_instance_is_reported_without_grace(
    service: Service, autoscaling: InstanceAutoScaling
) -> None:
    """The group replaces it at once."""
    autoscaling.set_instance_health(INSTANCE_ID)
    assert service.asked == [
        {
            "Action": "SetInstanceHealth",
            "InstanceId": INSTANCE_ID,
            "HealthStatus": "Unhealthy",
            "ShouldRespectGracePeriod": "false",
        }
    ]


@pytest.mark.parametrize("body", ["<html>gateway", "<DescribeAutoScalingInstancesResp"])
def test_an_answer_that_is_none_is_unavailable(
    service: Service, autoscaling: InstanceAutoScaling, body: str
) -> None:
    """A proxy's page, or one that was cut off: the watcher lives on, and asks again."""
    service.body = body
    with pytest.raises(AutoScalingUnavailable, match="parse"):
        autoscaling.find_member(INSTANCE_ID)


def test_nobody_at_the_endpoint_is_unavailable() -> None:
    """A network fault is told like a refusal."""
    with serving() as gone:
        port = gone.port
    client = client_of(port)
    with pytest.raises(AutoScalingUnavailable, match="Could not connect"):
        InstanceAutoScaling(client).find_member(INSTANCE_ID)
    client.close()
