"""How a queue may be encrypted. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

KEY = {"KmsMasterKeyId": "alias/ours"}
SSE_SQS = {"SqsManagedSseEnabled": "true"}


def encryption(sqs: Client, queue: str) -> tuple[str, str]:
    """Return the key, and whether SSE-SQS is on."""
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    return told.get("KmsMasterKeyId", ""), told["SqsManagedSseEnabled"]


def test_rule_12_a_queue_has_one_kind_of_encryption(
    sqs: Client, name: str, queue: str, refusal: Refusal
) -> None:
    """A key and SSE-SQS together are refused, at once or one after the other."""
    both = KEY | SSE_SQS
    assert refusal(sqs.create_queue, QueueName=f"{name}-2", Attributes=both)[0] == 400
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=KEY)
    assert refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes=SSE_SQS)[0] == 400


def test_rule_12_a_key_switches_sse_sqs_off_and_back(sqs: Client, queue: str) -> None:
    """A key alone is enough; to go back the key is taken away in the same call."""
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=KEY)
    assert encryption(sqs, queue) == ("alias/ours", "false")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": "", **SSE_SQS})
    assert encryption(sqs, queue) == ("", "true")
