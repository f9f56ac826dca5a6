"""What an EC2 or Auto Scaling request needs to be allowed."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from worker.demo.embedded.iam.asking import Asked
from worker.demo.embedded.iam.needs import (
    ACCOUNT,
    ANY,
    Need,
    arn,
    pass_role,
    plain_tags,
    request_tags,
    resource_tags,
)
from worker.demo.embedded.patches import Moto

_ID: Final = re.compile(r"(ami|eni|i|lt|sg|sgr|snap|subnet|vol|vpc)-[0-9a-f]{8,}")
_KINDS: Final = {
    "ami": "image",
    "eni": "network-interface",
    "i": "instance",
    "lt": "launch-template",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
}
_WITHOUT_ACCOUNT: Final = {"ami", "snap"}
_MADE: Final = {
    "CreateKeyPair": ("key-pair",),
    "CreateImage": ("image", "snapshot"),
    "CreateLaunchTemplate": ("launch-template",),
    "CreateSecurityGroup": ("security-group",),
    "CreateSnapshot": ("snapshot",),
    "CreateVolume": ("volume",),
    "RunInstances": ("instance", "volume", "network-interface"),
}
"""What an operation makes, and needs leave to make."""
_EC2: Final = "ec2.amazonaws.com"


def of_ec2(asked: Asked) -> Iterable[Need]:
    """EC2: each resource that is named or made; tags at the making; the profile's role.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    given, action = asked.parameters, f"ec2:{asked.operation}"
    if asked.operation.startswith(("Describe", "Get")):
        return [Need(action)]
    tags = plain_tags(given.get("Tags"))
    # What only stands in a template is asked for at the launch.
    named = {name: value for name, value in given.items() if name != "LaunchTemplateData"}
    needs = [
        Need(action, _by_id(asked, each), _tags_of(asked, each) | request_tags(tags))
        for each in dict.fromkeys(_ids(named, asked))
    ]
    if (key := given.get("KeyName")) and asked.operation in {"DeleteKeyPair", "RunInstances"}:
        needs.append(Need(action, arn(asked, "ec2", f"key-pair/{key}"), _tags_of_key(asked, key)))
    if asked.operation == "DeregisterImage" and given.get("DeleteAssociatedSnapshots"):
        needs += [
            Need("ec2:DeleteSnapshot", _by_id(asked, each), _tags_of(asked, each))
            for each in _snapshots_of(asked, given["ImageId"])
        ]
    for kind in _MADE.get(asked.operation, ()):
        brought = _specified(given, kind)
        made = _made(asked, kind)
        needs.append(Need(action, made, request_tags(brought)))
        if brought:
            context = request_tags(brought) | {"ec2:CreateAction": asked.operation}
            needs.append(Need("ec2:CreateTags", made, context))
    profiles = [given.get("IamInstanceProfile"), _template_data(asked).get("IamInstanceProfile")]
    for profile in profiles if asked.operation != "CreateLaunchTemplate" else ():
        needs += pass_role(_role_of_profile(profile), _EC2)
    return needs or [Need(action)]


def of_autoscaling(asked: Asked) -> Iterable[Need]:
    """Auto Scaling: by group; what launches needs what the launch needs (rule 6).

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    """
    given, action = asked.parameters, f"autoscaling:{asked.operation}"
    if asked.operation.startswith("Describe"):
        return [Need(action)]
    tags = plain_tags(given.get("Tags"))
    names = {given.get("AutoScalingGroupName"), _group_of(asked)}
    names |= {each.get("ResourceId") for each in given.get("Tags") or []}
    needs = [
        Need(action, _group_arn(asked, name), _group_tags(asked, name) | request_tags(tags))
        for name in sorted(filter(None, names))
    ]
    needs += _of_launch(asked)
    return needs or [Need(action)]


def _of_launch(asked: Asked) -> Iterable[Need]:
    """Ask for what launching a group's template needs: the template, what it makes, its tags."""
    data, run = _template_data(asked), "ec2:RunInstances"
    if not data:
        return
    for each in _ids(asked.parameters, asked):
        if each.startswith("lt-"):
            template = _by_id(asked, each)
            yield Need(run, template, _tags_of(asked, each))
            made = arn(asked, "ec2", "instance/*")
            yield Need(run, made, {"ec2:LaunchTemplate": template})
    yield from pass_role(_role_of_profile(data.get("IamInstanceProfile")), _EC2)
    for kind in ("instance", "volume"):
        if brought := request_tags(_specified(data, kind)):
            context = brought | {"ec2:CreateAction": "RunInstances"}
            yield Need("ec2:CreateTags", arn(asked, "ec2", f"{kind}/*"), context)


# --- EC2's resources ------------------------------------------------------------------------------


