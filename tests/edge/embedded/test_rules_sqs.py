"""What SQS leases, moves and refuses. Every test here fails on plain moto."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.sqs.models import sqs_backends
from support.queue_bounds import BOUNDS

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""


Refusal = Callable[..., tuple[int, str]]


def send(sqs: Client, queue: str, *bodies: str) -> None:
    """Send messages, in tens."""
    for start in range(0, len(bodies), 10):
        entries = [
            {"Id": str(number), "MessageBody": body}
            for number, body in enumerate(bodies[start : start + 10])
        ]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)


def receive(sqs: Client, queue: str, **more: object) -> list[dict[str, Any]]:
    """Receive up to ten messages, with all their attributes."""
    answer = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], **more
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found


def visited(queue: str) -> int:
    """Count the messages that the server (in this process) has looked at in this queue, ever."""
    shelf = sqs_backends["123456789012"]["us-east-2"].queues[queue.rsplit("/", 1)[-1]].shelf
    count: int = shelf.visited
    return count


def cost_of_ten(sqs: Client, queue: str) -> int:
    """Count the messages looked at to receive, extend and delete ten."""
    before = visited(queue)
    taken = receive(sqs, queue)
    handles = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(taken)]
    extended = [{**each, "VisibilityTimeout": 60} for each in handles]
    sqs.change_message_visibility_batch(QueueUrl=queue, Entries=extended)
    sqs.delete_message_batch(QueueUrl=queue, Entries=handles)
    assert len(taken) == 10
    return visited(queue) - before


def test_the_cost_of_a_call_does_not_grow_with_the_queue(sqs: Client, queue: str) -> None:
    """Ten messages cost the same looks with 10 in the queue as with 600."""
    send(sqs, queue, *["x"] * 10)
    alone = cost_of_ten(sqs, queue)
    send(sqs, queue, *["x"] * 600)
    assert cost_of_ten(sqs, queue) == alone


def test_rule_13_a_deleted_name_rests_for_a_minute(
    sqs: Client, name: str, aws: EmbeddedAws, refusal: Refusal
) -> None:
    """Within 60 seconds QueueDeletedRecently; after them it is a new queue."""
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName=name)["QueueUrl"])
    refused = (400, "AWS.SimpleQueueService.QueueDeletedRecently")
    assert refusal(sqs.create_queue, QueueName=name) == refused
    aws.clock.advance(59)
    assert refusal(sqs.create_queue, QueueName=name) == refused
    aws.clock.advance(2)
    assert sqs.create_queue(QueueName=name)["QueueUrl"].endswith(name)


OUT_OF_RANGE = [
    *((name, str(least - 1)) for name, (least, _) in BOUNDS.items()),
    *((name, str(most + 1)) for name, (_, most) in BOUNDS.items()),
    ("KmsDataKeyReusePeriodSeconds", "59"),
    ("VisibilityTimeout", "soon"),
]


@pytest.mark.parametrize(("attribute", "value"), OUT_OF_RANGE)
def test_rule_13a_a_number_out_of_range_makes_no_queue_and_changes_none(
    sqs: Client, queue: str, name: str, refusal: Refusal, attribute: str, value: str
) -> None:
    """InvalidAttributeValue from either call; what stands beside it is not set."""
    before = attributes_of(sqs, queue)
    beside = {"Policy": "{}", attribute: value}
    refused = refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes=beside)
    assert refused == (400, "InvalidAttributeValue")
    assert attributes_of(sqs, queue) == before
    unmade = f"{name}-unmade"
    refused = refusal(sqs.create_queue, QueueName=unmade, Attributes={attribute: value})
    assert refused == (400, "InvalidAttributeValue")
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=unmade)


def attributes_of(sqs: Client, queue: str) -> dict[str, str]:
    """Return all of a queue's attributes."""
    told: dict[str, str] = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])[
        "Attributes"
    ]
    return told


def test_attributes_that_are_not_named_stay_as_they_are(
    sqs: Client, queue: str, policy_for: Callable[..., str]
) -> None:
    """SetQueueAttributes with a timeout leaves the policy alone."""
    policy = policy_for("sns.amazonaws.com", "sqs:SendMessage", arn_of(sqs, queue), "arn:any")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "60"})
    kept = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]
    assert json.loads(kept["Policy"]) == json.loads(policy)


def redrive(target: str, receives: int = 2) -> dict[str, str]:
    """Write the attribute that names a dead-letter queue."""
    policy = {"deadLetterTargetArn": target, "maxReceiveCount": receives}
    return {"RedrivePolicy": json.dumps(policy)}


def arn_of(sqs: Client, queue: str) -> str:
    """Look up a queue's ARN."""
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn: str = answer["Attributes"]["QueueArn"]
    return arn


def test_rule_15_the_dead_letter_queue_exists_first(
    sqs: Client, queue: str, refusal: Refusal
) -> None:
    """A redrive to a queue that is not there: InvalidParameterValue."""
    attributes = redrive(arn_of(sqs, queue) + "-missing")
    refused = refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes=attributes)
    assert refused == (400, "InvalidParameterValue")


