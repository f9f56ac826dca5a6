"""What the daemon receives, in virtual time: room, requests, back-off."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from support.daemon_world import (
    World,
    play,
)

from worker.core.port import CopyObject, Request
from worker.errors import AccessLostError
from worker.loop.queue_port import QueueUnavailableError


def test_a_backlog_costs_at_most_a_quarter_more_than_a_request_a_file() -> None:
    """1,000 files: copies, and a share of receives, deletes and acknowledgements."""

    async def scenario(world: World) -> None:
        for number in range(1_000):
            world.upload(f"{number}")
        await world.until_empty()
        requests = sum(world.objects.counts.values()) + sum(world.sqs.counts.values())
        assert all(world.is_moved(f"{number}") for number in range(1_000))
        assert requests <= 1_250, (world.objects.counts, world.sqs.counts)

    play(scenario)


def test_a_backlog_of_uneven_files_costs_no_more() -> None:
    """The same with copies that take anything from 20 ms to a second."""
    chance = random.Random(3)  # noqa: S311 - latencies, the same in every run

    async def scenario(world: World) -> None:
        world.s3.latency = lambda _: chance.uniform(0.02, 1.0)
        for number in range(1_000):
            world.upload(f"{number}")
        await world.until_empty()
        requests = sum(world.objects.counts.values()) + sum(world.sqs.counts.values())
        assert requests <= 1_250, (world.objects.counts, world.sqs.counts)

    play(scenario)


@hypothesis_settings(deadline=None, max_examples=25)
@given(
    concurrency=st.integers(1, 40),
    seed=st.integers(0, 1_000),
    slowest=st.floats(0.01, 30),
    files=st.integers(1, 80),
)
def test_never_more_is_received_than_there_is_room_for(
    concurrency: int, seed: int, slowest: float, files: int
) -> None:
    """Whatever the latencies: no poll asks for more, and never more copies are under way."""
    chance = random.Random(seed)  # noqa: S311 - latencies

    async def scenario(world: World) -> None:
        def check(most: int) -> None:
            assert most <= concurrency - world.daemon.workload.active

        world.queue.on_receive = check
        world.s3.latency = lambda _: chance.uniform(0, slowest)
        for number in range(files):
            world.upload(f"{number}")
        await world.until_empty(100_000)
        assert world.s3.most_copying <= concurrency

    play(scenario, concurrency=concurrency)


def test_a_few_slow_copies_do_not_hold_up_the_rest() -> None:
    """Three of four places are busy for an hour; everything else goes through the fourth."""

    async def scenario(world: World) -> None:
        def latency(request: Request) -> float:
            slow = isinstance(request, CopyObject) and "huge" in request.source.key
            return 3600.0 if slow else 0.05

        world.s3.latency = latency
        for number in range(3):
            world.upload(f"huge-{number}")
        await asyncio.sleep(1)
        for number in range(20):
            world.upload(f"{number}")
        await world.until(lambda: len(world.sqs.deleted) == 20, within_seconds=120)
        await world.until_empty(4000)
        assert all(each.receive_count == 1 for each in world.sqs.messages.values())
        assert world.s3.most_copying <= 4

    play(scenario, concurrency=4)


def test_refused_receives_back_off_and_do_not_spin() -> None:
    """An hour of refusals costs two or three calls a minute; then all goes on."""

    async def scenario(world: World) -> None:
        error = QueueUnavailableError("ReceiveMessage", "unreachable", access=False)
        world.sqs.fault = lambda _: error
        await asyncio.sleep(600)
        before = world.sqs.counts["receive"]
        await asyncio.sleep(3000)
        assert 1.9 <= (world.sqs.counts["receive"] - before) / 50 <= 4.1
        world.sqs.fault = lambda _: None
        world.upload("a")
        await world.until_empty(40)

    play(scenario)


def test_short_polls_that_find_nothing_do_not_spin_either() -> None:
    """WAIT_TIME_SECONDS=0 on an empty queue: about a call a second."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(60)
        assert 50 <= world.sqs.counts["receive"] <= 61

    play(scenario, wait_time_seconds=0)


def test_five_minutes_without_access_end_the_worker() -> None:
    """Refused for access all the while: a new process may have better credentials."""
    denied = QueueUnavailableError("ReceiveMessage", "ExpiredToken", access=True)
    lasted = []

    async def scenario(world: World) -> None:
        began = world.loop.time()
        world.sqs.fault = lambda _: denied
        try:
            await asyncio.sleep(3600)
        finally:
            lasted.append(world.loop.time() - began)

    with pytest.raises(AccessLostError, match="refused us"):
        play(scenario)
    assert 300 <= lasted[0] <= 300 + 2 * 30
