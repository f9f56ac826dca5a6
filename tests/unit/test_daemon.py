"""The daemon between twins of S3 and SQS, in virtual time: flow, room, redeliveries, requests."""

import asyncio

import pytest
from structlog.testing import capture_logs
from support.daemon_world import (
    DENIED,
    GARBAGE,
    World,
    body,
    play,
    record,
    settings,
    source,
    test_event,
)

from worker.core.move import MoveRules, OnConflict
from worker.core.pipeline import Rules
from worker.core.port import CopyObject, Deleted, DeleteObject, Fault, FaultKind, Replies, Request
from worker.core.verdict import OnMalformed, VerdictRules
from worker.errors import ExitCode

S3_SECONDS, SQS_SECONDS = 0.05, 0.01


def test_a_single_file_on_an_idle_worker_waits_for_no_batch() -> None:
    """From upload to acknowledgement: the latencies of its own four calls, and nothing more."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(5)  # the poll is open
        uploaded_at = world.loop.time()
        world.upload("a")
        await world.until(lambda: bool(world.sqs.deleted))
        (copied_at, _), (deleted_at, _) = world.s3.asked
        assert copied_at - uploaded_at == pytest.approx(SQS_SECONDS / 2)
        assert deleted_at - copied_at == pytest.approx(S3_SECONDS)
        assert world.loop.time() - deleted_at <= S3_SECONDS + SQS_SECONDS / 2 + 0.011
        assert world.is_moved("a")

    assert play(scenario, s3_seconds=S3_SECONDS, sqs_seconds=SQS_SECONDS) is ExitCode.DONE


def test_throttling_lowers_the_limit_and_it_climbs_back() -> None:
    """SlowDown, alone or within a DeleteObjects: fewer at a time, and in half a minute all."""
    slow_down = Fault(FaultKind.THROTTLED, "CopyObject", "SlowDown")

    async def scenario(world: World) -> None:
        await asyncio.sleep(1)
        for reply in (slow_down, Replies((Deleted(), slow_down))):
            world.daemon.note_reply(reply)
            await asyncio.sleep(0)
            limit = world.daemon.facts()["limit"]
            assert limit == 22
            await asyncio.sleep(40)
            assert world.daemon.facts()["limit"] == 32
        world.daemon.note_reply(Replies((Deleted(), Deleted())))
        await asyncio.sleep(0)
        assert world.daemon.facts()["limit"] == 32
        assert world.daemon.metrics.totals["throttled"] == 2

    play(scenario)


def test_a_redelivery_of_a_message_in_hand_is_not_worked_on_twice() -> None:
    """SQS delivers it again meanwhile: one copy, and the newest receipt is acknowledged."""

    async def scenario(world: World) -> None:
        world.s3.latency = lambda _: 10.0
        message = world.upload("a")
        for _ in range(3):
            await asyncio.sleep(2)
            world.sqs.duplicate(message)
        await world.until_empty(60)
        assert world.objects.counts["CopyObject"] == 1
        assert world.daemon.metrics.totals["redelivered-in-hand"] == 3
        assert world.is_moved("a")

    play(scenario)


def test_a_redelivery_during_the_acknowledgement_is_handled_anew() -> None:
    """The old receipt no longer counts: the newer delivery finds the move done, and ends it."""

    async def scenario(world: World) -> None:
        message = world.upload("a")
        world.queue.latency = lambda operation: 5.0 if operation == "delete" else 0.01
        await world.until(lambda: world.is_moved("a"))
        await asyncio.sleep(1)
        world.sqs.duplicate(message)
        await world.until_empty(30)
        assert world.daemon.metrics.totals["already-moved"] == 1
        assert world.daemon.facts()["in_hand"] == 1  # its own answer is on its way

    play(scenario)


def test_a_rejected_message_is_in_the_dead_letter_queue_within_seconds() -> None:
    """Released at once each time, and received as often as the redrive policy says."""

    async def scenario(world: World) -> None:
        message = world.sqs.send(GARBAGE)
        seconds = await world.until(lambda: message in world.sqs.dead)
        assert seconds < 5
        assert world.sqs.dead[message].receive_count == 5
        assert {change[2] for change in world.sqs.visibility_changes} == {0}

    play(scenario, max_receive_count=5)


def test_without_a_dead_letter_queue_a_rejected_message_backs_off() -> None:
    """It comes back later and later: an hour holds few receipts."""

    async def scenario(world: World) -> None:
        message = world.sqs.send(GARBAGE)
        await asyncio.sleep(3600)
        waits = [change[2] for change in world.sqs.visibility_changes]
        assert all(wait > 0 for wait in waits)
        assert waits[4] > waits[0] * 4
        assert world.sqs.messages[message].receive_count <= 14

    play(scenario, max_receive_count=None)


def test_a_dropped_message_is_logged_with_its_body() -> None:
    """ON_MALFORMED=drop: gone from the queue, and kept in the log; no other message is."""

    async def scenario(world: World) -> None:
        world.sqs.send(GARBAGE)
        world.upload("a")
        await world.until_empty()
        assert not world.sqs.dead

    with capture_logs() as logs:
        play(scenario, verdicts=VerdictRules(on_malformed=OnMalformed.DROP))
    (dropped,) = [line for line in logs if line["event"] == "message-dropped"]
    assert dropped["body"] == GARBAGE
    assert dropped["why"] == "the body is not JSON"


def test_a_message_is_not_acknowledged_while_one_of_its_records_fails() -> None:
    """Two of three records are moved: the message comes back, and goes once the third is, too."""

    async def scenario(world: World) -> None:
        def fault(request: Request) -> Fault | None:
            return DENIED if isinstance(request, CopyObject) and request.source == bad else None

        bad = source("bad")
        records = [record(name, world.objects.put(source(name), name).etag) for name in "xyz"]
        records[1] = record("bad", world.objects.put(bad, "bad").etag)
        world.s3.fault = fault
        message = world.sqs.send(body(*records))
        await world.until(lambda: world.sqs.messages[message].receive_count == 2)
        assert world.is_moved("x")
        assert world.is_moved("z")
        assert not world.is_moved("bad")
        world.s3.fault = lambda _: None
        await world.until_empty()
        assert world.is_moved("bad")
        assert world.sqs.deleted == [message]

    play(scenario)


def test_a_test_event_is_acknowledged() -> None:
    """Rule 11: no failure, no S3 call."""

    async def scenario(world: World) -> None:
        world.sqs.send(test_event())
        await world.until_empty()
        assert world.daemon.metrics.totals["skipped-test-event"] == 1
        assert not world.objects.requests

    play(scenario)


def test_new_rules_hold_from_the_next_message_on() -> None:
    """A reload takes over rules and times, and the poll's own lease stays what it was."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(1)  # a poll with the old visibility is open
        new = settings(visibility_timeout=600, wait_time_seconds=5)
        world.daemon.reload(new)
        world.s3.latency = lambda _: 200.0
        message = world.upload("a")
        await world.until(lambda: message in world.sqs.deleted)
        assert world.objects.counts["CopyObject"] == 1
        assert world.daemon.metrics.totals["redelivered-in-hand"] == 0
        assert world.daemon.settings.wait_time_seconds == 5

    play(scenario, visibility_timeout=30)


