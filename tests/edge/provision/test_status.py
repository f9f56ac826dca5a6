"""The status of stacks as they are in an account: not there, half-made, whole, in trouble."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from support.provision_world import World

from provision.aws.consumer import read_consumer, write_consumer
from provision.aws.stack_facts import Observer
from provision.core.status import QueueFacts, TwinFacts, consumers, judge
from provision.spec.blueprint import Consumer

Build = Callable[..., World]


def observer(world: World) -> Observer:
    """Look at a stack."""
    return Observer(world.aws, world.blueprint)


def test_a_stack_that_is_not_there_has_a_status(world: World) -> None:
    """Nothing is found, and no call fails."""
    facts = observer(world).stack()
    assert (facts.queue, facts.dead_letters, facts.group, facts.twin) == (None, None, None, None)
    assert judge(facts)[0].detail == "there is no queue yet"


@pytest.mark.parametrize("writes", [1, 3, 5, 8])
def test_a_half_made_stack_has_a_status(build: Build, writes: int) -> None:
    """Wherever the apply was cut."""
    world = build()
    assert world.apply_until(writes)
    assert consumers(observer(world).stack()) == frozenset()


def test_a_status_changes_nothing(world: World) -> None:
    """Describe, get and list calls only."""
    world.apply()
    with world.aws.recording() as sent:
        observer(world).stack()
    assert sent
    assert [each.operation for each in sent if each.writes] == []


def test_messages_and_dead_letters_are_counted(world: World) -> None:
    """One waits, one is in flight, one is set aside."""
    world.apply()
    names, sqs = world.blueprint.names, world.aws.sqs
    url = sqs.get_queue_url(QueueName=names.queue)["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.receive_message(QueueUrl=url)
    dead = sqs.get_queue_url(QueueName=names.dead_letter_queue)["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="{}")
    facts = observer(world).stack()
    assert facts.queue == QueueFacts(1, 1, None)
    assert facts.dead_letters == 1


def test_an_alarm_that_rings_is_told(world: World) -> None:
    """With CloudWatch's own reason."""
    world.apply()
    name = world.blueprint.names.alarm("dlq-not-empty")
    world.aws.cloudwatch.set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="1 datapoint was greater"
    )
    told = {each.subject: each.detail for each in judge(observer(world).stack())}
    assert told[f"alarm {name}"] == "1 datapoint was greater"


def test_lambda_consumes_once_its_mapping_is_enabled(build: Build) -> None:
    """Half-way of a cutover it is told that both the tag and the mapping must agree."""
    world = build(instances={"minimum": 0, "desired": 0})
    world.apply()
    facts = observer(world).stack()
    assert facts.twin == TwinFacts("Active", "Disabled")
    (mapping,) = world.aws.lambda_.list_event_source_mappings(
        FunctionName=world.blueprint.names.function
    )["EventSourceMappings"]
    world.aws.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    facts = observer(world).stack()
    assert consumers(facts) == {Consumer.LAMBDA}
    assert "though EC2 was cut over to" in judge(facts)[0].detail


def test_who_was_cut_over_to_is_the_queues_tag(world: World) -> None:
    """Nobody needs a file to know it; without a tag, or a queue, it is EC2."""
    queue, sqs = world.blueprint.names.queue, world.aws.sqs
    assert read_consumer(sqs, queue) is Consumer.EC2
    with pytest.raises(ClientError):
        write_consumer(sqs, queue, Consumer.LAMBDA)
    world.apply()
    assert read_consumer(sqs, queue) is Consumer.EC2
    for consumer in (Consumer.LAMBDA, Consumer.EC2):
        write_consumer(sqs, queue, consumer)
        assert read_consumer(sqs, queue) is consumer
    assert world.plan().steps == ()
