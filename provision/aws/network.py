"""Where instances may run: subnets that offer the instance type, one a zone."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from provision.aws.calls import unless_gone
from provision.spec.blueprint import Network
from provision.spec.stack import Instances

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

NO_SUCH_TYPE = ("InvalidInstanceType",)
SUBNET_GONE_CODES = ("InvalidSubnetID.NotFound", "InvalidSubnet.NotFound")


def find_network(ec2: "EC2Client", instances: Instances) -> Network | None:
    """Return the named subnets, or the default VPC's in the first zones that offer the type.

    None: there is no such network; the preflight says why. Raises ClientError.
    """
    if instances.subnets:
        return _named(ec2, instances.subnets)
    vpc = default_vpc(ec2)
    if vpc is None:
        return None
    offering = zones_offering(ec2, instances.type)
    pages = ec2.get_paginator("describe_subnets").paginate(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "default-for-az", "Values": ["true"]},
        ]
    )
    found = _by_zone(subnet for page in pages for subnet in page["Subnets"])
    chosen = [(subnet, zone) for subnet, zone in found.items() if zone in offering]
    return Network(vpc, dict(chosen[: instances.zones])) if chosen else None


def default_vpc(ec2: "EC2Client") -> str | None:
    """Return the default VPC's id; an account may have none (rule 35)."""
    found = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return found[0]["VpcId"] if found else None


def zones_offering(ec2: "EC2Client", instance_type: str) -> frozenset[str]:
    """Return the zones of the region that offer the type; not all do (rule 35)."""
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": [instance_type]}],
    )
    return frozenset(each["Location"] for page in pages for each in page["InstanceTypeOfferings"])


def architectures_of(ec2: "EC2Client", instance_type: str) -> tuple[str, ...]:
    """Return what an instance type runs, such as x86_64; empty if there is no such type."""
    names: Any = [instance_type]  # the stubs name the types; AWS has more of them every month
    answer = unless_gone(lambda: ec2.describe_instance_types(InstanceTypes=names), NO_SUCH_TYPE)
    found = answer["InstanceTypes"] if answer else []
    return tuple(found[0]["ProcessorInfo"]["SupportedArchitectures"]) if found else ()


def _named(ec2: "EC2Client", subnets: tuple[str, ...]) -> Network | None:
    answer = unless_gone(lambda: ec2.describe_subnets(SubnetIds=list(subnets)), SUBNET_GONE_CODES)
    found = answer["Subnets"] if answer else []
    return Network(found[0]["VpcId"], _by_zone(found)) if found else None


def _by_zone(subnets: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    pairs = sorted((each["AvailabilityZone"], each["SubnetId"]) for each in subnets)
    return {subnet: zone for zone, subnet in pairs}
