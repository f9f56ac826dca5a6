"""Packer's role, with IAM enforced: the calls of a bake, as the amazon plugin makes them."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from support.operator_role import TRUST, denied
from support.provision_world import IMAGE
from support.recorded_aws import RecordedAws
from support.stacks import a_blueprint

from provision.core.resource import OWNER_TAG, Json
from provision.policies.packer import SshInterface, packer_policy
from provision.resources.policy import document as policy_of
from worker.demo.embedded.server import EmbeddedAws

STACK = "files"
TAGS: Any = [{"Key": OWNER_TAG, "Value": STACK}, {"Key": "Project", "Value": "s3-event-worker"}]
OVER = list(SshInterface)

NOT_IN_A_BAKE = {
    # Of one that fails, and of templates with other settings; and what only real sessions are.
    "ec2:DeleteVolume",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeSnapshots",
    "ec2:DescribeVpcs",
    "ec2:ModifyInstanceAttribute",
    "ssm:StartSession",
    "ssm:TerminateSession",
}

DENIED = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation", "AccessDeniedException")


def tagged(*kinds: str) -> Any:  # noqa: ANN401 # boto3's plain documents
    """Return tag specifications of these kinds."""
    return [{"ResourceType": kind, "Tags": TAGS} for kind in kinds]


@dataclass(slots=True)
class Bake:
    """One bake's calls over one interface; each is a step, in the plugin's order."""

    aws: RecordedAws
    interface: SshInterface
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    group: str = ""
    instance: str = ""
    image: str = ""
    snapshots: tuple[str, ...] = ()

    def steps(self) -> Iterator[Callable[[], object]]:
        """Yield the steps."""
        yield self.look
        yield self.make_key_and_group
        if self.interface is SshInterface.SESSION_MANAGER:
            yield self.make_profile
        yield self.launch
        yield self.make_image
        yield self.finish_image
        yield self.give_up_image
        yield self.take_away
        if self.interface is SshInterface.SESSION_MANAGER:
            yield self.remove_profile

    @property
    def name(self) -> str:
        """The temporary things' name."""
        return f"packer-{self.run}"

    def look(self) -> None:
        """Look at what is there."""
        for what in ("Regions", "Subnets", "Images", "KeyPairs", "Instances", "SecurityGroups"):
            owner = {"Owners": ["self"]} if what == "Images" else {}
            getattr(self.aws.ec2, xform_name(f"Describe{what}"))(**owner)
        self.aws.ec2.describe_volumes()

    def make_key_and_group(self) -> None:
        """Make the temporary key pair and security group."""
        ec2 = self.aws.ec2
        ec2.create_key_pair(KeyName=self.name, TagSpecifications=tagged("key-pair"))
        vpc = ec2.describe_subnets()["Subnets"][0]["VpcId"]
        self.group = ec2.create_security_group(
            GroupName=self.name,
            Description="x",
            VpcId=vpc,
            TagSpecifications=tagged("security-group"),
        )["GroupId"]
        ec2.authorize_security_group_ingress(
            GroupId=self.group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8"
        )

    def make_profile(self) -> None:
        """Make the temporary role and profile, and try a launch with it."""
        iam: Any = self.aws.iam
        iam.create_instance_profile(InstanceProfileName=self.name, Tags=TAGS)
        iam.get_instance_profile(InstanceProfileName=self.name)
        iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=TRUST, Tags=TAGS)
        iam.get_role(RoleName=self.name)
        may = {"Effect": "Allow", "Action": "ssmmessages:OpenDataChannel", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [may]}
        iam.put_role_policy(
            RoleName=self.name, PolicyName=self.name, PolicyDocument=json.dumps(document)
        )
        iam.add_role_to_instance_profile(InstanceProfileName=self.name, RoleName=self.name)

    def launch(self) -> None:
        """Launch the builder."""
        profile: Any = (
            {"IamInstanceProfile": {"Name": self.name}}
            if self.interface is SshInterface.SESSION_MANAGER
            else {}
        )
        run = self.aws.ec2.run_instances(
            ImageId=IMAGE.id,
            InstanceType="t3.small",
            MinCount=1,
            MaxCount=1,
            KeyName=self.name,
            SecurityGroupIds=[self.group],
            TagSpecifications=tagged("instance", "volume", "network-interface"),
            **profile,
        )
        self.instance = run["Instances"][0]["InstanceId"]

    def make_image(self) -> None:
        """Stop the builder, and make an image of it."""
        ec2 = self.aws.ec2
        ec2.stop_instances(InstanceIds=[self.instance])
        self.image = ec2.create_image(
            InstanceId=self.instance, Name=self.run, TagSpecifications=tagged("image", "snapshot")
        )["ImageId"]
        disks = ec2.describe_images(ImageIds=[self.image])["Images"][0]["BlockDeviceMappings"]
        self.snapshots = tuple(each["Ebs"]["SnapshotId"] for each in disks)

    def finish_image(self) -> None:
        """Set its deprecation and tags."""
        ec2 = self.aws.ec2
        description: Any = {"Value": "s3-event-worker"}
        ec2.modify_image_attribute(ImageId=self.image, Description=description)
        ec2.create_tags(Resources=[self.image, *self.snapshots], Tags=TAGS)
        ec2.enable_image_deprecation(ImageId=self.image, DeprecateAt="2030-01-01T00:00:00Z")

    def give_up_image(self) -> None:
        """Take the image away again, as after a failure."""
        self.aws.ec2.deregister_image(ImageId=self.image)
        for each in self.snapshots:
            self.aws.ec2.delete_snapshot(SnapshotId=each)

    def take_away(self) -> None:
        """Take away the builder and what was made beside it."""
        ec2 = self.aws.ec2
        ec2.terminate_instances(InstanceIds=[self.instance])
        ec2.delete_security_group(GroupId=self.group)
        ec2.delete_key_pair(KeyName=self.name)

    def remove_profile(self) -> None:
        """Take away the temporary role and profile."""
        iam, name = self.aws.iam, self.name
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
        iam.delete_role_policy(RoleName=name, PolicyName=name)
        iam.delete_role(RoleName=name)
        iam.delete_instance_profile(InstanceProfileName=name)

    def first_failure(self) -> str | None:
        """Take every step; say which one failed first and how, None if none did."""
        for step in self.steps():
            try:
                step()
            except ClientError as error:
                return f"{step.__name__}: {error}"
        return None


