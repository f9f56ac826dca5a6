"""`worker give-up` as systemd begins it: a process, a metadata service, a group of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.aws_process import REGION, connect, environment
from support.imds_server import PATHS, FakeImds, imds_server

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws
from worker.errors import ExitCode

GROUP = "workers"
STALLED = {"MONITOR_SERVICE_RESULT": "watchdog", "MONITOR_EXIT_STATUS": "6"}
FORBIDDEN = {"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_STATUS": "3"}


@dataclass
class Instance:
    """One instance: its metadata, and the AWS that it is in."""

    aws: str
    imds: FakeImds
    group: Any

    def be(self, instance_id: str, age: timedelta = timedelta(days=1)) -> None:
        """Have the metadata service tell who it is, and when it was launched."""
        launched = datetime.now(UTC) - age
        self.imds.items["meta-data/instance-id"] = instance_id
        self.imds.items[PATHS["identity"]] = json.dumps({"pendingTime": launched.isoformat()})

    def member(self) -> str:
        """Return the id of the group's one instance."""
        return str(self._described()["InstanceId"])

    def health(self) -> str:
        """Return what the group thinks of it."""
        return str(self._described()["HealthStatus"]).upper()

    def may_only(self, *actions: str) -> dict[str, str]:
        """Return the environment of somebody with these permissions and no others."""
        iam = connect("iam", self.aws)
        iam.create_user(UserName="nobody")
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName="nobody", PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def give_up(self, ended: dict[str, str]) -> tuple[int, dict[str, str], str]:
        """Run the command; returns its status, its log line, and its complaint."""
        done = subprocess.run(
            [sys.executable, "-m", "worker", "give-up"],
            env=environment(self.aws)
            | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.imds.endpoint}
            | {"AWS_EC2_METADATA_DISABLED": "false"}
            | ended,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    def _described(self) -> dict[str, str]:
        (found,) = self.group.describe_auto_scaling_instances()["AutoScalingInstances"]
        return dict(found)


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """Run an AWS with a group of one instance."""
    with EmbeddedAws(delays=Delays.none(), enforce_iam=True) as server:
        endpoint = server.endpoint_url
        ec2, group = connect("ec2", endpoint), connect("autoscaling", endpoint)
        image = ec2.describe_images()["Images"][0]["ImageId"]
        group.create_launch_configuration(
            LaunchConfigurationName="old", ImageId=image, InstanceType="t3.micro"
        )
        group.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            LaunchConfigurationName="old",
            MinSize=1,
            MaxSize=1,
            AvailabilityZones=[f"{REGION}a"],
        )
        # So that it is the same instance for every test.
        group.suspend_processes(AutoScalingGroupName=GROUP, ScalingProcesses=["ReplaceUnhealthy"])
        yield endpoint


@pytest.fixture
def instance(aws: str) -> Iterator[Instance]:
    """Be the group's instance, a day old and healthy."""
    with imds_server(region=REGION) as imds:
        instance = Instance(aws, imds, connect("autoscaling", aws))
        instance.be(instance.member())
        instance.group.set_instance_health(
            InstanceId=instance.member(), HealthStatus="Healthy", ShouldRespectGracePeriod=False
        )
        yield instance


def test_rule_30_a_worker_that_keeps_stalling_has_its_instance_replaced(
    instance: Instance,
) -> None:
    """The group hears that it is unhealthy, and the log says why."""
    status, line, _ = instance.give_up(STALLED)
    assert (status, line["event"]) == (ExitCode.DONE, "instance-given-up")
    assert "watchdog" in line["why"]
    assert instance.health() == "UNHEALTHY"


def test_a_missing_permission_leaves_the_instance_alone(instance: Instance) -> None:
    """Neither the metadata service nor the group is asked."""
    status, line, _ = instance.give_up(FORBIDDEN)
    assert (status, line["event"]) == (ExitCode.DONE, "instance-stays")
    assert "permission" in line["why"]
    assert instance.health() == "HEALTHY"
    assert not instance.imds.asked


def test_a_young_instance_is_left_alone(instance: Instance) -> None:
    """Its predecessor failed just like it."""
    instance.be(instance.member(), timedelta(minutes=59))
    status, line, _ = instance.give_up(STALLED)
    assert (status, line["event"]) == (ExitCode.DONE, "instance-stays")
    assert "59 minutes old" in line["why"]
    assert instance.health() == "HEALTHY"


def test_an_instance_of_no_group_is_left_alone(instance: Instance) -> None:
    """A builder, or one that somebody started by hand."""
    instance.be("i-0fedcba9876543210")
    status, line, _ = instance.give_up(STALLED)
    assert (status, line["event"]) == (ExitCode.DONE, "instance-stays")
    assert "in no Auto Scaling group" in line["why"]
    assert instance.health() == "HEALTHY"


def test_off_ec2_it_says_that_it_cannot_know(instance: Instance) -> None:
    """No traceback, and a status of its own."""
    instance.imds.items.clear()
    status, line, complaint = instance.give_up(STALLED)
    assert (status, line) == (ExitCode.PREFLIGHT, {})
    assert "the instance stays: meta-data/instance-id: not there" in complaint


def test_where_auto_scaling_cannot_be_asked_it_says_what_that_needs(instance: Instance) -> None:
    """What botocore said, and the two permissions; no traceback."""
    instance.aws = "http://127.0.0.1:9"  # nobody listens to the discard service
    status, _, complaint = instance.give_up(STALLED)
    assert status == ExitCode.PREFLIGHT
    assert "autoscaling:SetInstanceHealth" in complaint
    assert "Traceback" not in complaint


def test_without_the_permission_it_says_which(instance: Instance) -> None:
    """It may ask where it is, and not say that it is unhealthy."""
    nobody = instance.may_only("autoscaling:DescribeAutoScalingInstances")
    status, line, complaint = instance.give_up(STALLED | nobody)
    assert (status, line) == (ExitCode.PREFLIGHT, {})
    assert "AccessDenied" in complaint
    assert "autoscaling:SetInstanceHealth" in complaint
    assert instance.health() == "HEALTHY"
