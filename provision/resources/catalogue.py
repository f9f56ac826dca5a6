"""Which resources a stack has, in the order in which they are made, and who provides each kind."""

from collections.abc import Mapping
from typing import Final

from provision.aws.session import Aws
from provision.core.plan import Intention
from provision.core.resource import Provider, Wanted
from provision.resources import (
    bucket,
    instance_profile,
    notification,
    queue,
    role,
    security_group,
    subscription,
    topic,
)
from provision.spec.blueprint import Blueprint

DESTROY_ORDER: Final = (
    notification.KIND,
    subscription.KIND,
    security_group.KIND,
    instance_profile.KIND,
    role.KIND,
    topic.KIND,
    queue.KIND,
    bucket.KIND,
)
"""Kinds in the order in which they go: who uses a thing goes before the thing."""


def intentions(blueprint: Blueprint) -> tuple[Intention, ...]:
    """Return every resource that the stack has, may have or had, in the order of creation."""
    return (
        _want(queue.dead_letter_queue(blueprint)),
        _want(queue.queue(blueprint)),
        _want(topic.upload_topic(blueprint)),
        _want(subscription.queue_subscription(blueprint)),
        *_owners_or_ours(bucket.bucket(blueprint)),
        _want(notification.notification(blueprint)),
        _want(role.worker_role(blueprint)),
        _want(instance_profile.worker_profile(blueprint)),
        security_group.intention(blueprint),
    )


def providers(aws: Aws, blueprint: Blueprint) -> Mapping[str, Provider]:
    """Return who looks at and changes each kind."""
    names = blueprint.names
    return {
        queue.KIND: queue.QueueProvider(aws.sqs),
        topic.KIND: topic.TopicProvider(aws.sns, names),
        subscription.KIND: subscription.SubscriptionProvider(aws.sns, names),
        bucket.KIND: bucket.BucketProvider(aws.s3, names.account),
        notification.KIND: notification.NotificationProvider(aws.s3, names),
        role.KIND: role.RoleProvider(aws.iam),
        instance_profile.KIND: instance_profile.InstanceProfileProvider(aws.iam),
        security_group.KIND: security_group.SecurityGroupProvider(aws.ec2, blueprint),
    }


def _want(wanted: Wanted) -> Intention:
    return Intention(wanted.key, wanted)


def _owners_or_ours(wanted: Wanted | None) -> tuple[Intention, ...]:
    """Say nothing at all about the owner's bucket: "not wanted" would take away one of ours."""
    return () if wanted is None else (_want(wanted),)
