"""The list of all corrections of moto: a new service is named here."""

from typing import Final

from worker.demo.embedded import (
    cloudwatch,
    kms,
    limits,
    s3_buckets,
    s3_checks,
    s3_configuration,
    s3_delete,
    s3_events,
    s3_listing,
    s3_lock,
    s3_notifications,
    s3_objects,
    sns,
    speed,
    sqs,
    sqs_moves,
    sqs_queues,
    ssm,
)
from worker.demo.embedded.autoscaling import (
    group_api,
    hook_api,
    member_api,
    refresh_api,
    report_api,
    time_passes,
)
from worker.demo.embedded.awslambda import functions, mappings
from worker.demo.embedded.ec2 import (
    images,
    launching,
    machines,
    template_versions,
    templates,
    turns,
)
from worker.demo.embedded.iam import principals, propagation, roles, simulation
from worker.demo.embedded.layer import Layer

SERVICES: Final = (
    speed,
    propagation,
    roles,
    simulation,
    s3_buckets,
    s3_checks,
    s3_configuration,
    s3_delete,
    s3_objects,
    s3_lock,
    s3_notifications,
    s3_events,
    s3_listing,
    kms,
    sns,
    sqs,
    sqs_queues,
    sqs_moves,
    principals,
    templates,
    template_versions,
    launching,
    images,
    machines,
    group_api,
    hook_api,
    member_api,
    refresh_api,
    report_api,
    time_passes,
    turns,
    functions,
    mappings,
    cloudwatch,
    limits,
    ssm,
)


def switch_on(layer: Layer) -> None:
    """Apply every correction; `layer.patches.undo()` takes them all away again."""
    for service in SERVICES:
        service.correct(layer)
