"""What a message move task does, tells and refuses. Every test here fails on plain moto."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A queue and its dead-letter queue."""

    sqs: Client
    queue: str
    dead: str

    def arn(self, url: str) -> str:
        """Look up a queue's ARN."""
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def waiting(self, url: str) -> int:
        """Count the ready messages."""
        name = "ApproximateNumberOfMessages"
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def die(self, count: int) -> None:
        """Let so many messages be received twice, which is once too often."""
        for number in range(count):
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=str(number))
        for _ in range(count):
            self.sqs.receive_message(QueueUrl=self.queue, VisibilityTimeout=0)
            self.sqs.receive_message(QueueUrl=self.queue, VisibilityTimeout=0)
        assert self.waiting(self.dead) == count

    def start(self, **more: object) -> str:
        """Start a task; give its handle."""
        answer = self.sqs.start_message_move_task(SourceArn=self.arn(self.dead), **more)
        handle: str = answer["TaskHandle"]
        return handle

    def task(self) -> dict[str, Any]:
        """Give the newest task."""
        [found] = self.sqs.list_message_move_tasks(SourceArn=self.arn(self.dead))["Results"]
        task: dict[str, Any] = found
        return task


@pytest.fixture
def pair(sqs: Client, name: str) -> Pair:
    """Make a queue whose messages die after one receive."""
    dead = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    target = Pair(sqs, "", dead).arn(dead)
    policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 1})
    queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return Pair(sqs, queue, dead)


def test_rule_16_messages_go_back_at_the_rate_that_was_asked(pair: Pair, aws: EmbeddedAws) -> None:
    """Three messages at one a second: told as RUNNING with its progress, then as COMPLETED."""
    pair.die(3)
    handle = pair.start(MaxNumberOfMessagesPerSecond=1)
    aws.clock.advance(2)
    halfway = pair.task()
    assert (halfway["Status"], halfway["TaskHandle"]) == ("RUNNING", handle)
    assert halfway["ApproximateNumberOfMessagesMoved"] == 2
    assert halfway["ApproximateNumberOfMessagesToMove"] == 3
    assert (pair.waiting(pair.dead), pair.waiting(pair.queue)) == (1, 2)
    aws.clock.advance(1)
    done = pair.task()
    assert (done["Status"], done["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    assert "TaskHandle" not in done
    assert (pair.waiting(pair.dead), pair.waiting(pair.queue)) == (0, 3)


def test_rule_16_a_task_ends_while_nobody_looks(pair: Pair) -> None:
    """A long poll on the source queue is woken by what the task brings."""
    pair.die(1)
    pair.start()
    got = pair.sqs.receive_message(QueueUrl=pair.queue, WaitTimeSeconds=10)
    assert [each["Body"] for each in got["Messages"]] == ["0"]


def test_rule_16_a_moved_message_is_a_new_one(pair: Pair, aws: EmbeddedAws) -> None:
    """New id, received for the first time, sent at the time of the move."""
    pair.die(1)
    [dead] = pair.sqs.receive_message(
        QueueUrl=pair.dead, VisibilityTimeout=0, MessageSystemAttributeNames=["All"]
    )["Messages"]
    aws.clock.advance(3600)
    pair.start()
    aws.clock.advance(1)
    [back] = pair.sqs.receive_message(
        QueueUrl=pair.queue, MessageSystemAttributeNames=["All"], WaitTimeSeconds=1
    )["Messages"]
    assert back["MessageId"] != dead["MessageId"]
    assert back["Attributes"]["ApproximateReceiveCount"] == "1"
    sent = [int(each["Attributes"]["SentTimestamp"]) for each in (dead, back)]
    assert sent[1] - sent[0] >= 3_600_000


def test_rule_15_a_dead_letter_tells_where_it_came_from(pair: Pair) -> None:
    """DeadLetterQueueSourceArn is among the attributes of a received message."""
    pair.die(1)
    [dead] = pair.sqs.receive_message(
        QueueUrl=pair.dead, MessageSystemAttributeNames=["DeadLetterQueueSourceArn"]
    )["Messages"]
    assert dead["Attributes"] == {"DeadLetterQueueSourceArn": pair.arn(pair.queue)}


def test_rule_16_without_an_origin_a_destination_is_needed(pair: Pair, aws: EmbeddedAws) -> None:
    """A message sent to the dead-letter queue itself fails the task, and stays; then it is told."""
    pair.sqs.send_message(QueueUrl=pair.dead, MessageBody="sent here")
    pair.start()
    aws.clock.advance(1)
    failed = pair.task()
    assert (failed["Status"], failed["FailureReason"]) == (
        "FAILED",
        "CouldNotDetermineMessageSource",
    )
    assert pair.waiting(pair.dead) == 1
    pair.start(DestinationArn=pair.arn(pair.queue))
    aws.clock.advance(1)
    assert pair.task()["DestinationArn"] == pair.arn(pair.queue)
    assert pair.waiting(pair.queue) == 1


def test_rule_16_one_task_at_a_time(pair: Pair, aws: EmbeddedAws, refusal: Refusal) -> None:
    """A second is refused while one runs; both are listed afterwards, the newest first."""
    pair.die(2)
    pair.start(MaxNumberOfMessagesPerSecond=1)
    source = pair.arn(pair.dead)
    refused = refusal(pair.sqs.start_message_move_task, SourceArn=source)
    assert refused == (400, "InvalidParameterValue")
    aws.clock.advance(2)
    pair.start(MaxNumberOfMessagesPerSecond=500)
    tasks = pair.sqs.list_message_move_tasks(SourceArn=source, MaxResults=10)["Results"]
    assert [each["MaxNumberOfMessagesPerSecond"] for each in tasks] == [500, 1]


def test_rule_16_only_from_a_dead_letter_queue(pair: Pair, refusal: Refusal) -> None:
    """The source queue is nobody's dead-letter queue, and one that is missing is not found."""
    start = pair.sqs.start_message_move_task
    ours = pair.arn(pair.queue)
    assert refusal(start, SourceArn=ours) == (400, "InvalidParameterValue")
    assert refusal(start, SourceArn=f"{ours}-no")[1] == "ResourceNotFoundException"


@pytest.mark.parametrize("rate", [0, 501])
def test_rule_16_a_rate_is_1_to_500(pair: Pair, refusal: Refusal, rate: int) -> None:
    """MaxNumberOfMessagesPerSecond out of range: InvalidParameterValue."""
    start, source = pair.sqs.start_message_move_task, pair.arn(pair.dead)
    refused = refusal(start, SourceArn=source, MaxNumberOfMessagesPerSecond=rate)
    assert refused == (400, "InvalidParameterValue")


def test_rule_16_a_cancelled_task_leaves_the_rest(
    pair: Pair, aws: EmbeddedAws, refusal: Refusal
) -> None:
    """What was moved is told and stays; an ended task cannot be cancelled again."""
    pair.die(3)
    handle = pair.start(MaxNumberOfMessagesPerSecond=1)
    aws.clock.advance(1)
    answer = pair.sqs.cancel_message_move_task(TaskHandle=handle)
    assert answer["ApproximateNumberOfMessagesMoved"] == 1
    aws.clock.advance(60)
    assert pair.task()["Status"] == "CANCELLED"
    assert pair.waiting(pair.dead) == 2
    cancel = pair.sqs.cancel_message_move_task
    assert refusal(cancel, TaskHandle=handle) == (400, "InvalidParameterValue")
    assert refusal(cancel, TaskHandle="none")[1] == "ResourceNotFoundException"
