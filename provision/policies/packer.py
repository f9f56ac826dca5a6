"""What whoever bakes may do: what Packer's amazon-ebs builder calls for our template. Pure.

The builder and all that is made beside it carry the stack's tag, as `provision ami bake` has it. In
China and GovCloud the plugin tags things after their making, so more would be needed there.
packer/README.md counts the calls; source: step_*.go of packer-plugin-amazon 1.8.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from provision.core.resource import OWNER_TAG, Json
from provision.policies.grants import Grant, policy_document
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

PACKER: Final = ("Packer",)
TEMPORARY: Final = "packer-*"
"""Role and profile that the plugin makes for one bake have a name of their own behind it."""


class SshInterface(StrEnum):
    """How the builder is reached: the template's variable `ssh_interface`."""

    SESSION_MANAGER = "session_manager"
    PUBLIC_IP = "public_ip"
    PRIVATE_IP = "private_ip"


def packer_policy(blueprint: Blueprint, interface: SshInterface) -> Json:
    """Return the document for a bake over this interface."""
    return policy_document(packer_grants(blueprint, interface))


def packer_grants(blueprint: Blueprint, interface: SshInterface) -> Iterator[Grant]:
    """Yield what the builder's steps call, in their order."""
    names = blueprint.names
    yield _look()
    yield from _made_for_the_bake(names)
    yield from _launch(names)
    yield from _builder(names)
    yield from _image(names)
    yield _tags(names)
    if interface is SshInterface.SESSION_MANAGER:
        yield from _session(names)
        yield from _temporary_profile(names)


def _look() -> Grant:
    described = (
        "Images",
        "Instances",
        "InstanceTypeOfferings",
        "KeyPairs",
        "Regions",
        "SecurityGroups",
        "Snapshots",
        "Subnets",
        "Volumes",
        "Vpcs",
    )
    return _grant("Look", [f"ec2:Describe{each}" for each in described], "*")


def _made_for_the_bake(names: Names) -> Iterator[Grant]:
    """Yield the temporary key pair and security group, which go with the builder."""
    key, group = names.arn("ec2", "key-pair/*"), names.arn("ec2", "security-group/*")
    make = ["ec2:CreateKeyPair", "ec2:CreateSecurityGroup"]
    yield _grant("New", make, key, group, when=_tagged_anew(names))
    yield _grant("InVpc", ["ec2:CreateSecurityGroup"], names.arn("ec2", "vpc/*"))
    yield _grant(
        "RemoveNew",
        ["ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:DeleteKeyPair"],
        key,
        group,
        when=_ours(names),
    )


def _launch(names: Names) -> Iterator[Grant]:
    """Yield the launch; instances cannot be told by tags here: the plugin's trial has none.

    With a temporary profile it first asks EC2, by a dry run without tags, whether it knows it.
    """
    kinds = ("instance", "volume", "network-interface", "subnet", "security-group", "key-pair")
    resources = [names.arn("ec2", f"{kind}/*") for kind in kinds]
    yield _grant("Launch", ["ec2:RunInstances"], *resources, *_stored(names))


def _builder(names: Names) -> Iterator[Grant]:
    yield _grant(
        "Builder",
        ["ec2:StopInstances", "ec2:TerminateInstances", "ec2:ModifyInstanceAttribute"],
        names.arn("ec2", "instance/*"),
        when=_ours(names),
    )
    yield _grant("LeftOver", ["ec2:DeleteVolume"], names.arn("ec2", "volume/*"), when=_ours(names))


def _image(names: Names) -> Iterator[Grant]:
    make = ["ec2:CreateImage"]
    yield _grant("ImageOf", make, names.arn("ec2", "instance/*"), when=_ours(names))
    yield _grant("NewImage", make, *_stored(names), when=_tagged_anew(names))
    yield _grant(
        "Image",
        [
            "ec2:ModifyImageAttribute",
            "ec2:EnableImageDeprecation",
            "ec2:DeregisterImage",
            "ec2:DeleteSnapshot",
        ],
        *_stored(names),
        when=_ours(names),
    )
    yield _grant("TagImage", ["ec2:CreateTags"], *_stored(names), when=_ours(names))


def _tags(names: Names) -> Grant:
    kinds = ("instance", "volume", "network-interface", "security-group", "key-pair")
    makers: list[Json] = ["CreateImage", "CreateKeyPair", "CreateSecurityGroup", "RunInstances"]
    requested: Json = {f"aws:RequestTag/{OWNER_TAG}": names.stack, "ec2:CreateAction": makers}
    resources = [names.arn("ec2", f"{kind}/*") for kind in kinds]
    return _grant(
        "TagNew", ["ec2:CreateTags"], *resources, *_stored(names), when={"StringEquals": requested}
    )


def _session(names: Names) -> Iterator[Grant]:
    """Yield a port of the builder, forwarded by Session Manager; whoever began may end it."""
    start = ["ssm:StartSession"]
    ours: dict[str, Json] = {"StringEquals": {f"ssm:resourceTag/{OWNER_TAG}": names.stack}}
    yield _grant("SessionTo", start, names.arn("ec2", "instance/*"), when=ours)
    document = f"arn:{names.partition}:ssm:{names.region}::document"
    yield _grant("SessionBy", start, f"{document}/AWS-StartPortForwardingSession")
    own = names.arn("ssm", "session/${aws:userid}-*")
    yield _grant("EndSession", ["ssm:TerminateSession"], own)


def _temporary_profile(names: Names) -> Iterator[Grant]:
    """Yield a role for the bake's length; it can be given to EC2 alone."""
    role = names.role_arn(TEMPORARY)
    calls = (
        "CreateRole",
        "GetRole",
        "TagRole",
        "PutRolePolicy",
        "DeleteRolePolicy",
        "DeleteRole",
        "CreateInstanceProfile",
        "GetInstanceProfile",
        "TagInstanceProfile",
        "AddRoleToInstanceProfile",
        "RemoveRoleFromInstanceProfile",
        "DeleteInstanceProfile",
    )
    profile = role.replace(":role/", ":instance-profile/")
    yield _grant("TemporaryProfile", [f"iam:{each}" for each in calls], role, profile)
    to_ec2: dict[str, Json] = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    yield _grant("PassTemporary", ["iam:PassRole"], role, when=to_ec2)


def _grant(
    sid: str, actions: list[str], *resources: str, when: dict[str, Json] | None = None
) -> Grant:
    return Grant(sid, dict.fromkeys(actions, PACKER), resources, when or {})


def _stored(names: Names) -> tuple[str, str]:
    """Return the ARNs of images and snapshots, which name no account."""
    place = f"arn:{names.partition}:ec2:{names.region}:"
    return f"{place}:image/*", f"{place}:snapshot/*"


def _ours(names: Names) -> dict[str, Json]:
    return {"StringEquals": {f"aws:ResourceTag/{OWNER_TAG}": names.stack}}


def _tagged_anew(names: Names) -> dict[str, Json]:
    return {"StringEquals": {f"aws:RequestTag/{OWNER_TAG}": names.stack}}
