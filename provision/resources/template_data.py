"""A launch template version's data: what is wanted, as EC2 takes it, and back. Pure.

In normal form security groups go by name where they are ours, user data is text, tags are plain.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from provision.core.resource import Json, Property, plain_tags, tag_list
from provision.spec.blueprint import Blueprint, Image
from provision.spec.user_data import user_data

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import RequestLaunchTemplateDataTypeDef

OTHERS: Final = "Others"
"""Whatever else a version holds: nothing, in one of ours."""

TAGGED: Final = ("instance", "volume")
"""Instance tags never reach volumes (rule 36)."""

METADATA_OPTIONS: Final[Json] = {
    "HttpEndpoint": "enabled",
    "HttpPutResponseHopLimit": 1,
    "HttpTokens": "required",
}

METADATA_STATE: Final = "State"
METADATA_DEFAULTS: Final = {"HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "disabled"}
"""Metadata options that EC2 tells besides those that were set: no version differs by them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateInstanceMetadataOptions.html
"""

FINGERPRINT_DIGITS: Final = 12


def template_properties(blueprint: Blueprint, image: Image) -> tuple[Property, ...]:
    """Return what a version of the template holds, and why."""
    instances, names = blueprint.stack.instances, blueprint.names
    tags = {**blueprint.tags, "Name": names.worker_role}
    text = user_data(blueprint)
    return (
        Property("ImageId", image.id, "the AMI that the worker is baked into"),
        Property("InstanceType", instances.type, "as the stack file says"),
        Property("IamInstanceProfile", names.worker_role, "the worker's role"),
        Property(
            "MetadataOptions",
            METADATA_OPTIONS,
            "IMDSv2 alone, and not from within a container (rule 44)",
        ),
        Property("BlockDeviceMappings", _root_volume(blueprint, image), "the root, encrypted"),
        Property("UserData", text, "the worker's settings" if text else "all is baked in"),
        Property("KeyName", instances.key_pair, "sessions go through Systems Manager"),
        Property(
            "SecurityGroups",
            sorted(instances.security_groups) or [names.security_group],
            "nothing comes in",
        ),
        Property("TagSpecifications", dict.fromkeys(TAGGED, tags), "on both kinds (rule 36)"),
        Property(OTHERS, {}, "nothing else is set"),
    )


def _root_volume(blueprint: Blueprint, image: Image) -> Json:
    """Rule 42: the root device has the name that the image says."""
    return {
        image.root_device: {
            "VolumeSize": max(blueprint.stack.instances.root_gib, image.root_gib),
            "VolumeType": "gp3",
            "Encrypted": True,
            "DeleteOnTermination": True,
        }
    }


def values_of(properties: Sequence[Property]) -> dict[str, Json]:
    """Return a version's data in normal form."""
    return {each.name: each.value for each in properties}


def fingerprint(values: Mapping[str, Json]) -> str:
    """Return a short digest of a version's data, the same for the same data."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def readable(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return what tells one version from another: what people know it by, and the fingerprint."""
    return {
        "ImageId": values.get("ImageId"),
        "InstanceType": values.get("InstanceType"),
        "Fingerprint": fingerprint(values),
    }


def request_data(
    values: Mapping[str, Any], group_ids: Mapping[str, str]
) -> "RequestLaunchTemplateDataTypeDef":
    """Return the data as EC2 takes it; `group_ids` resolves names of security groups.

    User data is encoded here: boto3 does not for templates (rule 24). Empty settings are left away.
    """
    data = {
        "ImageId": values["ImageId"],
        "InstanceType": values["InstanceType"],
        "IamInstanceProfile": {"Name": values["IamInstanceProfile"]},
        "MetadataOptions": values["MetadataOptions"],
        "BlockDeviceMappings": [
            {"DeviceName": device, "Ebs": ebs}
            for device, ebs in values["BlockDeviceMappings"].items()
        ],
        "UserData": base64.b64encode(values["UserData"].encode()).decode(),
        "KeyName": values["KeyName"],
        "SecurityGroupIds": [group_ids.get(each, each) for each in values["SecurityGroups"]],
        "TagSpecifications": [
            {
                "ResourceType": kind,
                "Tags": tag_list(tags),
            }
            for kind, tags in values["TagSpecifications"].items()
        ],
    }
    kept = {name: value for name, value in data.items() if value}
    return cast("RequestLaunchTemplateDataTypeDef", kept)


def normal_data(data: Mapping[str, Any], group_ids: Mapping[str, str]) -> dict[str, Json]:
    """Return in normal form what EC2 tells of a version; what we never set stands under Others."""
    left = dict(data)
    names = {group_id: name for name, group_id in group_ids.items()}
    metadata = left.pop("MetadataOptions", {})
    values: dict[str, Json] = {
        "ImageId": left.pop("ImageId", None),
        "InstanceType": left.pop("InstanceType", None),
        "IamInstanceProfile": left.pop("IamInstanceProfile", {}).get("Name"),
        "MetadataOptions": {
            name: value
            for name, value in metadata.items()
            if name != METADATA_STATE and METADATA_DEFAULTS.get(name) != value
        },
        "BlockDeviceMappings": {
            each["DeviceName"]: each.get("Ebs", {}) for each in left.pop("BlockDeviceMappings", [])
        },
        "UserData": base64.b64decode(left.pop("UserData", "")).decode(errors="replace"),
        "KeyName": left.pop("KeyName", ""),
        "SecurityGroups": sorted(
            names.get(each, each) for each in left.pop("SecurityGroupIds", [])
        ),
        "TagSpecifications": {
            each["ResourceType"]: plain_tags(each["Tags"])
            for each in left.pop("TagSpecifications", [])
        },
    }
    return {**values, OTHERS: {name: value for name, value in left.items() if value}}