def test_a_fault_of_the_executor_itself_ends_no_message() -> None:
    """An exception where S3's reply should be: held like an outage, and moved in the end."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: RuntimeError("out of threads")
        for number in range(20):
            world.upload(f"{number}")
        await asyncio.sleep(3600)
        assert not world.sqs.dead
        assert max(each.receive_count for each in world.sqs.messages.values()) <= 3
        world.s3.fault = lambda _: None
        await world.until_empty(120)

    with capture_logs() as logs:
        play(scenario)
    assert any(line["event"] == "s3-call-failed" for line in logs)


def test_a_conflict_is_rejected_where_the_operator_says_so() -> None:
    """ON_CONFLICT=reject: both files stay where they are, the message goes to the DLQ."""

    async def scenario(world: World) -> None:
        world.daemon.handler.rules = Rules(
            world.daemon.handler.rules.route, MoveRules(on_conflict=OnConflict.REJECT)
        )
        world.upload("a", "first")
        await world.until_empty()
        message = world.upload("a", "second")
        await world.until(lambda: message in world.sqs.dead, within_seconds=10)
        assert source("a") in world.objects

    play(scenario)


def test_deletes_of_sources_travel_together() -> None:
    """Files of one moment share a DeleteObjects; a key that its XML cannot carry goes alone."""

    async def scenario(world: World) -> None:
        for name in ("a", "b", "c", "d\u0007"):
            world.upload(name)
        await world.until_empty()
        assert world.objects.counts["DeleteObjects"] == 1
        (alone,) = [each for each in world.objects.requests if isinstance(each, DeleteObject)]
        assert alone.location == source("d\u0007")

    play(scenario)
