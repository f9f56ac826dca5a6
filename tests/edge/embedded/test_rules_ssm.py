"""What Run Command does with a shell, and without. Every test here fails on plain moto."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import pytest

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

ONE, TWO, STRANGER = (f"i-{number:017x}" for number in range(3))


class Echo:
    """Two instances that say back what they are to run; `false` fails."""

    def instances(self) -> Collection[str]:
        """Name them."""
        return (TWO, ONE)

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Say it back."""
        return int("false" in commands), f"{instance_id}: {'; '.join(commands)}\n", "x" * 30_000


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    """Start a server with a shell."""
    with EmbeddedAws(honest=os.environ.get("EMBEDDED_AWS") != "plain", shell=Echo()) as server:
        yield server


@pytest.fixture(scope="module")
def ssm(client: Callable[[str], Client]) -> Client:
    """Give the SSM client."""
    return client("ssm")


def send(ssm: Client, instance: str, *lines: str) -> dict[str, Any]:
    """Run lines on an instance, and look until it is over."""
    command = ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": list(lines)},
    )["Command"]
    assert command["Status"] == "Pending"
    asked = {"CommandId": command["CommandId"], "InstanceId": instance}
    first = ssm.get_command_invocation(**asked)
    assert (first["Status"], first["StandardOutputContent"]) == ("InProgress", "")
    told: dict[str, Any] = ssm.get_command_invocation(**asked)
    return told


def test_a_command_runs_where_an_agent_is(ssm: Client, refusal: Refusal) -> None:
    """Pending, InProgress, then its output and its status; stderr is cut at 24,000 characters."""
    told = send(ssm, ONE, "echo a", "echo b")
    assert (told["Status"], told["ResponseCode"]) == ("Success", 0)
    assert told["StandardOutputContent"] == f"{ONE}: echo a; echo b\n"
    assert len(told["StandardErrorContent"]) == 24_000
    elsewhere = refusal(ssm.get_command_invocation, CommandId=told["CommandId"], InstanceId=TWO)
    assert elsewhere == (400, "InvocationDoesNotExist")
    failed = send(ssm, TWO, "false")
    assert (failed["Status"], failed["ResponseCode"]) == ("Failed", 1)


def test_the_agents_that_are_online_are_listed(ssm: Client) -> None:
    """All of them, or those that are asked for."""
    everybody = ssm.describe_instance_information()["InstanceInformationList"]
    assert [(each["InstanceId"], each["PingStatus"]) for each in everybody] == [
        (ONE, "Online"),
        (TWO, "Online"),
    ]
    asked = [{"Key": "InstanceIds", "Values": [TWO, STRANGER]}]
    [found] = ssm.describe_instance_information(Filters=asked)["InstanceInformationList"]
    assert found["InstanceId"] == TWO


def test_an_instance_without_agent_is_refused(ssm: Client, refusal: Refusal) -> None:
    """InvalidInstanceId, though the other instance has one; another document, InvalidDocument."""
    script = {"commands": ["true"]}
    refused = refusal(
        ssm.send_command,
        InstanceIds=[ONE, STRANGER],
        DocumentName="AWS-RunShellScript",
        Parameters=script,
    )
    assert refused == (400, "InvalidInstanceId")
    other = refusal(ssm.send_command, InstanceIds=[ONE], DocumentName="Other", Parameters=script)
    assert other == (400, "InvalidDocument")
