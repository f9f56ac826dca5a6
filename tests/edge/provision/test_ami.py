"""Images of instances: made, listed, pruned, and taken away with the stack."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from support.provision_cli import run
from support.provision_world import IMAGE, World
from support.recorded_aws import CutError

from provision.ami_from_instance import ImageMaker, Order
from provision.aws.image_users import image_users
from provision.aws.images import image_of, remove_image, stack_images
from provision.core.resource import OWNER_TAG
from provision.errors import PartialError, RefusedError
from worker.demo.embedded.layer import Delays

DELAYS = replace(Delays.none(), image_seconds=60)
"""Only images take their time."""

Build = Callable[..., World]
HEALING = ["HealthCheck", "ReplaceUnhealthy"]


@dataclass
class Watched:
    """Makes images in a world, and looks at the group whenever it waits."""

    world: World
    interrupt_after: float = 10_000
    said: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    suspended: list[list[str]] = field(default_factory=list)
    waited: float = 0

    def make(self, instance: str, name: str, *, reboot: bool = True, limit: float = 600) -> str:
        """Make an image, and return its id."""
        maker = ImageMaker(self.world.aws, self._pause, self.said.append)
        tags = {OWNER_TAG: self.world.stack}
        return maker.make(Order(instance, name, tags, reboot=reboot, limit_seconds=limit)).id

    def _pause(self, why: str, seconds: float) -> None:
        self.told.append(why)
        self.suspended.append(suspended(self.world))
        self.waited += seconds
        if self.waited > self.interrupt_after:
            raise KeyboardInterrupt
        self.world.region.clock.advance(seconds)


def suspended(world: World) -> list[str]:
    """Return which processes the group has suspended."""
    told = world.aws.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[world.blueprint.names.group]
    )["AutoScalingGroups"]
    return sorted(each["ProcessName"] for each in told[0]["SuspendedProcesses"]) if told else []


def launch(world: World) -> str:
    """Start an instance that belongs to no group."""
    made = world.aws.ec2.run_instances(
        ImageId=IMAGE.id, InstanceType="t3.small", MinCount=1, MaxCount=1
    )
    return made["Instances"][0]["InstanceId"]


def member(world: World) -> str:
    """Stand the stack up, and return its only instance."""
    world.apply()
    told = world.aws.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[world.blueprint.names.group]
    )["AutoScalingGroups"]
    return told[0]["Instances"][0]["InstanceId"]


def made_for(world: World, *names: str) -> list[str]:
    """Make images of one instance; return their ids, the oldest first."""
    instance = launch(world)
    return [Watched(world).make(instance, name, reboot=False) for name in names]


def test_an_image_is_waited_for_and_is_latest_then(world: World) -> None:
    """With the tags in the very call that makes it, image and snapshot; its progress is told."""
    watched = Watched(world)
    with world.aws.recording() as sent:
        made = watched.make(launch(world), f"{world.stack}-1")
    (found,) = stack_images(world.aws.ec2, world.stack)
    assert (found.id, found.state, found.usable) == (made, "available", True)
    (request,) = [each.parameters for each in sent if each.operation == "ec2.CreateImage"]
    tagged = {each["ResourceType"]: each["Tags"] for each in request["TagSpecifications"]}
    ours = [{"Key": OWNER_TAG, "Value": world.stack}]
    assert tagged == {"image": ours, "snapshot": ours}
    assert request["NoReboot"] is False
    assert watched.told[0] == f"{made} is pending, its snapshots 100%"


def test_rule_29_an_image_is_waited_for_longer_than_botocore_would(world: World) -> None:
    """Bounded all the same; the image then goes on by itself, and the error says how to see it."""
    instance = launch(world)
    with pytest.raises(PartialError, match=r"gave up after 30 s: ami-\w+ is pending") as caught:
        Watched(world).make(instance, f"{world.stack}-1", limit=30)
    assert "provision ami list" in caught.value.hint
    world.region.clock.advance(60)
    assert [each.state for each in stack_images(world.aws.ec2, world.stack)] == ["available"]


def test_rule_40_a_member_is_not_replaced_while_it_is_rebooted(world: World) -> None:
    """Suspended before the image is made, resumed when it is there."""
    instance = member(world)
    watched = Watched(world)
    with world.aws.recording() as sent:
        watched.make(instance, f"{world.stack}-1")
    assert watched.suspended
    assert all(each == HEALING for each in watched.suspended)
    assert [each.operation for each in sent if each.writes] == [
        "autoscaling.SuspendProcesses",
        "ec2.CreateImage",
        "autoscaling.ResumeProcesses",
    ]
    assert suspended(world) == []
    assert member(world) == instance


@pytest.mark.parametrize(("limit", "interrupt_after"), [(600, 10), (10, 600)])
def test_rule_40_healing_is_resumed_however_the_waiting_ends(
    world: World, limit: float, interrupt_after: float
) -> None:
    """By Ctrl-C, or by the end of patience; what comes of the image is said."""
    watched = Watched(world, interrupt_after=interrupt_after)
    with pytest.raises(PartialError, match=r"ami-\w+"):
        watched.make(member(world), f"{world.stack}-1", limit=limit)
    assert watched.suspended[0] == HEALING
    assert suspended(world) == []


def test_rule_40_healing_is_resumed_if_it_ends_right_behind_the_suspending(world: World) -> None:
    """AWS has suspended, and nothing else has happened yet."""
    instance = member(world)
    with pytest.raises(CutError), world.aws.cut_after(1):
        Watched(world).make(instance, f"{world.stack}-1")
    assert world.aws.sent[-1].operation == "autoscaling.ResumeProcesses"
    assert suspended(world) == []
    assert stack_images(world.aws.ec2, world.stack) == []


def test_rule_40_what_was_suspended_before_stays_so(world: World) -> None:
    """Somebody's reason for it is none of ours."""
    instance, group = member(world), world.blueprint.names.group
    world.aws.autoscaling.suspend_processes(
        AutoScalingGroupName=group, ScalingProcesses=["AZRebalance", "HealthCheck"]
    )
    watched = Watched(world)
    watched.make(instance, f"{world.stack}-1")
    assert watched.suspended[0] == ["AZRebalance", *HEALING]
    assert suspended(world) == ["AZRebalance", "HealthCheck"]


