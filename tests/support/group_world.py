"""A stack's group in an embedded AWS: its instances as time passes, and AMIs for them."""

from dataclasses import replace
from typing import Any

from provision.aws.images import image_of
from provision.core.resource import OWNER_TAG
from provision.group_rollout import GroupRollout
from provision.resources.launch_template import LaunchTemplateProvider, worker_template
from provision.rollout import Canary, no_canary
from provision.spec.blueprint import Image
from support.provision_world import IMAGE, World
from support.recorded_aws import RecordedAws


class Watched:
    """Lets time pass for a world's runs, and counts its instances in service whenever it does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.counts: list[int] = []
        self.told: list[str] = []

    def pause(self, why: str, seconds: float) -> None:
        """Let time pass by seconds, and count at each; nothing comes or goes while it bakes."""
        self.told.append(why)
        step = seconds if "Baking" in why else 1
        for _ in range(int(seconds / step)):
            self._world.region.clock.advance(step)
            self.counts.append(in_service(self._world))


def instances(world: World) -> list[dict[str, Any]]:
    """Return the group's instances, as Auto Scaling tells of them; none without a group."""
    told: Any = world.aws.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[world.blueprint.names.group]
    )["AutoScalingGroups"]
    return list(told[0]["Instances"]) if told else []


def members(world: World) -> list[str]:
    """Return the lifecycle state of each instance of the group."""
    return [each["LifecycleState"] for each in instances(world)]


def in_service(world: World) -> int:
    """Count the instances in service."""
    return members(world).count("InService")


def settle(world: World) -> World:
    """Apply, and let the first instances come."""
    world.apply()
    world.region.clock.advance(120)
    assert in_service(world) == world.blueprint.sizes.desired
    return world


def an_image(aws: RecordedAws, stack: str, number: int) -> str:
    """Make an AMI of a new instance; it carries the stack's tag."""
    subnet = aws.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    [instance] = aws.ec2.run_instances(
        ImageId=IMAGE.id, MinCount=1, MaxCount=1, InstanceType="t3.small", SubnetId=subnet
    )["Instances"]
    tagged: Any = {"ResourceType": "image", "Tags": [{"Key": OWNER_TAG, "Value": stack}]}
    return aws.ec2.create_image(
        InstanceId=instance["InstanceId"], Name=f"{stack}-{number}", TagSpecifications=[tagged]
    )["ImageId"]


def new_image(world: World, number: int = 1) -> Image:
    """Make an AMI of the stack's, and wait until it is available."""
    image_id = an_image(world.aws, world.stack, number)
    world.region.clock.advance(120)
    return Image(image_id, "x86_64", "/dev/sda1")


def rolling(
    world: World, image: Image, canary: Canary = no_canary
) -> tuple[GroupRollout, int, Watched]:
    """Make a template version with this AMI; return what rolls it out, and who watches."""
    blueprint = replace(world.blueprint, image=image)
    templates = LaunchTemplateProvider(world.aws.ec2, world.aws.autoscaling, blueprint)
    version = templates.create_version(worker_template(blueprint, image))
    templates.make_default(blueprint.names.launch_template, version)
    watched = Watched(world)
    return GroupRollout(world.aws, blueprint, watched.pause, canary), version, watched


def versions(world: World) -> tuple[str, list[str], int]:
    """Return the version of the group, those of its instances, and the template's default."""
    facts = GroupRollout(world.aws, world.blueprint, lambda *_: None).facts()
    [template] = world.aws.ec2.describe_launch_templates(
        LaunchTemplateNames=[world.blueprint.names.launch_template]
    )["LaunchTemplates"]
    members = [each.template_version for each in facts.in_service]
    return facts.template_version, members, template["DefaultVersionNumber"]


def withdrawn(world: World, image: Image) -> bool:
    """Say whether `latest` passes the AMI over."""
    found = image_of(world.aws.ec2, image.id)
    assert found is not None
    return found.withdrawn
