"""The instances' own security group: nothing comes in, and only TLS goes out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from provision.core.plan import Intention
from provision.core.resource import (
    OWNER_TAG,
    Change,
    Found,
    Json,
    Key,
    Property,
    Wanted,
    found_with_tags,
    plain_tags,
    tag_list,
    tag_properties,
    tags_of,
)
from provision.spec.blueprint import Blueprint, Network

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef, SecurityGroupTypeDef

KIND: Final = "security-group"

INGRESS: Final = "Ingress"
EGRESS: Final = "Egress"
TLS_OUT: Final = ("tcp 443 0.0.0.0/0", "tcp 443 ::/0")
"""All that AWS's endpoints ask for; the VPC's resolver, clock and metadata need no rule.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
"""

DESCRIPTION: Final = "s3-event-worker: nothing in, TLS out"

_SOURCES: Final = (
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId"),
)


NO_NETWORK: Final = "a network: `provision apply` says what is wrong with it"


def intention(blueprint: Blueprint) -> Intention:
    """Return what is wanted: the group, or none where the stack file names others."""
    key = Key(KIND, blueprint.names.security_group)
    if blueprint.stack.instances.security_groups:
        return Intention(key, None)
    if blueprint.network is None:
        return Intention(key, None, waits_for=NO_NETWORK)
    return Intention(key, worker_security_group(blueprint, blueprint.network))


def worker_security_group(blueprint: Blueprint, network: Network) -> Wanted:
    """Return the instances' own group."""
    return Wanted(
        Key(KIND, blueprint.names.security_group),
        (
            Property(INGRESS, [], "nobody logs in: sessions go through Systems Manager"),
            Property(EGRESS, list(TLS_OUT), "AWS's endpoints speak TLS"),
            Property("VpcId", network.vpc_id, "a group stays in its VPC", fixed=True),
            *tag_properties(blueprint.tags),
        ),
    )


class SecurityGroupProvider:
    """Security groups by name. Rules are texts: protocol, ports, who.

    EC2's names are unique in a VPC alone: it is the stack's own group wherever it is, else the one
    in the stack's VPC.
    """

    def __init__(self, ec2: "EC2Client", blueprint: Blueprint) -> None:
        self._ec2 = ec2
        self._stack = blueprint.stack.name
        self._vpc_id = blueprint.network.vpc_id if blueprint.network else ""

    def observe(self, key: Key) -> Found | None:
        """Return the group's rules and tags."""
        group = self._find(key.name)
        if group is None:
            return None
        properties: dict[str, Json] = {
            "VpcId": group["VpcId"],
            INGRESS: rules_of(group.get("IpPermissions", [])),
            EGRESS: rules_of(group.get("IpPermissionsEgress", [])),
        }
        tags = plain_tags(group.get("Tags", []))
        return found_with_tags(properties, tags)

    def create(self, wanted: Wanted) -> None:
        """Create the group with its tags; EC2 lets all out at first, which is then narrowed."""
        tags = tags_of(wanted.values())
        self._ec2.create_security_group(
            GroupName=wanted.key.name,
            Description=DESCRIPTION,
            VpcId=self._vpc_id,
            TagSpecifications=[
                {
                    "ResourceType": "security-group",
                    "Tags": tag_list(tags),
                }
            ],
        )
        self._set_egress(wanted)

    def update(self, wanted: Wanted, changes: Sequence[Change]) -> None:
        """Take away rules that are too many, add those that are missing; set tags."""
        changed = {each.name: each.after for each in changes}
        group = self._find(wanted.key.name)
        if group is None:
            return
        if INGRESS in changed:
            self._ec2.revoke_security_group_ingress(
                GroupId=group["GroupId"], IpPermissions=group["IpPermissions"]
            )
        if EGRESS in changed:
            self._set_egress(wanted)
        if tags := tags_of(changed):
            self._ec2.create_tags(
                Resources=[group["GroupId"]],
                Tags=tag_list(tags),
            )

    def delete(self, key: Key) -> None:
        """Delete the group; EC2 refuses while an instance still has it (DependencyViolation)."""
        group = self._find(key.name)
        if group is not None:
            self._ec2.delete_security_group(GroupId=group["GroupId"])

    def id_of(self, name: str) -> str | None:
        """Return the group's id, None if there is no such group."""
        group = self._find(name)
        return group["GroupId"] if group else None

    def _find(self, name: str) -> "SecurityGroupTypeDef | None":
        answer = self._ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": [name]}]
        )
        found = answer["SecurityGroups"]
        ours = [each for each in found if self._is_ours(each)]
        here = [each for each in found if each["VpcId"] == self._vpc_id]
        return next(iter(ours + here), None)

    def _is_ours(self, group: "SecurityGroupTypeDef") -> bool:
        return {"Key": OWNER_TAG, "Value": self._stack} in group.get("Tags", [])

    def _set_egress(self, wanted: Wanted) -> None:
        group = self._find(wanted.key.name)
        if group is None:
            return
        there = group.get("IpPermissionsEgress", [])
        wished = cast("Sequence[str]", wanted.values()[EGRESS])
        surplus = [each for each in there if not set(rules_of([each])) <= set(wished)]
        kept = rules_of([each for each in there if each not in surplus])
        missing = [permission(rule) for rule in wished if rule not in kept]
        if surplus:
            self._ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=surplus)
        if missing:
            self._ec2.authorize_security_group_egress(
                GroupId=group["GroupId"], IpPermissions=missing
            )


def rules_of(permissions: "Iterable[Mapping[str, Any] | IpPermissionTypeDef]") -> list[str]:
    """Return EC2's nested permissions as one sorted text a rule: "tcp 443 0.0.0.0/0"."""
    rules = []
    for each in permissions:
        protocol = "all" if each["IpProtocol"] == "-1" else each["IpProtocol"]
        first, last = each.get("FromPort"), each.get("ToPort")
        ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
        for ranges, member in _SOURCES:
            sources = cast("Mapping[str, Any]", each).get(ranges) or ()
            rules += [f"{protocol}{ports} {source[member]}" for source in sources]
    return sorted(rules)


def permission(rule: str) -> "IpPermissionTypeDef":
    """Return one of our own rules as EC2 wants it."""
    protocol, port, cidr = rule.split(" ")
    ports: IpPermissionTypeDef = {
        "IpProtocol": protocol,
        "FromPort": int(port),
        "ToPort": int(port),
    }
    if ":" in cidr:
        return {**ports, "Ipv6Ranges": [{"CidrIpv6": cidr}]}
    return {**ports, "IpRanges": [{"CidrIp": cidr}]}
