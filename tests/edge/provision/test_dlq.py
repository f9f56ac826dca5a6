"""Dead letters are looked at where they lie, explained, moved back or thrown away."""

import json
from pathlib import Path

import pytest
from support.ctrl_c import CtrlC, interrupted
from support.messages import Sample, record
from support.provision_cli import run
from support.provision_world import World
from support.recorded_aws import CutError, lose_the_answer

from provision.aws.dead_letters import DeadLetters
from provision.core.dead_letter import MoveTask
from provision.errors import PartialError, ProvisionError, RefusedError
from provision.redrive import begin, watch

GARBAGE = "not an event"
RECEIPTS = 6
"""One more than the stack's maxReceiveCount."""


@pytest.fixture
def world(world: World) -> World:
    """Give a stack that stands; S3's test event is out of its queue."""
    world.apply()
    world.aws.sqs.purge_queue(QueueUrl=url(world, world.blueprint.names.queue))
    return world


@pytest.fixture
def letters(world: World) -> DeadLetters:
    """Give its dead-letter queue."""
    return DeadLetters(world.aws.sqs, world.blueprint.names)


def url(world: World, name: str) -> str:
    """Return a queue's URL."""
    return world.aws.sqs.get_queue_url(QueueName=name)["QueueUrl"]


def set_aside(world: World, *bodies: str) -> None:
    """Have messages set aside by SQS, as those that nobody could deal with are."""
    queue = url(world, world.blueprint.names.queue)
    for body in bodies:
        world.aws.sqs.send_message(QueueUrl=queue, MessageBody=body)
    for _ in range(RECEIPTS * -(-len(bodies) // 10)):
        world.aws.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0
        )


def put_directly(world: World, body: str) -> None:
    """Send a message to the dead-letter queue: SQS cannot tell where it came from."""
    dead = url(world, world.blueprint.names.dead_letter_queue)
    world.aws.sqs.send_message(QueueUrl=dead, MessageBody=body)


def upload(world: World, key: str) -> str:
    """Return the message of an upload."""
    return json.dumps({"Records": [record(Sample(key=key, bucket=world.blueprint.names.bucket))]})


def test_a_look_takes_nothing_away(world: World, letters: DeadLetters) -> None:
    """Everybody else can receive all of it right afterwards; only the count of receives grew."""
    set_aside(world, *(f"{GARBAGE} {number}" for number in range(12)))
    first, second = letters.look(100), letters.look(100)
    assert len(first) == 12
    assert [each.id for each in first] == [each.id for each in second]
    assert [each.receives + 1 for each in first] == [each.receives for each in second]
    assert {each.source for each in first} == {world.blueprint.names.queue_arn}


def test_a_look_ends_at_its_limit(world: World, letters: DeadLetters) -> None:
    """Of three, two."""
    set_aside(world, "1", "2", "3")
    assert len(letters.look(2)) == 2


def test_a_look_that_is_interrupted_releases_what_it_holds(
    world: World, letters: DeadLetters
) -> None:
    """Cut at its second receive: what the first one brought is there for others at once."""
    set_aside(world, "1", "2", "3")
    with pytest.raises(CutError), world.aws.cut_after(2):
        letters.look(100)
    assert len(letters.look(100)) == 3


def test_rule_16_a_redrive_moves_all_letters_back_and_tells_how_far_it_is(
    world: World, letters: DeadLetters
) -> None:
    """The last look says that it is over; the queue has them, the dead-letter queue has none."""
    set_aside(world, "1", "2", "3")
    heard: list[MoveTask] = []
    done = moved_back(world, letters, heard, rate=1)
    assert (done.status, done.moved) == ("COMPLETED", 3)
    assert [each.moved for each in heard] == [0, 1, 2, 3]
    assert letters.look(10) == []
    queue = url(world, world.blueprint.names.queue)
    told = world.aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    assert sorted(each["Body"] for each in told["Messages"]) == ["1", "2", "3"]


def test_rule_16_a_move_that_runs_is_watched_and_not_begun_again(
    world: World, letters: DeadLetters
) -> None:
    """SQS would refuse a second one."""
    set_aside(world, "1", "2")
    letters.start_move(per_second=1)
    with world.aws.recording() as sent:
        assert moved_back(world, letters, []).moved == 2
    assert "sqs.StartMessageMoveTask" not in {each.operation for each in sent}


def test_a_move_whose_answer_was_lost_is_joined(world: World, letters: DeadLetters) -> None:
    """Asked for once more it is refused, for it runs: as when another operator was faster."""
    set_aside(world, "1", "2")
    with world.aws.befallen(lose_the_answer) as befell:
        assert moved_back(world, letters, [], rate=1).moved == 2
    assert "StartMessageMoveTask" in befell


def test_an_interrupt_within_the_one_call_that_changes_something_is_told_as_half_way(
    world: World, tmp_path: Path
) -> None:
    """SQS may have begun: exit status 3, and the command that shows it or goes on."""
    set_aside(world, GARBAGE)
    for command, at, said in (
        ("redrive", "StartMessageMoveTask", "`provision dlq redrive` watches it, or begins it"),
        (f"purge --confirm {world.stack}", "PurgeQueue", "`provision dlq list` shows"),
    ):
        ended = interrupted(world, tmp_path, CtrlC(at), "dlq", *command.split())
        assert (ended.status, "Traceback" in ended.err) == (3, False), ended.err
        assert "may" in ended.err
        assert said in ended.err


@pytest.mark.heavy
def test_a_second_redrive_waits_for_its_own_move(world: World, letters: DeadLetters) -> None:
    """The one before is over, and is not taken for it."""
    set_aside(world, "1")
    moved_back(world, letters, [])
    set_aside(world, "2")
    assert moved_back(world, letters, []).moved == 2


def test_a_move_that_fails_says_why(world: World, letters: DeadLetters) -> None:
    """SQS cannot tell where a message came from that was sent to the queue directly."""
    put_directly(world, GARBAGE)
    with pytest.raises(ProvisionError, match="CouldNotDetermineMessageSource"):
        moved_back(world, letters, [])


@pytest.mark.heavy
def test_a_move_that_takes_too_long_goes_on_by_itself(world: World, letters: DeadLetters) -> None:
    """The operator is told, and can watch it again."""
    set_aside(world, "1", "2", "3")
    with pytest.raises(PartialError, match="goes on by itself"):
        moved_back(world, letters, [], rate=1, patience=1)
    assert moved_back(world, letters, []).status == "COMPLETED"


def test_a_queue_that_is_not_ours_is_not_looked_into(world: World) -> None:
    """The tag says whose it is."""
    dead = url(world, world.blueprint.names.dead_letter_queue)
    world.aws.sqs.tag_queue(QueueUrl=dead, Tags={"s3-event-worker:stack": "another"})
    with pytest.raises(RefusedError, match="not this stack's"):
        DeadLetters(world.aws.sqs, world.blueprint.names)
    world.aws.sqs.tag_queue(QueueUrl=dead, Tags={"s3-event-worker:stack": world.stack})


def test_the_list_explains_each_letter_in_the_workers_words(world: World, tmp_path: Path) -> None:
    """What is garbage, and what would be moved; with --live, what S3 has by now."""
    set_aside(world, GARBAGE, upload(world, "uploads/a b.csv"))
    told = run(world, tmp_path, "dlq", "list").stdout
    assert "malformed: the body is not JSON" in told
    assert "uploads/a b.csv" in told
    assert "move: only while its ETag is" in told
    live = run(world, tmp_path, "dlq", "list", "--live").stdout
    assert "is gone, and was not moved" in live


def test_the_list_is_a_document_for_machines(world: World, tmp_path: Path) -> None:
    """One entry a letter, its body whole, with the worker's verdict."""
    set_aside(world, GARBAGE)
    [entry] = json.loads(run(world, tmp_path, "dlq", "list", "--json").stdout)
    assert (entry["body"], entry["explanation"]["verdict"]) == (GARBAGE, "reject")


def test_one_letter_is_shown_whole_by_the_beginning_of_its_id(
    world: World, letters: DeadLetters, tmp_path: Path
) -> None:
    """Its explanation, its times, its body; an id that is not there is an error with a hint."""
    set_aside(world, GARBAGE)
    [letter] = letters.look(1)
    shown = run(world, tmp_path, "dlq", "show", letter.id[:6]).stdout
    assert f"message {letter.id}\n" in shown
    assert "=> rejected: malformed" in shown
    assert shown.endswith(f"  body:\n    {GARBAGE}\n")
    missing = run(world, tmp_path, "dlq", "show", "nobody")
    assert (missing.exit_code, "`provision dlq list`" in missing.stderr) == (1, True)


def test_a_purge_asks_for_the_stacks_name(
    world: World, letters: DeadLetters, tmp_path: Path
) -> None:
    """With another name nothing is thrown away; with the right one all of it."""
    set_aside(world, GARBAGE)
    refused = run(world, tmp_path, "dlq", "purge", typed="other\n")
    assert (refused.exit_code, len(letters.look(10))) == (1, 1)
    agreed = run(world, tmp_path, "dlq", "purge", typed=f"{world.stack}\n")
    assert (agreed.exit_code, letters.look(10)) == (0, [])


def test_a_stack_without_queues_has_no_letters_to_list(world: World, tmp_path: Path) -> None:
    """The next command is named."""
    world.destroy()
    told = run(world, tmp_path, "dlq", "list")
    assert (told.exit_code, "`provision apply`" in told.stderr) == (1, True)


def moved_back(
    world: World,
    letters: DeadLetters,
    heard: list[MoveTask],
    *,
    rate: int | None = None,
    patience: float = 60,
) -> MoveTask:
    """Redrive; every wait sets the clock forward."""
    before = letters.latest_move()
    begin(letters, before, rate)
    return watch(
        letters,
        before,
        patience_seconds=patience,
        sleep=world.region.clock.advance,
        told=heard.append,
    )
