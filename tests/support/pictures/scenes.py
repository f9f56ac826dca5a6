"""The scenes of the terminal pictures, in the order in which they are played on one stage."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

from provision.aws.stack_facts import Observer
from provision.core.status import StackFacts
from provision.resources import alarm
from provision.screen.status_view import status_view
from support.messages import Sample, record
from support.pictures.stage import STACK, Stage
from support.pictures.terminal import rendered

AT = datetime(2026, 3, 2, 9, 41, 7, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
BACKLOG = 214
BODY = b"May"
ETAG = md5(BODY, usedforsecurity=False).hexdigest()
TRIES = 6
"""One more than the stack's maxReceiveCount."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture's name, the command above it, and what the command printed."""

    name: str
    command: str
    printed: str


def scenes(stage: Stage) -> Iterator[Scene]:
    """Play all scenes."""
    yield _apply(stage)
    yield Scene("verify", "provision verify", stage.printed("verify"))
    yield _plan(stage)
    stage.end_worker()
    _calm(stage)
    _back_up(stage)
    yield _status(stage, "status", oldest_seconds=41)
    _set_aside(stage)
    yield Scene("dlq-list", "provision dlq list --live", stage.printed("dlq", "list", "--live"))
    _trouble(stage)
    yield _status(stage, "status-trouble", oldest_seconds=1327)


def explained() -> Scene:
    """Have the worker explain the example message; it needs no AWS."""
    shown = subprocess.run(
        [sys.executable, "-m", "worker", "explain", "docs/examples/message.json"],
        env={"REGION": "us-east-2", "BUCKET": "files", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return Scene(
        "explain", "worker explain docs/examples/message.json", shown.stdout + shown.stderr
    )


def _apply(stage: Stage) -> Scene:
    """Make the stack; of the plan, which is pages long, only the last line is shown."""
    printed = stage.printed("apply", "--yes")
    lines = printed.splitlines()
    first = next(number for number, line in enumerate(lines) if " 1/" in line)
    shown = [*lines[:3], "…", *lines[first - 1 :]]
    return Scene("apply", "provision apply --yes", "\n".join(shown))


def _plan(stage: Stage) -> Scene:
    """Change the stack file, and have somebody change the queue by hand."""
    sqs, name = stage.aws.sqs, stage.blueprint.names.queue
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    stage.write(
        STACK.replace("[instances]", '[instances]\ntype = "t3.medium"')
        + "\n[watch]\noldest_message_seconds = 600\n"
    )
    printed = stage.printed("plan")
    stage.write(STACK)
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes["Attributes"])
    return Scene("plan", "provision plan", printed)


def _calm(stage: Stage) -> None:
    """Have every alarm be OK, as after the first minutes."""
    for name in (key.name for key in alarm.keys(stage.blueprint)):
        stage.aws.cloudwatch.set_alarm_state(
            AlarmName=name, StateValue="OK", StateReason="no datapoint was greater"
        )


def _back_up(stage: Stage) -> None:
    """Let messages wait, some of them in somebody's hand."""
    url = _emptied(stage)
    for number in range(BACKLOG):
        stage.aws.sqs.send_message(
            QueueUrl=url, MessageBody=_message(stage, f"uploads/{number}.csv")
        )
    for _ in range(4):
        stage.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=900)


def _set_aside(stage: Stage) -> None:
    """Have SQS set three messages aside, as those that nobody could deal with are."""
    sqs, names = stage.aws.sqs, stage.blueprint.names
    stage.aws.s3.put_object(Bucket=names.bucket, Key="uploads/reports/May 2026.pdf", Body=BODY)
    url = _emptied(stage)
    for body in (
        "not an event",
        _message(stage, "uploads/reports/April 2026.pdf"),
        _message(stage, "uploads/reports/May 2026.pdf"),
    ):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    for _ in range(TRIES):
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)


def _trouble(stage: Stage) -> None:
    """Ring two alarms, take the AMI away, and let one instance die: its successor cannot start."""
    _back_up(stage)
    for alarm_name, seen, limit in (("oldest-message", 1327.0, 300.0), ("dlq-not-empty", 3.0, 0.0)):
        stage.aws.cloudwatch.set_alarm_state(
            AlarmName=stage.blueprint.names.alarm(alarm_name),
            StateValue="ALARM",
            StateReason=f"Threshold Crossed: 1 datapoint [{seen}] was greater than the"
            f" threshold ({limit}).",
        )
    [image] = stage.aws.ec2.describe_images(Owners=["self"])["Images"]
    stage.aws.ec2.deregister_image(ImageId=image["ImageId"])
    stage.aws.autoscaling.set_instance_health(
        InstanceId=stage.fleet.running[0], HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
    )
    stage.region.tick()


def _status(stage: Stage, name: str, *, oldest_seconds: float) -> Scene:
    """Look at the stack, at a fixed time; no service writes metrics here, so their age is given."""
    facts = Observer(stage.aws, stage.blueprint).stack()
    shown = status_view("files", _at_a_fixed_time(facts, oldest_seconds))
    return Scene(name, "provision status", rendered(shown))


def _at_a_fixed_time(facts: StackFacts, oldest_seconds: float) -> StackFacts:
    assert facts.queue is not None
    return replace(
        facts,
        at=AT,
        queue=replace(facts.queue, oldest_seconds=oldest_seconds),
        activities=tuple(
            replace(each, started=AT - timedelta(minutes=4 + 9 * number))
            for number, each in enumerate(facts.activities)
        ),
        alarms=tuple(
            replace(each, since=AT - timedelta(minutes=17 if each.state == "ALARM" else 4400))
            for each in facts.alarms
        ),
    )


def _message(stage: Stage, key: str) -> str:
    event: dict[str, Any] = record(Sample(key, stage.blueprint.names.bucket, ETAG))
    return json.dumps({"Records": [event]})


def _emptied(stage: Stage) -> str:
    """Empty the queue, which SQS does once a minute; returns its URL."""
    url = stage.aws.sqs.get_queue_url(QueueName=stage.blueprint.names.queue)["QueueUrl"]
    stage.region.clock.advance(61)
    stage.aws.sqs.purge_queue(QueueUrl=url)
    return url
