"""Which resources a stack has, in the order in which they are made, and who provides each kind."""

from collections.abc import Iterator, Mapping
from typing import Final

from provision.aws.session import Aws
from provision.aws.waiting import Pause, quiet_pause
from provision.core.plan import Intention
from provision.core.resource import Key, Provider, Wanted
from provision.resources import (
    alarm,
    alarm_mail,
    bucket,
    dashboard,
    function,
    group,
    instance_profile,
    launch_template,
    log_group,
    mapping,
    notification,
    pipeline,
    queue,
    role,
    scaling,
    security_group,
    subscription,
    topic,
)
from provision.resources.group_provider import GroupProvider
from provision.spec.blueprint import Blueprint

DESTROY_ORDER: Final = (
    dashboard.KIND,
    alarm.KIND,
    notification.KIND,
    subscription.KIND,
    scaling.KIND,
    group.KIND,
    mapping.KIND,
    function.KIND,
    log_group.KIND,
    launch_template.KIND,
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
        *pipeline.intentions(blueprint),
        _want(role.worker_role(blueprint)),
        _want(instance_profile.worker_profile(blueprint)),
        security_group.intention(blueprint),
        launch_template.intention(blueprint),
        group.intention(blueprint),
        scaling.intention(blueprint),
        *_twin(blueprint),
        *_watching(blueprint),
    )


def _twin(blueprint: Blueprint) -> Iterator[Intention]:
    """Yield the function, after the role that it needs and the log group that it would make.

    While it consumes, all of them stay whatever the stack file says: nobody else would.
    """
    names, enabled = blueprint.names, blueprint.stack.lambda_.enabled
    its_role = role.lambda_role(blueprint) if enabled else None
    for key, wanted in (
        (Key(role.KIND, names.lambda_role), its_role),
        (log_group.function_key(blueprint), log_group.function_log_group(blueprint)),
        (function.key(blueprint), function.function(blueprint)),
        (mapping.key(blueprint), mapping.mapping(blueprint)),
    ):
        yield Intention(key, wanted, waits_for=function.waits_for(blueprint))


def _watching(blueprint: Blueprint) -> Iterator[Intention]:
    """Yield the logs, the alarms after their topic, and the dashboard that shows them."""
    yield _want(log_group.worker_log_group(blueprint))
    yield _want(topic.alarm_topic(blueprint))
    yield from alarm_mail.intentions(blueprint)
    yield from alarm.intentions(blueprint)
    yield _want(dashboard.dashboard(blueprint))


def providers(aws: Aws, blueprint: Blueprint, pause: Pause = quiet_pause) -> Mapping[str, Provider]:
    """Return who looks at and changes each kind; `pause` is told why a long wait lasts."""
    names = blueprint.names
    return {
        alarm.KIND: alarm.AlarmProvider(aws.cloudwatch, names),
        dashboard.KIND: dashboard.DashboardProvider(aws.cloudwatch, names),
        function.KIND: function.FunctionProvider(aws.lambda_, names),
        log_group.KIND: log_group.LogGroupProvider(aws.logs, names),
        mapping.KIND: mapping.MappingProvider(aws.lambda_, names),
        **pipeline.providers(aws.s3, aws.sns, aws.sqs, names),
        role.KIND: role.RoleProvider(aws.iam, names.region),
        instance_profile.KIND: instance_profile.InstanceProfileProvider(aws.iam, names.region),
        security_group.KIND: security_group.SecurityGroupProvider(aws.ec2, blueprint),
        group.KIND: GroupProvider(aws, blueprint, pause),
        scaling.KIND: scaling.ScalingPolicyProvider(aws.autoscaling, blueprint),
        launch_template.KIND: launch_template.LaunchTemplateProvider(
            aws.ec2, aws.autoscaling, blueprint
        ),
    }


def _want(wanted: Wanted) -> Intention:
    return Intention(wanted.key, wanted)
