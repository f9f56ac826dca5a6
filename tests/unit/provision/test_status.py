"""What a status says: who consumes, and what is wrong, loudly."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from provision.core.finding import Level, failures
from provision.core.group import GroupFacts, InstanceFacts
from provision.core.refresh import Refresh
from provision.core.status import (
    ActivityFacts,
    AlarmFacts,
    QueueFacts,
    StackFacts,
    TwinFacts,
    consumers,
    judge,
    judge_twin,
)
from provision.screen.status_view import ago, status_document, status_view
from provision.spec.blueprint import Consumer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WORKS = InstanceFacts("i-1", "us-east-2a", "InService", "Healthy", "t3.small", "3", "ami-1")
GROUP = GroupFacts("files-workers", 1, 1, 2, "3", (WORKS,))
EMPTY = replace(GROUP, minimum=0, desired=0, maximum=0, instances=())
OFF, ON = TwinFacts("Active", "Disabled"), TwinFacts("Active", "Enabled")
WELL = StackFacts(NOW, queue=QueueFacts(0, 0, 3.0), dead_letters=0, group=GROUP, twin=OFF)
FAILED = ActivityFacts(NOW, "Failed", "Launching a new EC2 instance", "no capacity in us-east-2a")


def shown(facts: StackFacts, width: int = 120) -> str:
    """Return what a terminal of this width shows."""
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(status_view("files", facts))
    return captured.get()


@pytest.mark.parametrize(
    ("group", "twin", "expected"),
    [
        (GROUP, OFF, {Consumer.EC2}),
        (EMPTY, ON, {Consumer.LAMBDA}),
        (GROUP, ON, {Consumer.EC2, Consumer.LAMBDA}),
        (EMPTY, OFF, set()),
        (None, None, set()),
        (GROUP, TwinFacts("Active", "Disabling"), {Consumer.EC2, Consumer.LAMBDA}),
        (GROUP, TwinFacts("Active", "Enabling"), {Consumer.EC2}),
        (GROUP, TwinFacts("Active", "Updating"), {Consumer.EC2}),
        (replace(GROUP, instances=(replace(WORKS, health="Unhealthy"),)), OFF, set()),
        (replace(GROUP, instances=(replace(WORKS, lifecycle_state="Pending"),)), OFF, set()),
    ],
)
def test_who_consumes(
    group: GroupFacts | None, twin: TwinFacts | None, expected: set[Consumer]
) -> None:
    """EC2 while an instance is in service and healthy, Lambda while its mapping polls."""
    assert consumers(replace(WELL, group=group, twin=twin)) == expected


def test_an_updating_mapping_polls_if_the_function_was_cut_over_to() -> None:
    """Lambda does not tell whether it was enabled before."""
    facts = replace(
        WELL, group=EMPTY, twin=TwinFacts("Active", "Updating"), declared=Consumer.LAMBDA
    )
    assert consumers(facts) == {Consumer.LAMBDA}
    assert judge(facts)[0].level is Level.OK


def test_a_stack_that_is_well_has_nothing_to_say_but_who_consumes() -> None:
    """One finding, and no failure."""
    (only,) = judge(WELL)
    assert (only.level, only.detail) == (Level.OK, "EC2 consumes")


@pytest.mark.parametrize(
    ("facts", "level", "told", "hint"),
    [
        (replace(WELL, queue=None), Level.FAILURE, "no queue yet", "provision apply"),
        (replace(WELL, twin=ON), Level.WARNING, "both EC2 and Lambda", "cutover ec2"),
        (
            replace(WELL, group=EMPTY, twin=ON),
            Level.WARNING,
            "Lambda consumes, though EC2 was cut over to",
            "cutover ec2",
        ),
        (
            replace(WELL, group=EMPTY, declared=Consumer.LAMBDA, queue=QueueFacts(7, 0)),
            Level.FAILURE,
            "nobody consumes; messages waiting: 7",
            "cutover lambda",
        ),
        (replace(WELL, group=None), Level.FAILURE, "nobody consumes", "provision ami bake"),
        (
            replace(WELL, group=replace(EMPTY, maximum=2), queue=QueueFacts(7, 0)),
            Level.WARNING,
            "no worker runs, as minimum = 0 in the stack file allows; messages waiting: 7",
            "provision apply",
        ),
        (
            replace(WELL, group=replace(EMPTY, minimum=1, maximum=2)),
            Level.FAILURE,
            "nobody consumes",
            "scaling activities",
        ),
        (
            replace(WELL, group=replace(GROUP, instances=())),
            Level.FAILURE,
            "nobody consumes",
            "scaling activities",
        ),
    ],
)
def test_whoever_is_missing_or_too_many_is_told_with_the_next_command(
    facts: StackFacts, level: Level, told: str, hint: str
) -> None:
    """The first finding is always about who consumes."""
    first = judge(facts)[0]
    assert first.level is level
    assert told in first.detail
    assert hint in first.hint


def test_what_is_wrong_is_loud() -> None:
    """Dead letters, alarms, a launch that failed just now, suspended processes."""
    facts = replace(
        WELL,
        dead_letters=2,
        alarms=(AlarmFacts("files-dlq-not-empty", "ALARM", NOW, "2 > 1"),),
        activities=(FAILED,),
        group=replace(GROUP, suspended=("Launch",)),
    )
    told = [(each.level, each.detail) for each in judge(facts)]
    assert told[1:] == [
        (Level.FAILURE, "set aside: 2"),
        (Level.FAILURE, "2 > 1"),
        (Level.FAILURE, "no capacity in us-east-2a"),
        (Level.WARNING, "suspended: Launch"),
    ]


def test_rule_35_a_failed_launch_is_shown_with_its_reason_and_becomes_history() -> None:
    """It stands among the activities; after an hour it fails the status no more."""
    old = replace(FAILED, started=NOW - timedelta(hours=2))
    assert "no capacity in us-east-2a" in shown(replace(WELL, activities=(old,)))
    assert not failures(judge(replace(WELL, activities=(old,))))


def test_the_screen_shows_instances_refresh_and_figures() -> None:
    """All that an operator looks for stands on one screen."""
    facts = replace(
        WELL,
        queue=QueueFacts(12, 5, 61.4),
        refresh=Refresh("r-1", "InProgress", "4", 50, 1, "waiting for i-2"),
        alarms=(AlarmFacts("files-oldest-message", "OK", NOW - timedelta(days=3)),),
    )
    text = shown(facts)
    for told in (
        "waiting 12    in flight 5    oldest 61 s    dead letters 0",
        "i-1       us-east-2a  InService  Healthy  3",
        "instance refresh InProgress, 50 %, 1 to replace: waiting for i-2",
        "1 in service of 1 desired (minimum 1, maximum 2)",
        "template version 3, t3.small, ami-1",
        "files-oldest-message   OK   for 3 d",
        "function Active, mapping Disabled",
    ):
        assert told in text, text


def test_type_and_ami_stand_at_each_instance_where_they_differ() -> None:
    """In the middle of a rollout, or on spot capacity of several types."""
    new = replace(WORKS, id="i-2", template_version="4", image="ami-2")
    text = shown(replace(WELL, group=replace(GROUP, instances=(WORKS, new))))
    assert "template version 3, t3.small\n" in _without_padding(text)
    assert "Healthy  3        t3.small ami-1" in text
    assert "Healthy  4        t3.small ami-2" in text


def test_a_launch_that_fails_again_and_again_is_told_once() -> None:
    """What happened before it stays on the screen."""
    earlier = replace(FAILED, started=NOW - timedelta(minutes=9))
    first = ActivityFacts(NOW - timedelta(hours=3), "Successful", "Launching i-1")
    text = shown(replace(WELL, activities=(FAILED, earlier, first)))
    assert text.count("no capacity in us-east-2a (2 times)") == 1
    assert "3 h" in text


def test_an_alarm_that_rings_says_what_to_do_and_stands_first() -> None:
    """By its own description."""
    ringing = AlarmFacts("z", "ALARM", NOW, "2 > 1", "look into it")
    facts = replace(WELL, alarms=(AlarmFacts("a", "OK", NOW), ringing))
    assert judge(facts)[1].hint == "look into it"
    text = shown(facts)
    assert text.index("z   ALARM") < text.index("a   OK")


@pytest.mark.parametrize("width", [80, 100])
def test_a_usual_screen_fits_its_terminal(width: int) -> None:
    """Ids as long as AWS makes them: no row is folded."""
    real = replace(WORKS, id="i-0123456789abcdef0", lifecycle_state="Terminating:Proceed")
    text = shown(replace(WELL, group=replace(GROUP, instances=(real,))), width)
    assert f"{real.id}  us-east-2a  Terminating:Proceed  Healthy  3" in text


def _without_padding(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_a_stack_of_which_nothing_exists_has_a_screen() -> None:
    """Half-made stacks are looked at most."""
    text = shown(StackFacts(NOW))
    for told in ("no queue yet", "no group yet", "no function yet", "no alarm yet"):
        assert told in text


def test_the_document_is_plain_json_and_names_the_consumers() -> None:
    """For machines: findings and everything observed."""
    document = json.loads(json.dumps(status_document("files", WELL)))
    assert document["consumers"] == ["ec2"]
    assert document["cut_over_to"] == "ec2"
    assert document["observed"]["queue"]["waiting"] == 0
    assert document["observed"]["at"] == "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("twin", "level", "told"),
    [
        (ON, Level.OK, "Active, its mapping Enabled"),
        (OFF, Level.FAILURE, "is Active, its mapping Disabled"),
        (TwinFacts("Pending", "Enabled"), Level.FAILURE, "is Pending, its mapping Enabled"),
        (TwinFacts("Active", ""), Level.FAILURE, "is Active, its mapping not there"),
        (None, Level.FAILURE, "is not there"),
    ],
)
def test_a_function_that_was_cut_over_to_is_verified(
    twin: TwinFacts | None, level: Level, told: str
) -> None:
    """It must be active, and its mapping must poll."""
    found = judge_twin(twin)
    assert (found.level, found.detail) == (level, told)


@given(st.integers(0, 10**8))
def test_ago_is_never_off_by_more_than_half(seconds: int) -> None:
    """A number and a unit, rounded down by less than a half."""
    count, unit = ago(NOW - timedelta(seconds=seconds), NOW).split()
    size = {"s": 1, "min": 60, "h": 3600, "d": 86_400}[unit]
    assert int(count) * size <= seconds < 1.5 * int(count) * size + 1
