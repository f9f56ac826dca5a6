"""All that is checked before a start: who we are, the queue, both prefixes, the store's guards.

Nothing is moved, received or deleted; what the guard probe puts, it takes away.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.aws.asking import Asking, as_fault
from worker.aws.bucket_checks import DESTINATION_TRIALS, SOURCE_TRIALS, BucketChecks
from worker.aws.clients import Clients
from worker.aws.guard_probe import GuardProbe
from worker.core.port import Fault, FaultKind
from worker.errors import PreflightError
from worker.operator.grants import Names, is_denied
from worker.operator.preflight import (
    WRONG_CLOCK,
    Finding,
    Level,
    QueueFacts,
    failures,
    granted,
    is_clock_wrong,
    judge_queue,
    refused,
)
from worker.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CONNECTIONS = 2
"""One call after another; the second connection is for a server that hangs up in between.

`Asking` alone tries again: a place that cannot be reached is told of before systemd loses patience.
"""

NO_SUCH_RECEIPT = "none-such"
"""No receipt handle of anybody's: the calls that carry it can do nothing."""


@dataclass(frozen=True, slots=True)
class QueueTrial:
    """A call that SQS must refuse for its parameters, unless it refuses it for permission."""

    action: str
    method: str
    parameters: Mapping[str, object]


QUEUE_TRIALS = (
    # Zero messages is out of range; a store that does not mind hides what it gives for no time.
    QueueTrial(
        "sqs:ReceiveMessage",
        "receive_message",
        {"MaxNumberOfMessages": 0, "VisibilityTimeout": 0, "WaitTimeSeconds": 0},
    ),
    QueueTrial("sqs:DeleteMessage", "delete_message", {"ReceiptHandle": NO_SUCH_RECEIPT}),
    QueueTrial(
        "sqs:ChangeMessageVisibility",
        "change_message_visibility",
        {"ReceiptHandle": NO_SUCH_RECEIPT, "VisibilityTimeout": 0},
    ),
)

REFUSED_FOR_PARAMETERS = frozenset(
    {
        "InvalidParameterValue",
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        "ReadCountOutOfRange",
        "ReceiptHandleIsInvalid",
    }
)


def run_checks(
    settings: Settings, clients: Clients, sleep: Callable[[float], None] = time.sleep
) -> list[Finding]:
    """Check everything that the worker needs; raises nothing that AWS could cause.

    An empty `queue_url` leaves the queue away. Blocks for a second or two; where AWS cannot be
    reached, until the calls time out. `sleep` takes seconds.
    """
    ask = Asking(sleep)
    with closing(clients.s3(CONNECTIONS)) as s3:
        who, names = _identify(settings, clients, ask, s3.meta.partition)
        if who.level is Level.FAILURE:
            return [who]
        found = [who]
        if settings.queue_url:
            found += _check_queue(settings, clients, ask, names)
        bucket = BucketChecks(s3, ask, names)
        at_destination = bucket.check(settings.destination, DESTINATION_TRIALS)
        found += bucket.check(settings.source, SOURCE_TRIALS) + at_destination
        if len(at_destination) > 1:  # a single finding: the bucket is not there, or not reached
            found += _probe(settings, s3, ask, names)
    return found


def check_guards(
    settings: Settings, clients: Clients, sleep: Callable[[float], None] = time.sleep
) -> list[Finding]:
    """Run the guard probe alone, for those who move without a queue (`worker sweep --move`)."""
    with closing(clients.s3(CONNECTIONS)) as s3:
        names = Names(s3.meta.partition, settings.region)
        return _probe(settings, s3, Asking(sleep), names)


def queue_facts(
    settings: Settings, clients: Clients, sleep: Callable[[float], None] = time.sleep
) -> QueueFacts:
    """Read the queue's attributes; raises PreflightError that says what to grant or correct."""
    with closing(clients.sqs(CONNECTIONS, tries=1)) as sqs:
        facts = _queue_facts(settings, sqs, Asking(sleep))
        if isinstance(facts, Fault):
            names = Names(sqs.meta.partition, settings.region)
            raise PreflightError(describe_failures([_queue_refused(settings, facts, names)]))
    return facts


