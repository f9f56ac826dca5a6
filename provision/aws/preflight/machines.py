"""What EC2 says about types, zones, subnets, groups and the AMI that the stack file leads to."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from provision.aws.calls import code_of, unless_gone
from provision.aws.images import LATEST, image_of
from provision.aws.network import (
    SUBNET_GONE_CODES,
    architectures_of,
    default_vpc,
    zones_offering,
)
from provision.core.image import StackImage
from provision.core.preflight.machines import Ami, MachineFacts, Subnet
from provision.spec.blueprint import Blueprint
from provision.spec.stack import Instances

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from provision.aws.session import Aws

NO_SUCH_KEY_PAIR: Final = ("InvalidKeyPair.NotFound",)
SCALING_ROLE: Final = "AWSServiceRoleForAutoScaling"
CUSTOMER: Final = "CUSTOMER"


def machine_facts(aws: "Aws", blueprint: Blueprint) -> MachineFacts:
    """Ask EC2 about everything that the stack file names. Raises ClientError."""
    ec2, instances = aws.ec2, blueprint.stack.instances
    names = tuple(dict.fromkeys((instances.type, *instances.spot_types)))
    return MachineFacts(
        types={each: architectures_of(ec2, each) for each in names},
        offering=zones_offering(ec2, instances.type),
        default_vpc=None if instances.subnets else default_vpc(ec2),
        subnets=_subnets(ec2, instances),
        groups=_groups(ec2, instances),
        has_key_pair=_has_key_pair(ec2, instances.key_pair),
        ami=_ami(aws, blueprint),
        desired=_desired(aws, blueprint.names.group),
    )


def _subnets(ec2: "EC2Client", instances: Instances) -> dict[str, Subnet]:
    """Return the named subnets, each asked for by itself, or the default VPC's."""
    if not instances.subnets:
        defaults = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
        return {each["SubnetId"]: _subnet(each) for each in defaults["Subnets"]}
    found = {}
    for name in instances.subnets:
        answer = unless_gone(partial(ec2.describe_subnets, SubnetIds=[name]), SUBNET_GONE_CODES)
        if answer and answer["Subnets"]:
            found[name] = _subnet(answer["Subnets"][0])
    return found


def _subnet(subnet: Mapping[str, Any]) -> Subnet:
    public = bool(subnet.get("MapPublicIpOnLaunch"))
    return Subnet(subnet["AvailabilityZone"], subnet["VpcId"], public)


def _groups(ec2: "EC2Client", instances: Instances) -> dict[str, str]:
    if not instances.security_groups:
        return {}
    answer = ec2.describe_security_groups(
        Filters=[{"Name": "group-id", "Values": list(instances.security_groups)}]
    )
    return {each["GroupId"]: each["VpcId"] for each in answer["SecurityGroups"]}


def _has_key_pair(ec2: "EC2Client", name: str) -> bool:
    if not name:
        return True
    found = unless_gone(lambda: ec2.describe_key_pairs(KeyNames=[name]), NO_SUCH_KEY_PAIR)
    return found is not None


def _ami(aws: "Aws", blueprint: Blueprint) -> Ami | None:
    """Return the image that is, or would be, launched; None: `latest`, and there is none."""
    wanted = blueprint.stack.instances.ami
    if blueprint.image is None:
        if wanted == LATEST:
            return None
        named = image_of(aws.ec2, wanted)
        return Ami(wanted, named.state if named else "missing")
    found = image_of(aws.ec2, blueprint.image.id)
    if found is None:
        return Ami(blueprint.image.id, "missing")
    key, granted = _key(aws, found)
    return Ami(found.image.id, found.state, found.image.architecture, key, granted)


def _key(aws: "Aws", image: StackImage) -> tuple[str, bool]:
    """Return the customer key that the image is under, and whether Auto Scaling may use it."""
    if not image.snapshots:
        return "", True
    try:
        [snapshot, *_] = aws.ec2.describe_snapshots(SnapshotIds=[*image.snapshots])["Snapshots"]
        key = snapshot.get("KmsKeyId", "")
        if not key or _manager(aws, key) != CUSTOMER:
            return "", True
        pages = aws.kms.get_paginator("list_grants").paginate(KeyId=key)
        grants = [each for page in pages for each in page["Grants"]]
        policy = aws.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    except ClientError as error:
        if code_of(error).startswith(("AccessDenied", "UnauthorizedOperation", "InvalidSnapshot")):
            return "", True  # it is another's key, or another's snapshot: it cannot be told
        raise
    granted = any(SCALING_ROLE in each.get("GranteePrincipal", "") for each in grants)
    return key, granted or SCALING_ROLE in policy


def _manager(aws: "Aws", key: str) -> str:
    return str(aws.kms.describe_key(KeyId=key)["KeyMetadata"].get("KeyManager", ""))


def _desired(aws: "Aws", group: str) -> int:
    found = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    groups = found["AutoScalingGroups"]
    return groups[0]["DesiredCapacity"] if groups else 0