def _ids(value: Moto, asked: Asked) -> Iterable[str]:
    """Find every resource that is named anywhere in the parameters, by id or by template name."""
    if isinstance(value, str) and _ID.fullmatch(value):
        yield value
    if isinstance(value, Mapping) and "LaunchTemplateName" in value:
        backend = ec2_backends[ACCOUNT][asked.region]
        found = backend.launch_template_name_to_ids.get(value["LaunchTemplateName"])
        yield from [found] if found else []
    inner = value.values() if isinstance(value, Mapping) else value
    for each in inner if isinstance(value, Mapping | list) else ():
        yield from _ids(each, asked)


def _by_id(asked: Asked, identifier: str) -> str:
    prefix = identifier.split("-", maxsplit=1)[0]
    account = "" if prefix in _WITHOUT_ACCOUNT else ACCOUNT
    return f"arn:aws:ec2:{asked.region}:{account}:{_KINDS[prefix]}/{identifier}"


def _made(asked: Asked, kind: str) -> str:
    account = "" if kind in {"image", "snapshot"} else ACCOUNT
    return f"arn:aws:ec2:{asked.region}:{account}:{kind}/*"


def _tags_of(asked: Asked, identifier: str) -> dict[str, Moto]:
    kept = ec2_backends[ACCOUNT][asked.region].tags
    return resource_tags(dict(kept.get(identifier, {})), "ec2")


def _snapshots_of(asked: Asked, image_id: str) -> list[str]:
    """Name the snapshots of an image; none if there is no such image."""
    image = ec2_backends[ACCOUNT][asked.region].amis.get(image_id)
    disks = image.block_device_mappings if image is not None else []
    return [each["Ebs"]["SnapshotId"] for each in disks if each.get("Ebs", {}).get("SnapshotId")]


def _tags_of_key(asked: Asked, name: str) -> dict[str, Moto]:
    pair = ec2_backends[ACCOUNT][asked.region].key_pairs.get(name)
    return _tags_of(asked, pair.id) if pair is not None else {}


def _specified(given: Mapping[str, Moto], kind: str) -> dict[str, str]:
    """Give the tags that a request brings for one kind of resource."""
    return {
        name: value
        for each in given.get("TagSpecifications") or given.get("TagSpecification") or []
        if each.get("ResourceType") == kind
        for name, value in plain_tags(each.get("Tags")).items()
    }


def _role_of_profile(profile: Moto) -> str:
    """Give the ARN of the role in `{"Name": …}` or `{"Arn": …}`; "" if there is none."""
    name = profile.get("Name") or str(profile.get("Arn", "")).rsplit("/", 1)[-1] if profile else ""
    try:
        found = iam_backends[ACCOUNT]["aws"].get_instance_profile(name) if name else None
    except NotFoundException:
        found = None
    return str(found.roles[0].arn) if found is not None and found.roles else ""


def _template_data(asked: Asked) -> Mapping[str, Moto]:
    """Give the data of the template version that a request launches from; empty if none."""
    given = asked.parameters
    wanted = given.get("DesiredConfiguration") or given
    mixed = (wanted.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    template = wanted.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    if not template or asked.operation.startswith("CreateLaunchTemplate"):
        return {}
    backend = ec2_backends[ACCOUNT][asked.region]
    names = backend.launch_template_name_to_ids
    identifier = template.get("LaunchTemplateId") or names.get(template.get("LaunchTemplateName"))
    if identifier not in backend.launch_templates:
        return {}
    try:
        version = backend.launch_templates[identifier].get_version(
            template.get("Version") or "$Default"
        )
    except (EC2ClientError, ValueError):
        return {}
    data: Mapping[str, Moto] = version.data
    return data


# --- groups ---------------------------------------------------------------------------------------


def _group_of(asked: Asked) -> str | None:
    """Name the group of the instance that a request is about."""
    identifier = asked.parameters.get("InstanceId")
    groups = autoscaling_backends[ACCOUNT][asked.region].autoscaling_groups
    for name, group in list(groups.items()):
        if any(each.instance.id == identifier for each in group.instance_states):
            return str(name)
    return None


def _group_arn(asked: Asked, name: str) -> str:
    group = autoscaling_backends[ACCOUNT][asked.region].autoscaling_groups.get(name)
    made = f"autoScalingGroup:{ANY}:autoScalingGroupName/{name}"
    return str(group.arn) if group is not None else arn(asked, "autoscaling", made)


def _group_tags(asked: Asked, name: str) -> dict[str, Moto]:
    group = autoscaling_backends[ACCOUNT][asked.region].autoscaling_groups.get(name)
    return resource_tags(plain_tags(group.tags) if group is not None else {}, "autoscaling")
