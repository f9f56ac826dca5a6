"""One message in hand: its audit lines, its verdict, and what happens when something breaks."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs
from support.daemon_world import World, body, destination, play, record, source

from worker.core.move import Outcome, Result
from worker.core.pipeline import Audit
from worker.core.port import Fault, FaultKind
from worker.loop.handler import audit_fields
from worker.loop.queue_port import QueueUnavailableError


def logged(scenario: Callable[[World], Awaitable[None]], event: str) -> list[dict[str, object]]:
    """Play a scenario; return the log lines of this name."""
    with capture_logs() as logs:
        play(scenario)
    return [dict(line) for line in logs if line["event"] == event]


def test_every_object_has_one_audit_line() -> None:
    """Source, destination, ETag, bytes, outcome, attempt and seconds."""

    async def scenario(world: World) -> None:
        world.upload("a b+ü")
        await world.until_empty()

    (line,) = logged(scenario, "object")
    assert line["source"] == str(source("a b+ü"))
    assert line["destination"] == str(destination("a b+ü"))
    assert (line["outcome"], line["attempt"], line["bytes"]) == ("moved", 1, 1)
    assert line["seconds"] == pytest.approx(0.1, abs=0.01)
    assert line["etag"]


def test_a_message_of_several_records_has_a_line_for_each() -> None:
    """In the message's order, whatever became of each."""

    async def scenario(world: World) -> None:
        etag = world.objects.put(source("a"), "a").etag
        elsewhere = record("c", "e", prefix="elsewhere/")
        world.sqs.send(body(record("a", etag), record("gone", "e"), elsewhere))
        await world.until_empty()

    lines = logged(scenario, "object")
    assert [line["outcome"] for line in lines] == ["moved", "missing", "skipped"]
    assert lines[2]["detail"] == "other-prefix"


def test_an_audit_leaves_out_what_is_unknown() -> None:
    """A malformed message has no source, and says so by silence."""
    audit = Audit(Outcome(Result.MALFORMED, detail="no JSON"), 0.0)
    assert audit_fields(audit) == {"outcome": "malformed", "detail": "no JSON", "seconds": 0.0}


def test_a_message_that_comes_back_says_why_and_when() -> None:
    """With the attempt, so that the way to the dead-letter queue can be followed."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: Fault(FaultKind.REFUSED, "CopyObject", "InvalidRequest", "no")
        world.upload("a")
        await world.until(lambda: bool(world.sqs.visibility_changes))
        await asyncio.sleep(0.1)

    (line,) = logged(scenario, "message-comes-back")
    assert (line["verdict"], line["attempt"]) == ("retry", 1)
    assert line["why"] == "CopyObject: InvalidRequest (no)"
    assert line["after_seconds"] in {3, 4, 5}


def test_a_fault_of_one_object_alone_is_no_outage() -> None:
    """Refused for what it is, it is used up like any other: S3 itself is well."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: Fault(FaultKind.REFUSED, "CopyObject", "InvalidRequest")
        messages = {world.upload(f"{number}") for number in range(10)}
        await world.until(lambda: set(world.sqs.dead) == messages)
        assert world.daemon.facts()["outage"] is None

    play(scenario)


def test_an_archived_object_is_rejected() -> None:
    """InvalidObjectState: released at once, in the dead-letter queue within seconds."""

    async def scenario(world: World) -> None:
        world.s3.fault = lambda _: Fault(FaultKind.ARCHIVED, "CopyObject", "InvalidObjectState")
        message = world.upload("a")
        await world.until(lambda: message in world.sqs.dead, within_seconds=5)

    play(scenario)


def test_a_message_whose_acknowledgement_fails_comes_back_and_is_found_done() -> None:
    """One message alone is no outage: its lease runs out, and nothing is copied again."""

    async def scenario(world: World) -> None:
        gone = QueueUnavailableError("DeleteMessageBatch", "timeout", access=False)
        world.sqs.fault = lambda operation: (
            gone if operation == "delete" and world.sqs.counts["delete"] <= 4 else None
        )
        world.upload("a")
        await world.until_empty()
        assert world.objects.counts["CopyObject"] == 2
        assert world.daemon.metrics.totals["moved"] == 1
        assert world.daemon.metrics.totals["already-moved"] == 1

    (line,) = logged(scenario, "settle-failed")
    assert "timeout" in str(line["error"])


def test_a_slip_of_ours_costs_one_delivery_and_not_the_worker() -> None:
    """A reply that is no reply at all: logged with its traceback, and others go on."""

    async def scenario(world: World) -> None:
        real = world.daemon.handler.clock
        slips = [1]

        def clock() -> float:
            if slips and world.s3.asked:
                raise ZeroDivisionError(slips.pop())
            return real()

        world.daemon.handler.clock = clock
        world.upload("a")
        await world.until(lambda: not slips)
        world.daemon.handler.clock = real
        world.upload("b")
        await world.until_empty()
        assert world.is_moved("a")
        assert world.is_moved("b")

    (line,) = logged(scenario, "unexpected")
    assert line["exc_info"]


def test_a_message_after_a_slip_is_not_kept_for_ever() -> None:
    """It comes again while its last renewal is under way: nobody is at work, so it is begun."""

    async def scenario(world: World) -> None:
        real = world.daemon.handler.clock
        slips = [1]

        def clock() -> float:
            if slips and world.loop.time() - began > 6:
                raise ZeroDivisionError(slips.pop())
            return real()

        began = world.loop.time()
        world.daemon.handler.clock = clock
        world.s3.latency = lambda _: 6.5
        world.queue.latency = lambda operation: 4.0 if operation.startswith("change") else 0.01
        message = world.upload("a")
        await asyncio.sleep(7)  # the renewal is under way until 9 s
        assert not slips
        world.sqs.duplicate(message)
        await world.until_empty(within_seconds=60)
        assert world.is_moved("a")
        await asyncio.sleep(1)
        assert world.daemon.facts()["in_hand"] == 0
        assert world.daemon.workload.active == 0

    play(scenario, visibility_timeout=10)
