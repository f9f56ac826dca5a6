"""Who was cut over to, as a tag of the queue: no state file, and the same for every operator.

The queue carries it, for it is what is consumed, and it is there before and after any consumer.
Only `provision cutover` writes it; a queue without the tag is the instances'.
"""

from typing import TYPE_CHECKING, Final

from provision.aws.calls import unless_gone
from provision.spec.blueprint import Consumer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CONSUMER_TAG: Final = "s3-event-worker:consumer"


def read_consumer(sqs: "SQSClient", queue_name: str) -> Consumer:
    """Return who consumes by the queue's tag; the instances where there is no tag, or no queue."""
    found = unless_gone(lambda: sqs.get_queue_url(QueueName=queue_name))
    if found is None:
        return Consumer.EC2
    answer = unless_gone(lambda: sqs.list_queue_tags(QueueUrl=found["QueueUrl"]))
    tags = answer.get("Tags", {}) if answer else {}
    return Consumer.LAMBDA if tags.get(CONSUMER_TAG) == Consumer.LAMBDA else Consumer.EC2


def write_consumer(sqs: "SQSClient", queue_name: str, consumer: Consumer) -> None:
    """Set the queue's tag. Raises ClientError."""
    url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={CONSUMER_TAG: consumer.value})