@pytest.mark.parametrize("receives", [0, 1001])
def test_rule_15_a_message_has_1_to_1000_receives(
    sqs: Client, queue: str, name: str, refusal: Refusal, receives: int
) -> None:
    """MaxReceiveCount out of range: InvalidParameterValue."""
    target = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    attributes = redrive(arn_of(sqs, target), receives)
    refused = refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes=attributes)
    assert refused == (400, "InvalidParameterValue")


def test_rule_15_a_dead_letter_queue_says_whose_it_is(
    sqs: Client, queue: str, name: str, refusal: Refusal
) -> None:
    """RedriveAllowPolicy is kept, given back and obeyed."""
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [arn_of(sqs, queue)]}
    attributes = {"RedriveAllowPolicy": json.dumps(allowed)}
    target = sqs.create_queue(QueueName=f"{name}-dlq", Attributes=attributes)["QueueUrl"]
    kept = sqs.get_queue_attributes(QueueUrl=target, AttributeNames=["All"])["Attributes"]
    assert json.loads(kept["RedriveAllowPolicy"]) == allowed
    wanted = redrive(arn_of(sqs, target))
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=wanted)
    other = sqs.create_queue(QueueName=f"{name}-other")["QueueUrl"]
    refused = refusal(sqs.set_queue_attributes, QueueUrl=other, Attributes=wanted)
    assert refused == (400, "InvalidParameterValue")


def test_rule_20_an_old_handle_deletes_nothing(sqs: Client, queue: str) -> None:
    """After a redelivery the first handle's delete succeeds, and the message is still there."""
    send(sqs, queue, "x")
    [first] = receive(sqs, queue, VisibilityTimeout=0)
    [second] = receive(sqs, queue, VisibilityTimeout=0)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    [third] = receive(sqs, queue)
    assert third["MessageId"] == second["MessageId"]


def test_rule_20_two_deliveries_of_one_message_may_meet_in_a_batch(sqs: Client, queue: str) -> None:
    """Equal receipt handles are fine in DeleteMessageBatch."""
    send(sqs, queue, "x")
    [taken] = receive(sqs, queue)
    entries = [{"Id": str(i), "ReceiptHandle": taken["ReceiptHandle"]} for i in range(2)]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1"]


def test_rule_20_the_ids_of_a_batch_are_distinct(sqs: Client, queue: str, refusal: Refusal) -> None:
    """Equal ids fail the whole DeleteMessageBatch."""
    send(sqs, queue, "x", "y")
    entries = [{"Id": "same", "ReceiptHandle": m["ReceiptHandle"]} for m in receive(sqs, queue)]
    refused = refusal(sqs.delete_message_batch, QueueUrl=queue, Entries=entries)
    assert refused == (400, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")


def test_rule_20_an_ended_lease_cannot_be_extended(
    sqs: Client, queue: str, refusal: Refusal
) -> None:
    """ChangeMessageVisibility after the timeout: MessageNotInflight."""
    send(sqs, queue, "x")
    [taken] = receive(sqs, queue, VisibilityTimeout=0)
    wanted = {"QueueUrl": queue, "ReceiptHandle": taken["ReceiptHandle"]}
    refused = refusal(sqs.change_message_visibility, **wanted, VisibilityTimeout=30)
    assert refused == (400, "AWS.SimpleQueueService.MessageNotInflight")


def test_rule_20_a_lease_lasts_12_hours_from_the_receipt(
    sqs: Client, queue: str, aws: EmbeddedAws, refusal: Refusal
) -> None:
    """Counted from the receipt, not from the sending; no extension passes it."""
    send(sqs, queue, "x")
    aws.clock.advance(6 * 3600)
    [taken] = receive(sqs, queue)
    wanted = {"QueueUrl": queue, "ReceiptHandle": taken["ReceiptHandle"]}
    assert refusal(sqs.change_message_visibility, **wanted, VisibilityTimeout=43000) == (200, "")
    aws.clock.advance(600)
    refused = refusal(sqs.change_message_visibility, **wanted, VisibilityTimeout=43000)
    assert refused == (400, "InvalidParameterValue")


def test_rule_20_a_batch_tells_each_entry_its_own_error(sqs: Client, queue: str) -> None:
    """A deleted message beside a leased one: one fails, one succeeds."""
    send(sqs, queue, "x", "y")
    gone, held = receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=gone["ReceiptHandle"])
    entries = [
        {"Id": name, "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 60}
        for name, each in (("gone", gone), ("held", held))
    ]
    answer = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["held"]
    assert [(e["Id"], e["Code"]) for e in answer["Failed"]] == [("gone", "InvalidParameterValue")]


def test_rule_17_a_message_is_measured_in_bytes(sqs: Client, queue: str, refusal: Refusal) -> None:
    """600 two-byte letters are too much for 1,024 bytes."""
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    refused = refusal(sqs.send_message, QueueUrl=queue, MessageBody="ü" * 600)
    assert refused == (400, "InvalidParameterValue")
