"""Creates what the worker lives in, as `provision apply` does: bucket, topic, queues."""

import time
from dataclasses import dataclass
from typing import Final

from provision.apply import apply, observe
from provision.core.plan import Step, make_plan
from provision.resources import pipeline
from provision.resources.queue import QueueProvider
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names
from provision.spec.stack import Pipeline as PipelineSection
from provision.spec.stack import Stack
from worker.demo.account import Account
from worker.demo.embedded.server import REGION
from worker.demo.verify import Depth

SOURCE_PREFIX = "uploads/"
DESTINATION_PREFIX = "processed/"

MAX_RECEIVE_COUNT = 8
"""Above what a worker's sudden end can cost a message, so that only garbage is set aside."""

ACCOUNT: Final = "123456789012"
"""The embedded AWS's."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The names of what was created."""

    bucket: str
    queue_url: str
    dead_letter_queue_url: str


def create_pipeline(account: Account, name: str, *, versioned: bool) -> Pipeline:
    """Create the pipeline of a stack of this name, in a bucket of this name.

    The stack's own bucket keeps versions; one without is the user's own. Raises ClientError.
    """
    if not versioned:
        account.s3.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    section = PipelineSection(
        bucket=name, existing_bucket=not versioned, max_receive_count=MAX_RECEIVE_COUNT
    )
    names = Names(name, name, "aws", REGION, ACCOUNT)
    _apply(account, Blueprint(Stack(name=name, region=REGION, pipeline=section), names))
    queues = QueueProvider(account.sqs)
    return Pipeline(name, queues.url(names.queue) or "", queues.url(names.dead_letter_queue) or "")


def _apply(account: Account, blueprint: Blueprint) -> None:
    names, wanted = blueprint.names, pipeline.intentions(blueprint)
    providers = pipeline.providers(account.s3, account.sns, account.sqs, names)
    planned = make_plan(wanted, observe(wanted, providers), stack=names.stack)
    done = apply(planned, providers, stack=names.stack, progress=_Silence(), sleep=time.sleep)
    if done.error is not None:
        raise done.error


class _Silence:
    """Progress that nobody hears of: it is over in less than a second."""

    def begins(self, step: Step) -> None:
        """Say nothing."""

    def waits(self, why: str, seconds: float) -> None:
        """Say nothing."""

    def ends(self, step: Step) -> None:
        """Say nothing."""


def depth_of(account: Account, queue_url: str) -> Depth:
    """Count a queue's messages."""
    attributes = account.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return Depth(
        waiting=int(attributes["ApproximateNumberOfMessages"]),
        in_hand=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
    )