def describe_failures(findings: list[Finding]) -> str:
    """Write the failures among the findings as an error's text, with the next command."""
    lines = ["the worker cannot do its work here:"]
    for each in failures(findings):
        lines.append(f"  {each.subject}: {each.detail}")
        lines += [f"    grant: {json.dumps(each.grant)}"] if each.grant else []
        lines += [f"    hint: {each.hint}"] if each.hint else []
    return "\n".join([*lines, "`worker check` shows everything that was looked at"])


def _identify(
    settings: Settings, clients: Clients, ask: Asking, partition: str
) -> tuple[Finding, Names]:
    names = Names(partition, settings.region)
    with closing(clients.sts()) as sts:
        answer = ask("GetCallerIdentity", sts.get_caller_identity)
    if isinstance(answer, Mapping):
        found = Finding(Level.OK, "identity", answer["Arn"])
        return found, Names(names.partition, names.region, answer["Account"])
    fault = as_fault("GetCallerIdentity", answer)
    if fault.kind is FaultKind.ACCESS and not is_denied(fault):
        hint = (
            "on EC2 give the instance a profile; elsewhere see `aws configure` or `aws sso login`"
        )
        if is_clock_wrong(fault):
            hint = WRONG_CLOCK
        return Finding(
            Level.FAILURE, "identity", f"no usable credentials: {fault}", hint=hint
        ), names
    detail = f"not told: {fault}; the worker itself never asks"
    return Finding(Level.WARNING, "identity", detail), names


# --- the queue ------------------------------------------------------------------------------------


def _check_queue(settings: Settings, clients: Clients, ask: Asking, names: Names) -> list[Finding]:
    with closing(clients.sqs(CONNECTIONS, tries=1)) as sqs:
        facts = _queue_facts(settings, sqs, ask)
        if isinstance(facts, Fault) and not is_denied(facts):
            return [_queue_refused(settings, facts, names)]
        found = (
            [_queue_refused(settings, facts, names)]
            if isinstance(facts, Fault)
            else judge_queue(facts, settings.visibility_timeout)
        )
        return found + [_try(trial, settings.queue_url, sqs, ask, names) for trial in QUEUE_TRIALS]


def _queue_facts(settings: Settings, sqs: "SQSClient", ask: Asking) -> QueueFacts | Fault:
    answer = ask(
        "GetQueueAttributes",
        sqs.get_queue_attributes,
        QueueUrl=settings.queue_url,
        AttributeNames=["All"],
    )
    if not isinstance(answer, Mapping):
        return as_fault("GetQueueAttributes", answer)
    attributes = answer.get("Attributes", {})
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    return QueueFacts(
        has_dlq="deadLetterTargetArn" in redrive,
        max_receive_count=int(redrive["maxReceiveCount"]) if "maxReceiveCount" in redrive else None,
        visibility_timeout=int(attributes["VisibilityTimeout"]),
        arn=attributes["QueueArn"],
        dlq_arn=redrive.get("deadLetterTargetArn", ""),
        kms_key=attributes.get("KmsMasterKeyId", ""),
    )


def _queue_refused(settings: Settings, fault: Fault, names: Names) -> Finding:
    url = settings.queue_url
    return refused("sqs:GetQueueAttributes", url, names.queue(url), fault, names)


def _try(trial: QueueTrial, url: str, sqs: "SQSClient", ask: Asking, names: Names) -> Finding:
    answer = ask(trial.action, getattr(sqs, trial.method), QueueUrl=url, **trial.parameters)
    if isinstance(answer, Mapping) or (
        isinstance(answer, Fault) and answer.code in REFUSED_FOR_PARAMETERS
    ):
        return granted(trial.action, url)
    return refused(trial.action, url, names.queue(url), as_fault(trial.action, answer), names)


# --- the guards -----------------------------------------------------------------------------------


def _probe(settings: Settings, s3: "S3Client", ask: Asking, names: Names) -> list[Finding]:
    required = settings.guards_required
    return GuardProbe(s3, ask, settings.destination, names, required=required).run()
