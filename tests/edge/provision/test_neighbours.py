"""What is not ours stays as it is, to the byte, whatever we do; and nothing of ours is left."""

from collections.abc import Callable

import pytest
from support.neighbours import a_bucket, move_in, share, shared
from support.photograph import Picture, photograph
from support.provision_world import World

Build = Callable[..., World]

CUTS = (3, 12)
"""Within the pipeline, and after it."""


@pytest.fixture
def world(build: Build) -> World:
    """Give a stack among neighbours whose names are much like its own."""
    made = build()
    move_in(made.aws, made.blueprint.names)
    return made


def test_apply_and_destroy_leave_the_neighbours_as_they_are(world: World) -> None:
    """Applied, the account has more in it; destroyed, it is as before."""
    before = photograph(world.aws)
    world.apply()
    assert missing(photograph(world.aws), before) == {}
    world.destroy()
    assert photograph(world.aws) == before


@pytest.mark.heavy
@pytest.mark.parametrize("writes", CUTS)
def test_so_do_runs_that_are_cut_short(world: World, writes: int) -> None:
    """Cut, applied again, destroyed: the same."""
    before = photograph(world.aws)
    assert world.apply_until(writes)
    assert missing(photograph(world.aws), before) == {}
    world.apply()
    assert missing(photograph(world.aws), before) == {}
    world.destroy()
    assert photograph(world.aws) == before


def test_rule_07_in_the_owners_bucket_only_our_rule_comes_and_goes(build: Build) -> None:
    """Its own rules, EventBridge, policy, lifecycle and tags are as before, all along."""
    world = build(pipeline={"existing_bucket": True})
    bucket = world.blueprint.names.bucket
    a_bucket(world.aws, bucket)
    before = photograph(world.aws)
    world.apply()
    applied = photograph(world.aws)
    told = f"bucket {bucket} get_bucket_notification_configuration"
    [ours] = applied[told].pop("TopicConfigurations")
    assert ours["Id"] == f"s3-event-worker-{world.stack}"
    assert missing(applied, before) == {}
    world.destroy()
    assert photograph(world.aws) == before


def test_what_others_add_to_our_bucket_is_theirs(build: Build) -> None:
    """Their rule, statement, lifecycle rule and tag are no drift, and outlive a change of ours."""
    world = build()
    world.apply()
    bucket = world.blueprint.names.bucket
    theirs = share(world.aws, bucket)
    assert not world.plan().steps
    changed = build(
        world.stack,
        pipeline={"noncurrent_days": 5, "abort_multipart_days": 3, "source_prefix": "inbox/"},
        tags={"cost-centre": "42"},
    )
    assert changed.apply().done
    assert shared(world.aws, bucket) >= theirs


def test_a_destroy_keeps_the_bucket_unless_it_is_asked_for(world: World) -> None:
    """The bucket is still the stack's own: the next apply takes it up again."""
    world.apply()
    world.destroy("bucket")
    made = [step.key.kind for step in world.plan().steps]
    assert "queue" in made
    assert "bucket" not in made


def missing(now: Picture, before: Picture) -> Picture:
    """Return what is not any more as it was."""
    return {name: now.get(name) for name, told in before.items() if now.get(name) != told}
