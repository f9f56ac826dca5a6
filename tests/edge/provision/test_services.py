"""What systemd says of the worker on each instance, asked through Systems Manager."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import boto3
import pytest

from provision.aws.services import ASK, service_states
from provision.aws.session import Aws
from worker.demo.embedded.server import REGION, EmbeddedAws


@dataclass
class Shells:
    """Instances that answer, and what each says."""

    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    asked: list[tuple[str, list[str]]] = field(default_factory=list)

    def instances(self) -> tuple[str, ...]:
        """Name the instances whose agent is online."""
        return tuple(self.answers)

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Answer as the instance does."""
        self.asked.append((instance_id, list(commands)))
        return self.answers[instance_id]


@pytest.fixture
def shells() -> Shells:
    """Give instances that can be asked."""
    return Shells()


@pytest.fixture
def aws(shells: Shells) -> Iterator[Aws]:
    """Give an AWS whose Systems Manager reaches those instances."""
    with EmbeddedAws(shell=shells) as embedded:
        yield Aws(boto3.Session("testing", "testing", region_name=REGION), embedded.endpoint_url)


def launch(aws: Aws) -> str:
    """Launch an instance; returns its id."""
    image = aws.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    run = aws.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.small")
    return run["Instances"][0]["InstanceId"]


def test_each_instance_that_is_reached_tells_its_state(aws: Aws, shells: Shells) -> None:
    """Active or failed, in systemd's own word; an instance without an agent is left out."""
    working, failing, mute = launch(aws), launch(aws), launch(aws)
    shells.answers = {working: (0, "active\n", ""), failing: (3, "failed\n", "")}
    told = service_states(aws.ssm, [working, failing, mute], lambda _: None)
    assert told == {working: "active", failing: "failed"}
    assert sorted(shells.asked) == sorted([(working, [ASK]), (failing, [ASK])])


def test_no_instance_is_no_question(aws: Aws) -> None:
    """An empty group asks nobody."""
    assert service_states(aws.ssm, [], lambda _: None) == {}
