"""A whole stack in a real account: made, mended, used, cut over, taken away. In this order.

Without `--live-ami` it has no instances, and the function consumes.
"""

import json

import pytest
from support.live_stack import SETTLING_SECONDS, LiveStack, within

pytestmark = pytest.mark.live

RECEIVES = 60
"""Many more than five: a real queue may answer a receive with nothing."""


def only_with_instances(stack: LiveStack) -> None:
    """Skip what needs an AMI."""
    if not stack.has_instances:
        pytest.skip("--live-ami was not given")


def test_an_apply_makes_it_and_a_second_plan_is_empty(stack: LiveStack) -> None:
    """What AWS tells back is in our normal forms: filters, policies, defaults, numbers."""
    assert set(stack.changes().values()) == {"create"}
    stack.succeed("apply", "--yes")
    assert within(SETTLING_SECONDS, lambda: stack.changes() == {})


def test_drift_is_seen_and_mended(stack: LiveStack) -> None:
    """A queue's attribute, a topic's policy and an alarm, changed by hand."""
    names, aws = stack.names, stack.aws
    aws.sqs.set_queue_attributes(
        QueueUrl=stack.queue_url(names.queue), Attributes={"VisibilityTimeout": "31"}
    )
    aws.sns.add_permission(
        TopicArn=names.topic_arn,
        Label="by-hand",
        AWSAccountId=[stack.account],
        ActionName=["Publish"],
    )
    alarm = names.alarm("dlq-not-empty")
    aws.cloudwatch.delete_alarms(AlarmNames=[alarm])
    expected = {
        f"queue/{names.queue}": "change",
        f"topic/{names.topic}": "change",
        f"alarm/{alarm}": "create",
    }
    assert within(SETTLING_SECONDS, lambda: stack.changes() == expected)
    stack.succeed("apply", "--yes")
    assert within(SETTLING_SECONDS, lambda: stack.changes() == {})


def test_what_nobody_can_deal_with_is_set_aside_explained_and_moved_back(stack: LiveStack) -> None:
    """SQS's own redrive, and its own move task; nobody consumes yet, or the worker rejects it."""
    names, sqs = stack.names, stack.aws.sqs
    url = stack.queue_url(names.queue)
    sqs.send_message(QueueUrl=url, MessageBody="not an event")
    for _ in range(RECEIVES):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=1)
        if "the body is not JSON" in stack.run("dlq", "list").stdout:
            break
    assert "the body is not JSON" in stack.succeed("dlq", "list")
    moved = json.loads(stack.succeed("dlq", "redrive", "--json"))
    assert moved["status"] == "COMPLETED"
    assert moved["moved"] >= 1  # a worker may have set it aside anew by now
    sqs.purge_queue(QueueUrl=url)
    stack.succeed("dlq", "purge", "--confirm", stack.name)


def test_the_function_takes_over_and_a_file_goes_the_whole_way(stack: LiveStack) -> None:
    """Its zip runs on Lambda's own Python, its canaries are found in its log; others arrive too."""
    stack.succeed("cutover", "lambda")
    assert stack.arrives("by the function + ü.txt")
    assert within(SETTLING_SECONDS, lambda: stack.changes() == {})


def test_instances_take_over_are_replaced_and_turned_back(stack: LiveStack) -> None:
    """Cutover, verification on every instance, a rollout to another type, and the way back."""
    only_with_instances(stack)
    stack.succeed("cutover", "ec2")
    stack.succeed("verify")
    stack.succeed("rollout", type="t3.medium")
    stack.succeed("verify", type="t3.medium")
    stack.succeed("rollback")
    stack.succeed("verify")
    stack.succeed("cutover", "lambda")


def test_a_destroy_leaves_nothing(stack: LiveStack) -> None:
    """Everything would have to be made anew; the bucket is gone with its files."""
    stack.succeed("destroy", "--confirm", stack.name, "--with-files")
    assert within(SETTLING_SECONDS, lambda: set(stack.changes().values()) == {"create"})
    assert "nothing to take away" in stack.run("destroy", "--confirm", stack.name).stderr
