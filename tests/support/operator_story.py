"""All that an operator does with one stack, step by step."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from provision.ami_from_instance import ImageMaker, Order
from provision.apply import observe
from provision.aws.cutover_hands import CutoverHands
from provision.aws.dead_letters import DeadLetters
from provision.aws.emptying import empty
from provision.aws.image_users import image_users
from provision.aws.images import image_of, remove_image, stack_images
from provision.aws.preflight.run import preflight
from provision.aws.stack_facts import Observer
from provision.aws.surroundings import identify, survey
from provision.core.finding import Finding, Level
from provision.core.image import WITHDRAWN_TAG
from provision.core.resource import OWNER_TAG, REGION_TAG
from provision.group_rollout import GroupRollout
from provision.policies.operator import operator_grants
from provision.redrive import begin, watch
from provision.resources import group
from provision.resources.catalogue import intentions
from provision.resources.launch_template import (
    KEPT_VERSIONS,
    LaunchTemplateProvider,
    worker_template,
)
from provision.spec.blueprint import Blueprint, Consumer
from provision.verify import Verification
from support.operator_role import Operator
from support.provision_world import World
from support.tampering import tamper

_NUMBERS = itertools.count()
OWNERSHIP: Final = (f"tag:{OWNER_TAG}", f"tag:{REGION_TAG}")


def looks_ahead(operator: Operator) -> None:
    """As before an apply: everything can be looked at."""
    world = operator.world
    identity = identify(world.aws.sts)
    survey(world.aws.ec2, world.blueprint.stack, identity)
    found = list(preflight(world.aws, world.blueprint, identity))
    assert not [each for each in found if "not checked" in each.detail], found
    [quotas] = [each for each in found if each.subject == "quotas"]
    for what in ("vCPUs", "Auto Scaling groups", "IAM roles"):
        assert what in quotas.detail, quotas


def simulates(operator: Operator) -> None:
    """IAM's own simulation says of every grant that the caller has it."""
    world = operator.world
    identity = identify(world.aws.sts)
    grants = [each for some in operator_grants(world.blueprint).values() for each in some]
    found = preflight(world.aws, world.blueprint, identity, grants)
    assert [each.level for each in found if each.subject == "permissions"] == [Level.OK]


def applies(operator: Operator) -> None:
    """Everything is made, a second plan is empty, and what there is now can be looked at."""
    operator.world.apply()
    assert operator.world.plan().steps == ()
    looks_ahead(operator)


def repairs(operator: Operator) -> None:
    """Whatever was changed behind our back is put right again; of each kind of resource one."""
    kinds = set()
    for _ in range(KEPT_VERSIONS):
        operator.admin.aws.ec2.create_launch_template_version(
            LaunchTemplateName=operator.names.launch_template,
            SourceVersion="$Default",
            LaunchTemplateData={"InstanceType": "t3.large"},
        )
    for intention in intentions(operator.world.blueprint):
        wanted = intention.wanted
        if wanted is None or wanted.key.kind in kinds:
            continue
        kinds.add(wanted.key.kind)
        for each in wanted.properties:
            # A group's own sizes stand in each other's way, and what disrupts it takes a rollout.
            left_alone = wanted.key.kind == group.KIND and (each.disrupts or "Size" in each.name)
            if not each.fixed and not left_alone and each.name not in OWNERSHIP:
                tamper(operator.admin, wanted, each.name)
        operator.world.apply()
    assert operator.world.plan().steps == ()


def looks(operator: Operator) -> None:
    """As `provision status` does."""
    facts = Observer(operator.world.aws, operator.world.blueprint).stack()
    assert facts.queue is not None
    assert facts.group is not None
    assert facts.alarms
    Observer(operator.world.aws, operator.world.blueprint).refresh()


def verifies(operator: Operator) -> None:
    """Plan, instances, services, S3's conditions, a canary: all well."""
    operator.instances()
    run = Verification(
        operator.world.aws,
        operator.world.blueprint,
        operator.sleep,
        lambda: operator.now,
        lambda _: None,
    )
    assert [each for each in run.run() if each.level is not Level.OK] == list[Finding]()
    bucket = operator.names.bucket
    left = operator.admin.aws.s3.list_object_versions(Bucket=bucket)
    keys = [each["Key"] for each in left.get("Versions", [])]
    assert not [each for each in keys if "canary" in each or "probe" in each], keys


def deals_with_dead_letters(operator: Operator) -> None:
    """Look at them, move them back, throw them away."""
    sqs = operator.admin.aws.sqs
    url = sqs.get_queue_url(QueueName=operator.names.queue)["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="not an event")
    for _ in range(6):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0)
    letters = DeadLetters(operator.world.aws.sqs, operator.names)
    assert len(letters.look(10)) == 1
    before = letters.latest_move()
    begin(letters, before, None)
    done = watch(
        letters,
        before,
        patience_seconds=600,
        sleep=operator.world.region.clock.advance,
        told=lambda _: None,
    )
    assert done.moved == 1
    letters.purge()


