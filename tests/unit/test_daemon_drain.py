"""How the daemon stops, in virtual time: what it releases, what it finishes, and by when."""

import asyncio
import signal

import pytest
from support.daemon_world import GARBAGE, World, play

from worker.core.port import CopyObject, Fault, FaultKind
from worker.errors import ExitCode
from worker.host.stop import StopReason
from worker.loop.queue_port import QueueUnavailableError


async def ended(world: World, within_seconds: float = 600.0) -> float:
    """Wait until the daemon has ended; return the seconds it took."""
    began = world.loop.time()
    await asyncio.wait({world.running}, timeout=within_seconds)
    assert world.running.done(), "the drain never ended"
    return world.loop.time() - began


def copies_take(seconds: float, world: World) -> None:
    """Let every copy take so long."""
    world.s3.latency = lambda request: seconds if isinstance(request, CopyObject) else 0.05


def test_a_stop_on_an_idle_worker_lets_the_open_poll_come_home() -> None:
    """Nothing to do: it ends with the poll, and polls no more."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(5)
        world.ask_to_stop()
        assert await ended(world) <= 20.1
        assert world.sqs.counts == {"receive": 1}

    assert play(scenario) is ExitCode.DONE


def test_what_the_late_poll_brings_is_released_within_a_second() -> None:
    """Messages that come home after the stop are visible again at once, and not begun."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(5)
        world.ask_to_stop()
        await asyncio.sleep(3)
        world.upload("a")
        await world.until(lambda: len(world.sqs.visibility_changes) == 1, within_seconds=1)
        assert [change[2] for change in world.sqs.visibility_changes] == [0]
        assert len(world.sqs.visible()) == 1
        await ended(world)
        assert not world.objects.requests
        assert world.daemon.metrics.totals["released-unstarted"] == 1

    assert play(scenario) is ExitCode.DONE


def test_running_moves_are_finished_with_their_leases_alive() -> None:
    """A copy of 80 s under leases of 10 s: no message is seen by anyone else meanwhile."""

    async def scenario(world: World) -> None:
        copies_take(80, world)
        for number in range(5):
            world.upload(f"{number}")
        await asyncio.sleep(2)
        world.ask_to_stop()

        async def watch() -> None:
            while True:
                assert not world.sqs.visible()
                await asyncio.sleep(0.1)

        watching = asyncio.create_task(watch())
        assert await ended(world) <= 80
        watching.cancel()
        assert not world.sqs.messages
        assert all(world.is_moved(f"{number}") for number in range(5))

    assert play(scenario, visibility_timeout=10) is ExitCode.DONE


def test_acknowledgements_under_way_are_not_cancelled() -> None:
    """The stop comes while a slow delete of messages is under way: it is waited for."""

    async def scenario(world: World) -> None:
        world.queue.latency = lambda operation: 30.0 if operation == "delete" else 0.01
        world.upload("a")
        await world.until(lambda: world.is_moved("a"))
        await asyncio.sleep(1)
        world.ask_to_stop()
        await ended(world)
        assert not world.sqs.messages

    assert play(scenario) is ExitCode.DONE


def test_the_deadline_cuts_short_and_releases_what_is_unfinished() -> None:
    """An endless copy: at the deadline its message is visible again, and the code says so."""

    async def scenario(world: World) -> None:
        copies_take(10_000, world)
        for number in range(25):
            world.upload(f"{number}")
        await asyncio.sleep(2)
        world.ask_to_stop(within_seconds=30)
        assert await ended(world) == pytest.approx(30, abs=0.2)
        assert len(world.sqs.visible()) == 25

    assert play(scenario) is ExitCode.DRAIN_CUT_SHORT


def test_a_release_at_the_deadline_is_not_undone_by_a_renewal() -> None:
    """A slow renewal is under way as the time runs out: the quick release waits for it."""

    async def scenario(world: World) -> None:
        copies_take(10_000, world)
        began = world.loop.time()
        deadline = began + 50.2  # the lease is renewed every 5 s: 0.2 s into the tenth renewal

        def latency(operation: str) -> float:
            is_renewal = operation == "change_visibility" and world.loop.time() < deadline
            return 1.0 if is_renewal else 0.01

        world.queue.latency = latency
        world.upload("a")
        await asyncio.sleep(2)
        world.ask_to_stop(within_seconds=deadline - world.loop.time())
        await ended(world)
        assert [seconds for _, _, seconds in world.sqs.visibility_changes] == [10] * 10 + [0]
        assert len(world.sqs.visible()) == 1

    assert play(scenario, visibility_timeout=10) is ExitCode.DRAIN_CUT_SHORT


