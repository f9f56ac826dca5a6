"""Instances: type, zones, subnets, AMI, and whether they fit together (rules 27, 35, 39). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from provision.core.finding import Finding, failure, ok, warning
from provision.spec.stack import Instances


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet as EC2 tells it."""

    zone: str
    vpc_id: str
    public: bool
    """Whether instances in it get a public address."""


@dataclass(frozen=True, slots=True)
class Ami:
    """The AMI that the stack file leads to; `state` is AWS's word, "missing" if there is none."""

    id: str
    state: str
    architecture: str = ""
    key: str = ""
    """The customer's KMS key that its root snapshot is encrypted under; empty: none of theirs."""
    key_is_granted: bool = True
    """Whether Auto Scaling's own role may use that key."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What EC2 says about everything that the stack file names.

    `types`: each instance type → the architectures it runs, () if there is no such type;
    `offering`: the zones that have the main type; `groups`: security groups → their VPC.
    """

    types: Mapping[str, tuple[str, ...]]
    offering: frozenset[str]
    default_vpc: str | None = None
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    has_key_pair: bool = True
    ami: Ami | None = None
    desired: int = 0
    """What the scaler has set by now; 0 where there is no group."""


def judge_machines(instances: Instances, facts: MachineFacts) -> Iterator[Finding]:
    """Yield what would keep instances from being launched, or rolled out later."""
    yield from _types(instances, facts)
    yield from _network(instances, facts)
    yield from _security(instances, facts)
    yield from _image(instances, facts)
    yield from _sizes(instances, facts)


def _types(instances: Instances, facts: MachineFacts) -> Iterator[Finding]:
    for name in _all_types(instances):
        if not facts.types.get(name):
            hint = "correct `type` or `spot_types` in the stack file"
            yield failure(f"instance type {name}", "this region has none such", hint)


def _all_types(instances: Instances) -> tuple[str, ...]:
    further = instances.spot_types if instances.spot else ()
    return tuple(dict.fromkeys((instances.type, *further)))


def _network(instances: Instances, facts: MachineFacts) -> Iterator[Finding]:
    if instances.subnets:
        yield from _named_subnets(instances, facts)
        return
    if facts.default_vpc is None:
        yield failure(
            "network",
            "this region has no default VPC (rule 35)",
            "name `subnets` in the stack file, or `aws ec2 create-default-vpc`",
        )
        return
    zones = sorted({each.zone for each in facts.subnets.values()} & facts.offering)
    if not zones:
        yield failure(
            "zones",
            f"no zone of the default VPC offers {instances.type} (rule 35)",
            "choose another `type`",
        )
    elif len(zones) < instances.zones:
        detail = f"{instances.type} in {', '.join(zones)} alone, and {instances.zones} are wanted"
        yield warning("zones", detail, "choose another `type`, or fewer `zones`")
    else:
        yield ok("zones", f"{instances.type} in {', '.join(zones[: instances.zones])}")


def _named_subnets(instances: Instances, facts: MachineFacts) -> Iterator[Finding]:
    for name in instances.subnets:
        subnet = facts.subnets.get(name)
        if subnet is None:
            yield failure(f"subnet {name}", "is not there", "correct `subnets`")
        elif subnet.zone not in facts.offering:
            detail = f"its zone {subnet.zone} does not offer {instances.type} (rule 35)"
            yield failure(f"subnet {name}", detail, "choose another `type`, or other `subnets`")
        elif not subnet.public:
            detail = "gives no public address: instances need a NAT gateway, or VPC endpoints"
            yield warning(f"subnet {name}", detail)
    vpcs = {each.vpc_id for each in facts.subnets.values()}
    if len(vpcs) > 1:
        detail = f"they are in {len(vpcs)} VPCs, and a group is in one"
        yield failure("subnets", detail, "name subnets of one VPC")


def _security(instances: Instances, facts: MachineFacts) -> Iterator[Finding]:
    vpcs = {each.vpc_id for each in facts.subnets.values()}
    for name in instances.security_groups:
        vpc = facts.groups.get(name)
        if vpc is None:
            yield failure(f"security group {name}", "is not there", "correct `security_groups`")
        elif vpcs and vpc not in vpcs:
            detail = f"is in {vpc}, and the subnets are not"
            yield failure(f"security group {name}", detail, "correct `security_groups`")
    if instances.key_pair and not facts.has_key_pair:
        yield failure(f"key pair {instances.key_pair}", "is not there", "correct `key_pair`")


def _image(instances: Instances, facts: MachineFacts) -> Iterator[Finding]:
    ami = facts.ami
    if ami is None:
        yield warning(
            "AMI",
            "there is none yet: no instances until there is",
            "`provision ami bake`, then `provision apply` again",
        )
        return
    if ami.state != "available":
        hint = "correct `ami`; `provision ami list` shows those there are"
        yield failure(f"AMI {ami.id}", f"is {ami.state}", hint)
        return
    misfits = [
        name
        for name in _all_types(instances)
        if facts.types.get(name) and ami.architecture not in facts.types[name]
    ]
    for name in misfits:
        told = " or ".join(facts.types[name])
        detail = f"is for {ami.architecture}, and {name} runs {told} (rule 35)"
        yield failure(f"AMI {ami.id}", detail, "bake for the type's architecture, or change `type`")
    if not ami.key_is_granted:
        detail = f"is encrypted under {ami.key}, which Auto Scaling may not use (rule 45)"
        yield failure(f"AMI {ami.id}", detail, _grant_hint(ami.key))
    elif not misfits:
        yield ok(f"AMI {ami.id}", f"available, {ami.architecture}")


def _grant_hint(key: str) -> str:
    return (
        f"`aws kms create-grant --key-id {key} --operations Decrypt Encrypt"
        " GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo CreateGrant DescribeKey"
        " --grantee-principal` the ARN of the role AWSServiceRoleForAutoScaling"
    )


def _sizes(instances: Instances, facts: MachineFacts) -> Iterator[Finding]:
    if facts.desired > instances.maximum:
        detail = (
            f"the scaler wants {facts.desired} instances by now, and `maximum` is"
            f" {instances.maximum}: what is beyond it drains and goes (rule 39)"
        )
        yield warning("sizes", detail, "raise `maximum` if that is not wanted")
    if instances.desired == instances.maximum:
        detail = "`desired` is `maximum`: a rollout has no room for a new instance (rule 27)"
        yield warning("sizes", detail, "set `maximum` to one more")
