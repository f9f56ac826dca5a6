"""Who is mailed of alarms: whom the stack file names now, whoever it named before."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.mailboxes import agree, let_lapse, want_no_more
from support.provision_cli import run
from support.provision_world import World
from support.stacks import a_stack

from provision.aws.subscribed import read_subscribed
from provision.core.plan import Create, Plan, Remove, Update

Build = Callable[..., World]

OLD, NEW = "old@example.com", "new@example.com"


def mailing(world: World, address: str) -> World:
    """Say this address in the stack file, as an operator does, and look anew."""
    stack = a_stack(world.stack, watch={"email": address})
    known = read_subscribed(world.aws.sns, world.blueprint.names)
    world.blueprint = replace(world.blueprint, stack=stack, subscribed=known)
    return world


def listed(world: World) -> dict[str, str]:
    """Return whom the alarms' topic lists, and under which ARN."""
    told = world.aws.sns.list_subscriptions_by_topic(TopicArn=world.blueprint.names.alarm_topic_arn)
    return {each["Endpoint"]: each["SubscriptionArn"] for each in told["Subscriptions"]}


def told(plan: Plan) -> list[tuple[str, str]]:
    """Return what a plan does, and to what."""
    return [(type(step).__name__, str(step.key)) for step in plan.steps]


@pytest.fixture
def world(build: Build) -> World:
    """Give a stack whose alarms go to an address that has agreed."""
    made = build(watch={"email": OLD})
    made.apply()
    agree(OLD)
    return made


def test_an_address_that_the_file_names_no_more_is_mailed_no_more(world: World) -> None:
    """The plan says so; the new one is asked, and then nothing is left to do."""
    topic = world.blueprint.names.alarm_topic
    assert told(mailing(world, NEW).plan()) == [
        ("Remove", f"subscription/{topic}/email/{OLD}"),
        ("Update", f"topic/{topic}"),
        ("Create", f"subscription/{topic}/email/{NEW}"),
    ]
    world.apply()
    assert set(listed(world)) == {NEW}
    assert mailing(world, NEW).plan() == Plan()


def test_an_address_that_was_emptied_is_mailed_no_more(world: World) -> None:
    """Nobody is told then, and the next plan is empty."""
    mailing(world, "").apply()
    assert listed(world) == {}
    assert mailing(world, "").plan() == Plan()


def test_whom_somebody_else_subscribed_stays(world: World) -> None:
    """Our topic is ours; who was added to it by hand is not."""
    topic = world.blueprint.names.alarm_topic_arn
    world.aws.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="boss@example.com")
    agree("boss@example.com")
    mailing(world, NEW).apply()
    assert set(listed(world)) == {NEW, "boss@example.com"}
    mailing(world, "").apply()
    assert "boss@example.com" in listed(world)


def test_who_has_not_answered_cannot_be_taken_off_and_the_plan_says_so(
    build: Build, tmp_path: Path
) -> None:
    """It lapses, and no plan changes for that; verify's comparison stays empty."""
    world = build(watch={"email": OLD})
    world.apply()
    mailing(world, NEW).apply()
    key = f"subscription/{world.blueprint.names.alarm_topic}/email/{OLD}"
    seen = mailing(world, NEW).plan()
    assert [str(note.key) for note in seen.notes] == [key]
    assert seen.steps == ()
    shown = run(world, tmp_path, "plan").output
    assert key in shown
    assert "SNS cannot take it back" in " ".join(shown.split())
    let_lapse(OLD)
    assert mailing(world, NEW).plan() == Plan()


def test_who_agrees_after_all_is_taken_off_by_the_next_apply(build: Build) -> None:
    """The topic's tag remembers whom it was that we asked."""
    world = build(watch={"email": OLD})
    world.apply()
    mailing(world, NEW).apply()
    agree(OLD)
    assert isinstance(mailing(world, NEW).plan().steps[0], Remove)
    world.apply()
    assert set(listed(world)) == {NEW}
    assert mailing(world, NEW).plan() == Plan()


def test_who_wanted_no_more_is_taken_for_not_there(world: World) -> None:
    """SNS lists them as "Deleted" for days: the plan asks them again, and does not fail."""
    want_no_more(OLD)
    assert [type(step) for step in mailing(world, OLD).plan().steps] == [Create]
    assert told(mailing(world, NEW).plan())[0][0] == "Update"
    mailing(world, NEW).apply()
    assert mailing(world, NEW).plan() == Plan()


@pytest.mark.heavy
@pytest.mark.parametrize("writes", [1, 2, 3])
def test_cut_after_any_call_the_next_run_ends_with_the_new_address_alone(
    world: World, writes: int
) -> None:
    """Nobody is forgotten between the tag and the subscriptions."""
    assert mailing(world, NEW).apply_until(writes)
    mailing(world, NEW).apply()
    assert set(listed(world)) == {NEW}
    assert mailing(world, NEW).plan() == Plan()


def test_a_topic_without_the_tag_gets_it(world: World) -> None:
    """A stack of before is not asked to start anew; its address is recorded."""
    arn = world.blueprint.names.alarm_topic_arn
    world.aws.sns.untag_resource(ResourceArn=arn, TagKeys=["s3-event-worker:email"])
    [step] = mailing(world, OLD).plan().steps
    assert isinstance(step, Update)
    assert [(each.name, each.after) for each in step.changes] == [
        ("tag:s3-event-worker:email", OLD)
    ]


@pytest.mark.heavy
def test_the_commands_look_at_whom_we_subscribed(world: World, tmp_path: Path) -> None:
    """`provision plan` itself shows the removal, and destroy counts nobody of ours as others'."""
    mailing(world, NEW)
    assert f"- subscription/{world.blueprint.names.alarm_topic}/email/{OLD}" in (
        run(world, tmp_path, "plan").output
    )
    refused = run(world, tmp_path, "destroy", "--confirm", "another").output
    assert f"{OLD} listens to" not in refused
