"""The worker's own probe of S3's conditions, run from the operator's chair."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from provision.core.finding import Finding, Level
from provision.spec.blueprint import Blueprint
from worker.aws.asking import Asking
from worker.aws.guard_probe import GuardProbe
from worker.core.port import Location
from worker.operator.grants import Names

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def probe_guards(
    s3: "S3Client", blueprint: Blueprint, sleep: Callable[[float], None]
) -> tuple[Finding, ...]:
    """Try every condition that the move rests on in a corner of the destination, and clear up.

    On real AWS this is the proof that the promises hold there (docs/move-protocol.md).
    """
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    destination = Location(names.bucket, pipeline.destination_prefix)
    here = Names(names.partition, names.region, names.account)
    found = GuardProbe(s3, Asking(sleep), destination, here, required=True).run()
    return tuple(Finding(Level(each.level), each.subject, each.detail, each.hint) for each in found)
