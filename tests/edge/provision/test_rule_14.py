"""Rule 14: what is there already is never created again with something else."""

from collections.abc import Callable

from support.provision_world import World

Build = Callable[..., World]


def test_rule_14_tags_and_attributes_change_by_calls_of_their_own(build: Build) -> None:
    """CreateQueue and CreateTopic would be refused; each call of the first apply made one thing."""
    world = build()
    with world.aws.recording() as first:
        world.apply()
    names = world.blueprint.names
    made = [each.parameters for each in first if each.operation == "sqs.CreateQueue"]
    assert [each["QueueName"] for each in made] == [names.dead_letter_queue, names.queue]
    changed = build(
        world.stack,
        tags={"cost-centre": "7"},
        pipeline={"retention_days": 2, "bucket": names.bucket},
    )
    with changed.aws.recording() as second:
        changed.apply()
    sent = {each.operation for each in second if each.writes}
    assert {"sns.TagResource", "sqs.TagQueue", "sqs.SetQueueAttributes"} <= sent
    assert not {"sns.CreateTopic", "sqs.CreateQueue"} & sent
    assert changed.plan().steps == ()
