"""What a destroy takes from people besides the resources: said before they agree to it."""

from collections.abc import Iterator

from provision.aws.calls import unless_gone
from provision.aws.session import Aws
from provision.aws.stack_facts import Observer
from provision.resources.subscription import PENDING, UNSUBSCRIBED
from provision.spec.blueprint import Blueprint


def losses(aws: Aws, blueprint: Blueprint) -> Iterator[str]:
    """Yield a line for messages that would go, and for each of others who listen to our topics.

    Raises ClientError.
    """
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    observer = Observer(aws, blueprint)
    queue, dead = observer.queue(), observer.dead_letters()
    held = (queue.waiting + queue.in_flight if queue else 0) + (dead or 0)
    if held:
        place = f"s3://{names.bucket}/{pipeline.source_prefix}"
        yield f"messages go with the queues, {held} of them; their files stay below {place}"
    ours = {names.queue_arn, blueprint.stack.watch.email, *blueprint.subscribed}
    for topic in (names.topic_arn, names.alarm_topic_arn):
        for endpoint in _others(aws, topic, ours):
            yield f"{endpoint} listens to {topic}, and hears nothing more"


def _others(aws: Aws, topic: str, ours: set[str]) -> Iterator[str]:
    pages = aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    listed = unless_gone(lambda: [each for page in pages for each in page["Subscriptions"]])
    for each in listed or []:
        if each["Endpoint"] not in ours and each["SubscriptionArn"] not in {PENDING, UNSUBSCRIBED}:
            yield each["Endpoint"]
