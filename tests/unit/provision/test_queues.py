"""What is wanted of queues and topic, rule by rule."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.queue_bounds import BOUNDS
from support.stacks import a_blueprint

from provision.resources import queue, topic
from provision.resources.catalogue import intentions

S3_EVENT_BYTES = 64 * 1024
"""Of version 2.6, before the topic's envelope."""


def statements(policy: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 # a policy document
    """Return a policy's statements."""
    return list(policy["Statement"])


def test_rule_10_only_our_bucket_publishes_and_only_our_topic_sends() -> None:
    """Services by name, and the one ARN of ours each: no role, no account, no other bucket."""
    blueprint = a_blueprint("files")
    names = blueprint.names
    [publishes] = statements(topic.upload_topic(blueprint).values()["Policy"])
    [sends] = statements(queue.queue(blueprint).values()["Policy"])
    assert publishes["Principal"] == {"Service": "s3.amazonaws.com"}
    assert publishes["Condition"] == {
        "ArnLike": {"aws:SourceArn": names.bucket_arn},
        "StringEquals": {"aws:SourceAccount": names.account},
    }
    assert sends["Principal"] == {"Service": "sns.amazonaws.com"}
    assert sends["Condition"]["ArnEquals"] == {"aws:SourceArn": names.topic_arn}
    assert {publishes["Effect"], sends["Effect"]} == {"Allow"}


@pytest.mark.parametrize(
    ("section", "setting"),
    [("pipeline", "retention_days"), ("worker", "drain_seconds"), ("lambda", "timeout_seconds")],
)
@given(value=st.integers(0, 20) | st.integers(0, 10_000) | st.integers(0, 10**6))
def test_rule_13a_what_the_stack_file_takes_sqs_takes(
    section: str, setting: str, value: int
) -> None:
    """Whatever a queue's numbers are made from is bounded there, before AWS is asked."""
    sections: Any = {section: {setting: value}}
    try:
        blueprint = a_blueprint("files", **sections)
    except ValidationError:
        return
    for wanted in (queue.queue(blueprint), queue.dead_letter_queue(blueprint)):
        values = wanted.values()
        for name, (least, most) in BOUNDS.items():
            assert least <= int(str(values.get(name, least))) <= most, name


@given(st.integers(1, 13))
def test_rule_15_a_dead_letter_outlives_the_longest_wait_in_the_queue(days: int) -> None:
    """Its time runs from its first sending, so the dead-letter queue keeps all it can."""
    blueprint = a_blueprint("files", pipeline={"retention_days": days})
    kept = queue.dead_letter_queue(blueprint).values()["MessageRetentionPeriod"]
    waits = queue.queue(blueprint).values()["MessageRetentionPeriod"]
    assert int(str(kept)) - int(str(waits)) >= queue.DAY_SECONDS
    assert kept == str(14 * queue.DAY_SECONDS)


def test_rule_15_the_dead_letter_queue_comes_first_and_serves_our_queue_alone() -> None:
    """SQS refuses a redrive policy that names a queue which is not there."""
    blueprint = a_blueprint("files")
    names = blueprint.names
    order = [each.key.name for each in intentions(blueprint) if each.key.kind == queue.KIND]
    assert order == [names.dead_letter_queue, names.queue]
    allowed = queue.dead_letter_queue(blueprint).values()["RedriveAllowPolicy"]
    assert allowed == {"redrivePermission": "byQueue", "sourceQueueArns": [names.queue_arn]}


def test_rule_17_the_queue_takes_the_largest_event_in_its_envelope() -> None:
    """Declared, so that a smaller size that somebody sets shows as drift and is put back."""
    size = int(str(queue.queue(a_blueprint("files")).values()["MaximumMessageSize"]))
    assert size >= 4 * S3_EVENT_BYTES