def test_without_a_reboot_the_group_is_left_alone(world: World) -> None:
    """Nothing stops, so nothing would be replaced."""
    instance = member(world)
    with world.aws.recording() as sent:
        Watched(world).make(instance, f"{world.stack}-1", reboot=False)
    assert [each.operation for each in sent if each.writes] == ["ec2.CreateImage"]
    assert world.aws.parameters_of("ec2.CreateImage")["NoReboot"] is True


@pytest.mark.parametrize(
    ("instance", "name", "why"),
    [
        ("i-0123456789abcdef0", "fine", "i-0123456789abcdef0 is not there"),
        ("", "no", "'no' is not 3 to 128"),
        ("", "taken", "the name 'taken.*' is ami-"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_changed(
    world: World, instance: str, name: str, why: str
) -> None:
    """An instance that is not there, a name that AWS does not take, a name that is taken."""
    if name == "taken":
        name = f"taken-{world.stack}"
        made_for(world, name)
    with world.aws.recording() as sent, pytest.raises(RefusedError, match=why):
        Watched(world).make(instance or launch(world), name)
    assert [each.operation for each in sent if each.writes] in ([], ["ec2.RunInstances"])


def test_everybody_who_names_an_image_is_found(world: World) -> None:
    """Template versions, a launch configuration, a group's override, instances and members."""
    (used,) = made_for(world, f"{world.stack}-1")
    image = image_of(world.aws.ec2, used)
    assert image is not None
    world.blueprint = replace(world.blueprint, image=image.image)
    instance, name = member(world), world.stack
    world.aws.autoscaling.create_launch_configuration(
        LaunchConfigurationName=name, ImageId=used, InstanceType="t3.small"
    )
    try:
        assert image_users(world.aws, {used}) == {
            used: (
                f"instance {instance} of group {world.blueprint.names.group}",
                f"launch configuration {name}",
                f"template {world.blueprint.names.launch_template} 1",
            )
        }
    finally:
        world.aws.autoscaling.delete_launch_configuration(LaunchConfigurationName=name)


def test_rule_43_snapshots_go_with_their_image_and_gone_is_fine(world: World) -> None:
    """One call for both, and no error the second time."""
    (made,) = made_for(world, f"{world.stack}-1")
    image = image_of(world.aws.ec2, made)
    assert image is not None
    assert remove_image(world.aws.ec2, image) == ()
    assert world.aws.parameters_of("ec2.DeregisterImage")["DeleteAssociatedSnapshots"] is True
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        world.aws.ec2.describe_snapshots(SnapshotIds=list(image.snapshots))
    assert remove_image(world.aws.ec2, image) == ()


def test_a_prune_lists_first_and_takes_only_ours_and_only_what_nobody_uses(
    world: World, build: Build, tmp_path: Path
) -> None:
    """The newest stays, a used one stays, another stack's stays."""
    theirs = made_for(build(), f"{world.stack}-theirs")
    first, second, third, newest = made_for(world, *(f"{world.stack}-{n}" for n in range(4)))
    world.aws.ec2.run_instances(ImageId=second, MinCount=1, MaxCount=1)
    with world.aws.recording() as sent:
        listed = run(world, tmp_path, "ami", "prune", "--keep", "1", "--json")
    assert json.loads(listed.stdout) == {"would_remove": [third, first]}
    assert "nothing was changed; --yes takes them away" in listed.stderr
    assert not any(each.writes for each in sent)
    done = run(world, tmp_path, "ami", "prune", "--keep", "1", "--yes")
    assert f"{second} ({world.stack}-1) stays: used by instance i-" in done.stderr
    assert {each.id for each in stack_images(world.aws.ec2, world.stack)} == {second, newest}
    assert image_of(world.aws.ec2, theirs[0]) is not None


def test_the_list_names_the_latest_and_the_users(world: World, tmp_path: Path) -> None:
    """For people and for machines; without an image it says how to make one."""
    assert "the stack has no image" in run(world, tmp_path, "ami", "list").stderr
    older, newer = made_for(world, f"{world.stack}-1", f"{world.stack}-2")
    (line,) = [
        each for each in run(world, tmp_path, "ami", "list").stdout.splitlines() if newer in each
    ]
    assert line.startswith("latest")
    assert "x86_64" in line
    told = json.loads(run(world, tmp_path, "ami", "list", "--json").stdout)
    assert [(each["id"], each["latest"]) for each in told] == [(newer, True), (older, False)]


@pytest.mark.heavy
def test_a_destroy_takes_the_stacks_images_too_unless_told_not_to(
    build: Build, tmp_path: Path
) -> None:
    """After everything else, so that the stack's own template does not hold them."""
    world = build(instances={"minimum": 0, "desired": 0})
    used, unused = made_for(world, f"{world.stack}-1", f"{world.stack}-2")
    image = image_of(world.aws.ec2, used)
    assert image is not None
    world.blueprint = replace(world.blueprint, image=image.image)
    world.apply()
    kept = run(world, tmp_path, "destroy", "--keep-images", "--confirm", world.stack)
    assert kept.exit_code == 0, kept.output
    assert unused not in kept.output
    world.apply()
    world.aws.ec2.run_instances(ImageId=unused, MinCount=1, MaxCount=1)
    gone = run(world, tmp_path, "destroy", "--confirm", world.stack)
    assert gone.exit_code == 0, gone.output
    assert f"{unused} stays: used by instance" in gone.stderr
    assert [each.id for each in stack_images(world.aws.ec2, world.stack)] == [unused]