@contextmanager
def a_bake(
    region: EmbeddedAws, aws: RecordedAws, interface: SshInterface, document: Json
) -> Iterator[Bake]:
    """Give a bake that acts in a role of this one policy."""
    name = f"packers-{uuid.uuid4().hex[:10]}"
    role = aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    aws.iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(document))
    region.accesses.clear()
    acting = RecordedAws(region, role)
    with region.enforcing_iam():
        yield Bake(acting, interface)
    acting.close()


def actions(document: Json) -> list[tuple[str, str]]:
    """Return each action with its statement's Sid."""
    assert isinstance(document, dict)
    found: list[tuple[str, str]] = []
    for statement in document["Statement"]:
        listed = statement["Action"]
        some = listed if isinstance(listed, list) else [listed]
        found += [(statement["Sid"], action) for action in some]
    return found


def without(document: Json, sid: str, action: str) -> Json:
    """Return the document without one action of one statement."""
    assert isinstance(document, dict)
    kept = []
    for statement in document["Statement"]:
        left = [
            each for of, each in actions({"Statement": [statement]}) if (of, each) != (sid, action)
        ]
        kept += [{**statement, "Action": left}] if left else []
    return policy_of(*kept)


@pytest.mark.parametrize("interface", OVER)
def test_a_bake_can_do_all_it_does(
    region: EmbeddedAws, aws: RecordedAws, interface: SshInterface
) -> None:
    """Over each interface, and nothing is denied; what a bake leaves idle is said."""
    document = packer_policy(a_blueprint(STACK), interface)
    with a_bake(region, aws, interface, document) as bake:
        assert bake.first_failure() is None
    assert denied(region) == []
    idle = {action for _, action in actions(document)} - {each.action for each in region.accesses}
    assert idle <= NOT_IN_A_BAKE


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("sid", "action"),
    [
        pytest.param(sid, action, id=f"{sid}-{action}")
        for sid, action in actions(packer_policy(a_blueprint(STACK), OVER[0]))
        if action not in NOT_IN_A_BAKE
    ],
)
def test_without_one_action_a_step_of_a_bake_fails(
    region: EmbeddedAws, aws: RecordedAws, sid: str, action: str
) -> None:
    """No action of any statement is there for nothing, and it is this one that was denied."""
    document = without(packer_policy(a_blueprint(STACK), OVER[0]), sid, action)
    with a_bake(region, aws, OVER[0], document) as bake:
        failed = bake.first_failure()
    print(f"without {action} of {sid}: {failed}")
    assert failed is not None
    assert action in {each.partition(" ")[0] for each in denied(region)}


@pytest.mark.parametrize("interface", OVER)
def test_a_bake_touches_nothing_that_is_not_its_own(
    region: EmbeddedAws, aws: RecordedAws, interface: SshInterface
) -> None:
    """Whatever lacks the stack's tag, and any role that is not temporary."""
    run = aws.ec2.run_instances(ImageId=IMAGE.id, MinCount=1, MaxCount=1, InstanceType="t3.small")
    other = run["Instances"][0]["InstanceId"]
    name = uuid.uuid4().hex[:10]
    image = aws.ec2.create_image(InstanceId=other, Name=name)["ImageId"]
    mine: Any = TAGS
    with a_bake(region, aws, interface, packer_policy(a_blueprint(STACK), interface)) as bake:
        ec2, iam = bake.aws.ec2, bake.aws.iam
        calls: list[Callable[[], object]] = [
            lambda: ec2.terminate_instances(InstanceIds=[other]),
            lambda: ec2.create_image(InstanceId=other, Name=f"{name}-2"),
            lambda: ec2.deregister_image(ImageId=image),
            lambda: ec2.create_tags(Resources=[other], Tags=mine),
            lambda: ec2.create_key_pair(KeyName=name),
            lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST),
            lambda: iam.delete_role(RoleName=f"{STACK}-worker"),
        ]
        for call in calls:
            with pytest.raises(ClientError) as caught:
                call()
            assert caught.value.response["Error"]["Code"] in DENIED