def test_a_queue_that_does_not_answer_cannot_hold_the_end_up() -> None:
    """At the deadline the releases hang: two seconds, and no more."""

    async def scenario(world: World) -> None:
        copies_take(10_000, world)
        world.upload("a")
        await asyncio.sleep(2)
        world.queue.latency = lambda _: 100_000.0
        world.ask_to_stop(within_seconds=30)
        assert await ended(world) <= 32.1

    assert play(scenario) is ExitCode.DRAIN_CUT_SHORT


def test_a_queue_that_refuses_at_the_deadline_is_no_crash() -> None:
    """SQS is gone when the time runs out: the exit code still tells of the drain."""

    async def scenario(world: World) -> None:
        copies_take(10_000, world)
        world.upload("a")
        await asyncio.sleep(2)
        gone = QueueUnavailableError("any", "unreachable", access=False)
        world.sqs.fault = lambda _: gone
        world.ask_to_stop(within_seconds=30)
        await ended(world)

    assert play(scenario) is ExitCode.DRAIN_CUT_SHORT


def test_a_second_signal_ends_at_once() -> None:
    """No poll, no copy, no release is waited for."""

    async def scenario(world: World) -> None:
        copies_take(10_000, world)
        world.upload("a")
        await asyncio.sleep(2)
        world.stop.signal_came(signal.SIGTERM, 90)
        await asyncio.sleep(1)
        world.stop.signal_came(signal.SIGTERM, 90)
        assert await ended(world) == 0

    assert play(scenario) is ExitCode.DRAIN_CUT_SHORT


def test_a_deadline_tightened_midway_holds() -> None:
    """A spot notice during a SIGTERM's drain: its earlier end counts."""

    async def scenario(world: World) -> None:
        copies_take(10_000, world)
        world.upload("a")
        await asyncio.sleep(2)
        world.ask_to_stop(within_seconds=3600)
        await asyncio.sleep(100)
        world.stop.request(StopReason.SPOT_INTERRUPTION, 10)
        assert await ended(world) == pytest.approx(10, abs=0.2)

    assert play(scenario) is ExitCode.DRAIN_CUT_SHORT


def test_a_message_that_fails_during_the_drain_goes_back_at_once() -> None:
    """We leave, so somebody else may try without waiting."""

    async def scenario(world: World) -> None:
        fault = Fault(FaultKind.UNAVAILABLE, "CopyObject", "InternalError")
        world.s3.fault = lambda _: fault
        copies_take(5, world)
        world.upload("a")
        await asyncio.sleep(2)
        world.ask_to_stop()
        await ended(world)
        assert len(world.sqs.visible()) == 1
        assert world.sqs.visibility_changes[-1][2] == 0

    assert play(scenario) is ExitCode.DONE


def test_what_an_outage_holds_is_released_when_we_stop() -> None:
    """Held messages are let go within a second, not with their leases' end."""

    async def scenario(world: World) -> None:
        fault = Fault(FaultKind.ACCESS, "CopyObject", "AccessDenied")
        world.s3.fault = lambda _: fault
        for number in range(10):
            world.upload(f"{number}")
        await asyncio.sleep(620)  # between two renewals
        assert world.daemon.facts()["outage"]
        held = world.daemon.facts()["in_hand"]
        changes = len(world.sqs.visibility_changes)
        world.ask_to_stop()
        await asyncio.sleep(1)
        released = world.sqs.visibility_changes[changes:]
        assert [seconds for _, _, seconds in released] == [0] * len(released)
        # Our own open poll may bring one home again, and then that is released as well.
        assert len({world.sqs.id_of(receipt) for _, receipt, _ in released}) == held
        assert len(world.sqs.visible()) == 10
        await ended(world)

    assert play(scenario) is ExitCode.DONE


@pytest.mark.parametrize("after_seconds", [0.0, 0.005, 0.01, 0.0125, 0.02, 0.06, 0.11, 0.125])
def test_a_stop_at_any_moment_loses_no_message(after_seconds: float) -> None:
    """Every message is acknowledged and its file moved, or it is visible again at the end."""

    async def scenario(world: World) -> None:
        for number in range(12):
            world.upload(f"{number}")
        garbage = world.sqs.send(GARBAGE)
        await asyncio.sleep(after_seconds)
        world.ask_to_stop()
        await ended(world)
        left = {each.message_id for each in world.sqs.visible()} | set(world.sqs.dead)
        assert left | set(world.sqs.deleted) == {f"message-{number}" for number in range(13)}
        assert garbage not in world.sqs.deleted
        for number in range(12):
            assert world.is_moved(f"{number}") == (f"message-{number}" in world.sqs.deleted)

    assert play(scenario, concurrency=4) is ExitCode.DONE
