"""Which resources a stack has, in the order in which they are made, and who provides each kind."""

from collections.abc import Mapping
from typing import Final

from provision.aws.session import Aws
from provision.core.plan import Intention
from provision.core.resource import Provider, Wanted
from provision.resources import instance_profile, queue, role, security_group, topic
from provision.spec.blueprint import Blueprint

DESTROY_ORDER: Final = (
    security_group.KIND,
    instance_profile.KIND,
    role.KIND,
    topic.KIND,
    queue.KIND,
)
"""Kinds in the order in which they go: who uses a thing goes before the thing."""


def intentions(blueprint: Blueprint) -> tuple[Intention, ...]:
    """Return every resource that the stack has, may have or had, in the order of creation."""
    return (
        _want(queue.dead_letter_queue(blueprint)),
        _want(queue.queue(blueprint)),
        _want(topic.upload_topic(blueprint)),
        _want(role.worker_role(blueprint)),
        _want(instance_profile.worker_profile(blueprint)),
        security_group.intention(blueprint),
    )


def providers(aws: Aws, blueprint: Blueprint) -> Mapping[str, Provider]:
    """Return who looks at and changes each kind."""
    return {
        queue.KIND: queue.QueueProvider(aws.sqs),
        topic.KIND: topic.TopicProvider(aws.sns, blueprint.names),
        role.KIND: role.RoleProvider(aws.iam),
        instance_profile.KIND: instance_profile.InstanceProfileProvider(aws.iam),
        security_group.KIND: security_group.SecurityGroupProvider(aws.ec2, blueprint),
    }


def _want(wanted: Wanted) -> Intention:
    return Intention(wanted.key, wanted)
