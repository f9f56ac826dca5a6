"""The machines port: what stands behind an instance hears of all that happens to it."""

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from worker.demo.embedded.ec2.machines import Launch
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws
from worker.demo.embedded.ticker import repeat

Client = Any
"""A boto3 client."""

USER_DATA = b"QUEUE_URL=https://queue\n"


class HeardMachines:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.launches: list[Launch] = []
        self.heard: list[tuple[str, ...]] = []

    def launched(self, launch: Launch) -> None:
        """Note a launch."""
        self.launches.append(launch)
        self.heard.append(("launched", launch.instance_id))

    def stopped(self, instance_id: str) -> None:
        """Note a stop."""
        self.heard.append(("stopped", instance_id))

    def started(self, instance_id: str) -> None:
        """Note a start."""
        self.heard.append(("started", instance_id))

    def terminated(self, instance_id: str) -> None:
        """Note a termination."""
        self.heard.append(("terminated", instance_id))

    def imaged(self, instance_id: str, image_id: str, *, reboot: bool) -> None:
        """Note an image."""
        self.heard.append(("imaged", instance_id, image_id, str(reboot)))


@pytest.fixture(scope="module")
def machines() -> HeardMachines:
    """Give the machines that all tests here share."""
    return HeardMachines()


@pytest.fixture(scope="module")
def region(machines: HeardMachines) -> Iterator[EmbeddedAws]:
    """Start a server that tells them."""
    with EmbeddedAws(machines=machines, delays=Delays.none(), tick_seconds=0.05) as server:
        yield server


@pytest.fixture(scope="module")
def ec2(region: EmbeddedAws) -> Iterator[Client]:
    """Connect to its EC2."""
    made = boto3.client(
        "ec2",
        endpoint_url=region.endpoint_url,
        region_name="us-east-2",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def autoscaling(region: EmbeddedAws) -> Iterator[Client]:
    """Connect to its Auto Scaling."""
    made = boto3.client(
        "autoscaling",
        endpoint_url=region.endpoint_url,
        region_name="us-east-2",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    yield made
    made.close()


@pytest.fixture
def subnet(ec2: Client) -> str:
    """Give a subnet of the default VPC, in the first zone."""
    subnets = ec2.describe_subnets()["Subnets"]
    found: str = min(subnets, key=lambda each: each["AvailabilityZone"])["SubnetId"]
    return found


def run(ec2: Client, subnet: str, **more: object) -> str:
    """Launch one instance; give its id."""
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    launched = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        SubnetId=subnet,
        **more,
    )
    instance_id: str = launched["Instances"][0]["InstanceId"]
    return instance_id


def test_a_launch_says_what_a_machine_needs(
    ec2: Client, machines: HeardMachines, subnet: str
) -> None:
    """Address, type, zone, decoded user data, the metadata service's tokens, tags."""
    instance_id = run(
        ec2,
        subnet,
        UserData=USER_DATA.decode(),
        MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    launch = machines.launches[-1]
    found = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    assert launch.instance_id == instance_id
    assert launch.private_ip == found["PrivateIpAddress"]
    assert (launch.instance_type, launch.zone) == ("t3.micro", "us-east-2a")
    assert launch.user_data == USER_DATA
    assert launch.metadata_http_tokens == "required"
    assert (launch.tags, launch.group_name, launch.profile_arn) == ({"a": "b"}, None, None)


def test_each_change_is_told_once_and_in_order(
    ec2: Client, machines: HeardMachines, subnet: str
) -> None:
    """Stopping what is stopped, or ending what is ended, is no change."""
    instance_id = run(ec2, subnet)
    one = {"InstanceIds": [instance_id]}
    ec2.stop_instances(**one)
    ec2.stop_instances(**one)
    ec2.start_instances(**one)
    ec2.terminate_instances(**one)
    ec2.terminate_instances(**one)
    told = [each[0] for each in machines.heard if each[1] == instance_id]
    assert told == ["launched", "stopped", "started", "terminated"]


@pytest.mark.parametrize(("more", "reboot"), [({}, "True"), ({"NoReboot": True}, "False")])
def test_an_image_reboots_its_machine_unless_told_not_to(
    ec2: Client, machines: HeardMachines, subnet: str, more: dict[str, bool], reboot: str
) -> None:
    """Rule 40: the default of CreateImage is a reboot."""
    instance_id = run(ec2, subnet)
    image = ec2.create_image(InstanceId=instance_id, Name=f"image-{instance_id}", **more)
    assert machines.heard[-1] == ("imaged", instance_id, image["ImageId"], reboot)


def test_a_group_s_launches_and_terminations_are_told_as_well(
    ec2: Client, autoscaling: Client, machines: HeardMachines, subnet: str
) -> None:
    """With the group's name; without delays a group is at rest after each request."""
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName="machines",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro", "UserData": "SGk="},
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="machines",
        MinSize=1,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateName": "machines"},
        VPCZoneIdentifier=subnet,
    )
    launch = machines.launches[-1]
    assert (launch.group_name, launch.user_data) == ("machines", b"Hi")
    group = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert [each["LifecycleState"] for each in group["Instances"]] == ["InService"]
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="machines", ForceDelete=True)
    assert machines.heard[-1] == ("terminated", launch.instance_id)
    assert autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_the_state_of_an_instance_is_told_in_process(
    region: EmbeddedAws, ec2: Client, subnet: str
) -> None:
    """An instance outside of a group has EC2's state alone; an unknown one has none."""
    instance_id = run(ec2, subnet)
    state = region.instance_state(instance_id)
    assert state is not None
    assert (state.state, state.lifecycle_state, state.target_lifecycle_state) == (
        "running",
        None,
        None,
    )
    assert region.instance_state("i-0") is None


def test_a_tick_that_fails_is_not_the_last() -> None:
    """The ticker goes on after an error, until it is ended."""
    seen = threading.Semaphore(0)

    def fail() -> None:
        seen.release()
        raise ValueError

    end = repeat(fail, 0.001)
    assert seen.acquire(timeout=10)
    assert seen.acquire(timeout=10)
    end()
