"""One instance of a group: from its template, in a zone, of a type and a market to be had."""

import math
from dataclasses import dataclass
from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

from worker.demo.embedded.autoscaling.activities import FAILED
from worker.demo.embedded.autoscaling.fleet import Fleet, Member, Source
from worker.demo.embedded.ec2.machines import GROUP_TAG, Launch
from worker.demo.embedded.patches import Moto

RETRY_SECONDS: Final = 30
"""How long a group rests after a launch that failed; AWS rests longer and longer."""
_FAILED: Final = "Launching EC2 instance failed."


class LaunchError(Exception):
    """EC2 would refuse this launch; the text is the activity's StatusMessage."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to launch."""

    zone: str
    subnet_id: str | None


def launch(fleet: Fleet, source: Source, cause: str) -> bool:
    """Launch one instance in the emptiest zone that takes it; say whether it worked.

    Rule 35: a launch that fails is told by DescribeScalingActivities only, one Failed activity for
    each zone that was tried.
    """
    for place in _places(fleet):
        try:
            member = _launch_in(fleet, source, place, cause)
        except (LaunchError, ServiceException) as error:
            text = getattr(error, "message", None) or str(error)
            said = "Launching a new EC2 instance.  Status Reason: " + f"{text} {_FAILED}"
            failed = fleet.note(said, cause, place.subnet_id, place.zone)
            failed.end(fleet.now, FAILED, f"{text} {_FAILED}"[:255])
        else:
            fleet.members.append(member)
            fleet.layer.machines.launched(Launch.of(member.instance))
            return True
    fleet.retry_at = fleet.now + RETRY_SECONDS
    return False


def _places(fleet: Fleet) -> list[Place]:
    """List the group's subnets (or zones), those with the fewest members first."""
    group = fleet.group
    zones = [each.availability_zone for each in fleet.capacity]
    if not group.vpc_zone_identifier:
        return sorted(
            (Place(zone, None) for zone in group.availability_zones),
            key=lambda place: zones.count(place.zone),
        )
    subnets = [each.strip() for each in group.vpc_zone_identifier.split(",")]
    found = [group.ec2_backend.get_subnet(each) for each in subnets]
    places = [Place(each.availability_zone, each.id) for each in found]
    return sorted(places, key=lambda place: zones.count(place.zone))


def _launch_in(fleet: Fleet, source: Source, place: Place, cause: str) -> Member:
    ec2 = fleet.group.ec2_backend
    named, data = resolve(fleet.group, source)
    spot = _is_spot(fleet, source)
    wanted = _types(source, data.get("InstanceType"))
    image_id = data.get("ImageId")
    type_name = _fitting(ec2, image_id, wanted, place.zone)
    reservation = ec2.run_instances(
        image_id,
        1,
        None,
        [],
        instance_type=type_name,
        is_instance_type_default=False,
        placement=place.zone,
        region_name=fleet.group.region,
        subnet_id=place.subnet_id,
        tags={"instance": {**fleet.group.get_propagated_tags(), GROUP_TAG: fleet.group.name}},
        launch_template={k: v for k, v in named.items() if k != "LaunchTemplateName"},
        **({"instance_market_options": "spot"} if spot else {}),
        **({} if named else {"launch_config": fleet.group.launch_config}),
    )
    instance = reservation.instances[0]
    instance.autoscaling_group = fleet.group
    told = f"Launching a new EC2 instance: {instance.id}"
    return Member(
        instance=instance,
        auto_scaling_group=fleet.group,
        launch_template=named or None,
        born=fleet.now,
        activity=fleet.note(told, cause, place.subnet_id, place.zone),
        protected_from_scale_in=bool(fleet.group.new_instances_protected_from_scale_in),
    )


def resolve(group: Moto, source: Source) -> tuple[dict[str, str], dict[str, Any]]:
    """Find the template's version: how it is recorded (with its number), and what it says.

    Empty, and the launch configuration's word, for a group that has no template. Raises moto's
    ServiceException if there is no such template or version.
    """
    if source.template is None:
        config = group.launch_config
        return {}, {"ImageId": config.image_id, "InstanceType": config.instance_type}
    ec2 = group.ec2_backend
    if template_id := source.template.get("LaunchTemplateId"):
        template = ec2.get_launch_template(template_id)
    else:
        template = ec2.get_launch_template_by_name(source.template["LaunchTemplateName"])
    version = template.get_version(source.template.get("Version") or "$Default")
    named = {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": str(version.number),
    }
    return named, version.data


def _types(source: Source, own: str | None) -> list[str]:
    """List the types to try: a mixed policy's in their order, else the template's."""
    overrides = (source.mixed or {}).get("LaunchTemplate", {}).get("Overrides") or []
    listed = [each["InstanceType"] for each in overrides if each.get("InstanceType")]
    return listed or [own or ""]


def _is_spot(fleet: Fleet, source: Source) -> bool:
    """Say whether the next instance of a mixed policy is a spot one.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html
    """
    if source.mixed is None:
        return False
    said = source.mixed.get("InstancesDistribution") or {}
    base = int(said.get("OnDemandBaseCapacity") or 0)
    percent = said.get("OnDemandPercentageAboveBaseCapacity")
    above = 100 if percent is None else int(percent)
    total = len(fleet.capacity) + 1
    wanted = min(total, base + math.ceil(max(0, total - base) * above / 100))
    on_demand = sum(each.instance.lifecycle != "spot" for each in fleet.capacity)
    return bool(on_demand >= wanted)


def _fitting(ec2: Moto, image_id: str | None, types: list[str], zone: str) -> str:
    """Choose the first type that fits image and zone. Raises LaunchError with the last reason."""
    image = ec2.amis.get(image_id)
    if image is None:
        raise LaunchError(f"The image id '[{image_id}]' does not exist.")
    if image.state != "available":
        raise LaunchError(f"The image ID '{image_id}' is not available.")
    reason = ""
    for each in types:
        reason = _misfit(ec2, image, each, zone)
        if not reason:
            return each
    raise LaunchError(reason)


def _misfit(ec2: Moto, image: Moto, type_name: str, zone: str) -> str:
    if type_name not in INSTANCE_TYPES:
        return f"Invalid value '{type_name}' for InstanceType."
    offered = INSTANCE_TYPE_OFFERINGS["availability-zone"].get(ec2.region_name, [])
    if not any((o["InstanceType"], o["Location"]) == (type_name, zone) for o in offered):
        return (
            f"Your requested instance type ({type_name}) is not supported in your requested"
            f" Availability Zone ({zone})."
        )
    known = INSTANCE_TYPES[type_name]["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in known:
        return (
            f"The architecture '{','.join(known)}' of the specified instance type does not match"
            f" the architecture '{image.architecture}' of the specified AMI."
        )
    return ""