def makes_images(operator: Operator) -> None:
    """Of a group's member; listed with who uses them."""
    world, number = operator.world, next(_NUMBERS)
    instance = operator.instances()[0]
    maker = ImageMaker(world.aws, operator.pause, lambda _: None)
    made = maker.make(Order(instance, f"{world.stack}-{number}", {OWNER_TAG: world.stack}))
    assert made.id in {each.id for each in stack_images(world.aws.ec2, world.stack)}
    assert image_users(world.aws, {made.id}) == {}


def templates_of(world: World) -> LaunchTemplateProvider:
    """Return who keeps the stack's launch template."""
    return LaunchTemplateProvider(world.aws.ec2, world.aws.autoscaling, world.blueprint)


def new_version(world: World) -> tuple[str, Blueprint, int]:
    """Make the newest image the template's default; return its id, the new stack, the version."""
    newest = stack_images(world.aws.ec2, world.stack)[0]
    blueprint = replace(world.blueprint, image=newest.image)
    version = templates_of(world).create_version(worker_template(blueprint, newest.image))
    templates_of(world).make_default(blueprint.names.launch_template, version)
    return newest.id, blueprint, version


def rolls(operator: Operator) -> None:
    """Roll to another image, watched by a canary; and back, which withdraws the image."""
    world = operator.world
    image, blueprint, version = new_version(world)
    canaries = operator.canaries()

    def canary() -> str | None:
        canaries.fly(60)
        return None

    rolling = GroupRollout(world.aws, blueprint, operator.pause, canary)
    assert [each for each in rolling.findings() if each.level is Level.FAILURE] == []
    rolling.to_version(version)
    GroupRollout(world.aws, world.blueprint, operator.pause).back(None)
    left = image_of(world.aws.ec2, image)
    assert left is not None
    assert left.withdrawn
    world.aws.ec2.delete_tags(Resources=[image], Tags=[{"Key": WITHDRAWN_TAG}])
    templates_of(world).make_default(operator.names.launch_template, version)
    refresh = world.aws.autoscaling.start_instance_refresh(
        AutoScalingGroupName=operator.names.group,
        DesiredConfiguration={
            "LaunchTemplate": {
                "LaunchTemplateName": operator.names.launch_template,
                "Version": str(version),
            }
        },
    )
    assert refresh["InstanceRefreshId"]
    GroupRollout(world.aws, world.blueprint, operator.pause).back(None)
    world.apply()
    assert Observer(world.aws, world.blueprint).refresh() is not None


def cuts_over(operator: Operator) -> None:
    """There and back again, each side proven by what its log or its service says."""
    world = operator.world
    operator.instances()
    hands = CutoverHands(
        world.aws,
        world.blueprint,
        operator.canaries(),
        lambda _: None,
        operator.sleep,
        lambda: operator.now,
    )
    sizes = world.blueprint.sizes
    assert hands.look().group is not None
    hands.switch(enabled=True)
    hands.declare(Consumer.LAMBDA)
    hands.resize(replace(sizes, minimum=0, desired=0))
    hands.resize(sizes)
    operator.instances()
    assert "the service is active" in hands.prove(Consumer.EC2)
    hands.declare(Consumer.EC2)
    hands.switch(enabled=False)


def destroys(operator: Operator) -> None:
    """Everything, files and images as well; a protected instance goes, too."""
    world, admin = operator.world, operator.admin
    bucket = operator.names.bucket
    admin.aws.s3.put_object(Bucket=bucket, Key="kept/file", Body=b"x")
    admin.aws.s3.create_multipart_upload(Bucket=bucket, Key="kept/unfinished")
    admin.aws.autoscaling.set_instance_protection(
        AutoScalingGroupName=operator.names.group,
        InstanceIds=operator.instances(),
        ProtectedFromScaleIn=True,
    )
    admin.aws.iam.attach_role_policy(
        RoleName=operator.names.worker_role, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    world.destroy("bucket")
    assert list(empty(world.aws.s3, bucket))
    world.destroy()
    found = observe(intentions(world.blueprint), admin.providers)
    assert not [key for key, each in found.items() if each is not None]
    for image in stack_images(world.aws.ec2, world.stack):
        assert remove_image(world.aws.ec2, image) == ()


STEPS: Final[tuple[Callable[[Operator], None], ...]] = (
    looks_ahead,
    applies,
    looks,
    verifies,
    deals_with_dead_letters,
    makes_images,
    rolls,
    cuts_over,
    repairs,
    destroys,
)
"""The order in which an operator may come to them; the cheap ones first."""
