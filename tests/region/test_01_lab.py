"""The lab's instances are enough of EC2 instances for what is shown on them."""

import json
from collections.abc import Iterator

import pytest
from region.lab.machines import Machine
from region.lab.region import Region
from region.lab.waiting import gone, ready

pytestmark = pytest.mark.region

TOKEN = (
    "curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'"
    " http://169.254.169.254/latest/api/token"
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
USER_DATA = "#!/bin/sh\nhostname > /var/local/user-data-ran\nrm /etc/debian_version\n"


def launch(region: Region, image_id: str, **more: object) -> str:
    """Run one instance in the default VPC; return its id."""
    answer = region.client("ec2").run_instances(
        ImageId=image_id,
        SubnetId=region.subnet_id(),
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        **more,
    )
    return str(answer["Instances"][0]["InstanceId"])


@pytest.fixture(scope="module")
def machine(region: Region, published: str) -> Iterator[Machine]:
    """Boot one instance with a profile, user data and version 2 of the metadata service alone."""
    iam = region.client("iam")
    iam.create_role(RoleName="lab", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="lab")
    iam.add_role_to_instance_profile(InstanceProfileName="lab", RoleName="lab")
    instance_id = launch(
        region,
        published,
        UserData=USER_DATA,
        MetadataOptions={"HttpTokens": "required"},
        IamInstanceProfile={"Name": "lab"},
    )
    yield ready(region, instance_id)
    region.client("ec2").terminate_instances(InstanceIds=[instance_id])
    gone(region, instance_id)


def test_an_instance_boots_with_the_name_and_user_data_that_the_metadata_tell(
    machine: Machine,
) -> None:
    """Its cloud-init found EC2, took the name, ran the script, and nothing in it failed."""
    dashed = machine.launch.private_ip.replace(".", "-")
    assert "DataSourceEc2" in machine.container.run("cloud-init", "status", "--long").stdout
    assert machine.container.read("/var/local/user-data-ran").strip() == f"ip-{dashed}"
    assert machine.container.run("systemctl", "is-system-running").stdout.strip() == "running"


def test_metadata_want_a_token(machine: Machine) -> None:
    """401 without one, 401 with anybody's, the instance's own id with its own."""
    ask = "curl -s -w %{http_code} http://169.254.169.254/latest/meta-data/instance-id"
    with_token = f'{ask} -H "X-aws-ec2-metadata-token: $({TOKEN})"'
    assert machine.container.shell(ask).stdout == "401"
    assert machine.container.shell(f"{ask} -H X-aws-ec2-metadata-token:x").stdout == "401"
    assert machine.container.shell(with_token).stdout == f"{machine.launch.instance_id}200"


def test_the_profiles_role_comes_with_credentials_of_its_own(
    region: Region, machine: Machine
) -> None:
    """What the metadata hand out is known to AWS as the role, in the instance's name."""
    path = "http://169.254.169.254/latest/meta-data/iam/security-credentials"
    ask = f'curl -sf -H "X-aws-ec2-metadata-token: $({TOKEN})" {path}'
    assert machine.container.shell(f"{ask}/").stdout == "lab"
    given = json.loads(machine.container.shell(f"{ask}/lab").stdout)
    who = region.client("sts", given["AccessKeyId"]).get_caller_identity()["Arn"]
    assert who.endswith(f":assumed-role/lab/{machine.launch.instance_id}")


def test_an_image_keeps_what_its_instance_wrote_and_removed(
    region: Region, machine: Machine
) -> None:
    """CreateImage reboots (rule 40), and what boots from the image has the same files."""
    ec2 = region.client("ec2")
    before = machine.container.boot_id()
    image_id = ec2.create_image(InstanceId=machine.launch.instance_id, Name="kept")["ImageId"]
    copy = ready(region, launch(region, image_id))
    assert "ip-" in copy.container.read("/var/local/user-data-ran")
    assert copy.container.run("test", "-e", "/etc/debian_version").status == 1
    assert ready(region, machine.launch.instance_id).container.boot_id() != before
    ec2.terminate_instances(InstanceIds=[copy.launch.instance_id])
    gone(region, copy.launch.instance_id)


def test_a_stopped_instance_starts_with_its_disk_and_address(
    region: Region, machine: Machine
) -> None:
    """StopInstances shuts down, StartInstances boots what was there."""
    ec2, instance_id = region.client("ec2"), machine.launch.instance_id
    machine.container.shell("echo kept > /var/local/kept")
    ec2.stop_instances(InstanceIds=[instance_id])
    ec2.start_instances(InstanceIds=[instance_id])
    again = ready(region, instance_id)
    assert again.container.read("/var/local/kept") == "kept\n"
    assert machine.launch.private_ip in again.container.run("ip", "-4", "addr").stdout
