"""Leases: renewed in time whatever the timeout, ended before a verdict, 12 hours at most."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import virtual_loop
from support.queue_twin import QueueTwin, SlowQueue

from worker.loop.lease import LONGEST_LEASE_SECONDS, Lease, Leases, Renew, renewal_seconds
from worker.loop.queue_port import QueueUnavailableError


class World:
    """A queue with one message in hand, and the leases that keep it."""

    def __init__(self, timeout: int, latency: float = 0.0) -> None:
        self.loop = asyncio.get_running_loop()
        self.twin = QueueTwin(self.loop.time)
        self.queue = SlowQueue(self.twin, lambda _: latency)
        self.leases = Leases(cast("Renew", self.queue.change_visibility), self.loop.time)
        self.timeout = timeout
        self.running = asyncio.create_task(self.leases.run())

    def receive(self) -> Lease:
        """Receive a message and begin its lease."""
        self.twin.send("body")
        (received,) = self.twin.take(1, self.timeout)
        return self.leases.begin(Lease(received.receipt, self.loop.time(), self.timeout))

    async def stays_invisible(self, seconds: float, step: float) -> None:
        """Look again and again that no message may be received."""
        until = self.loop.time() + seconds
        while self.loop.time() < until:
            assert not self.twin.visible()
            await asyncio.sleep(step)


def play(scenario: Callable[[World], Awaitable[None]], timeout: int, latency: float = 0.0) -> None:
    """Play a scenario in virtual time."""

    async def main() -> None:
        world = World(timeout, latency)
        await scenario(world)
        assert not world.running.done()
        world.running.cancel()

    virtual_loop.run(main)


@settings(deadline=None, max_examples=60)
@given(
    timeout=st.one_of(st.integers(1, 12), st.integers(1, 43_200)),
    slowness=st.floats(0, 0.5),
    messages=st.integers(1, 25),
)
def test_a_held_message_is_never_visible(timeout: int, slowness: float, messages: int) -> None:
    """Whatever the timeout, and with calls that take half of it, or half a minute."""

    async def scenario(world: World) -> None:
        for _ in range(messages):
            world.receive()
            await asyncio.sleep(timeout / 50)
        await world.stays_invisible(min(4 * timeout, 40_000 - timeout), timeout / 20)
        assert world.leases.lost_count == 0

    play(scenario, timeout, latency=min(slowness * timeout, 30.0))


@given(st.integers(1, 43_200))
def test_a_renewal_is_due_well_before_the_end(timeout: int) -> None:
    """At half of the timeout at the latest, and a third of a short one."""
    due = Lease("r", 0.0, timeout).due
    assert due == pytest.approx(renewal_seconds(timeout))
    assert due <= timeout / 2
    assert timeout >= 10 or due <= timeout / 3


def test_a_lease_is_asked_for_its_timeout_from_now() -> None:
    """Each renewal sets the timeout anew, at half of it."""

    async def scenario(world: World) -> None:
        began = world.loop.time()
        world.receive()
        await asyncio.sleep(200)
        changes = [(at - began, seconds) for at, _, seconds in world.twin.visibility_changes]
        assert changes == [(60, 120), (120, 120), (180, 120)]

    play(scenario, 120)


def test_rule_20_a_lease_ends_after_twelve_hours() -> None:
    """Rule 20: the last renewal asks for what is left, and then the lease is lost."""

    async def scenario(world: World) -> None:
        lease = world.receive()
        await world.stays_invisible(LONGEST_LEASE_SECONDS - 2, 7)
        assert world.leases.lost_count == 0
        await asyncio.sleep(7_200)
        assert lease.lost
        assert len(world.twin.visible()) == 1
        assert world.leases.lost_count == 1
        held_until = [at + seconds for at, _, seconds in world.twin.visibility_changes]
        assert max(held_until) <= lease.received_at + LONGEST_LEASE_SECONDS

    play(scenario, 7_000)


def test_a_refused_renewal_means_a_lost_lease() -> None:
    """SQS says that somebody else has the message: it is renewed no more."""

    async def scenario(world: World) -> None:
        lease, other = world.receive(), world.receive()
        world.twin.refusal = lambda _, receipt: (
            "MessageNotInflight" if receipt == lease.receipt else None
        )
        await asyncio.sleep(35)
        assert (lease.lost, other.lost) == (True, False)
        asked = [receipt for _, receipt, _ in world.twin.visibility_changes]
        assert asked.count(lease.receipt) == 1
        assert asked.count(other.receipt) == 3

    play(scenario, 20)


@pytest.mark.parametrize("timeout", [1, 3, 10, 120])
def test_a_renewal_that_fails_is_tried_again_before_the_lease_runs_out(timeout: int) -> None:
    """SQS cannot be reached, and then can: nothing was lost, and nobody asked in a frenzy."""

    async def scenario(world: World) -> None:
        gone = QueueUnavailableError("ChangeMessageVisibilityBatch", "timeout", access=False)
        world.receive()
        world.twin.fault = lambda _: gone
        await world.stays_invisible(timeout * 0.85, timeout / 50)
        assert 2 <= world.twin.counts["change_visibility"] <= 16
        world.twin.fault = lambda _: None
        await world.stays_invisible(timeout * 3, timeout / 50)

    play(scenario, timeout)


def test_an_entry_that_sqs_failed_by_itself_is_tried_again() -> None:
    """InternalError says nothing about whose message it is."""

    async def scenario(world: World) -> None:
        lease = world.receive()
        world.twin.refusal = lambda _, __: "InternalError"
        await asyncio.sleep(15)
        world.twin.refusal = lambda _, __: None
        await world.stays_invisible(60, 0.5)
        assert not lease.lost

    play(scenario, 20)


@pytest.mark.parametrize("before", [0, 1])
def test_a_renewal_under_way_comes_home_before_the_lease_has_ended(before: int) -> None:
    """Otherwise it could arrive after a release, and hide the message again."""

    async def scenario(world: World) -> None:
        lease = world.receive()
        await asyncio.sleep(10 * before + 11)  # the last renewal left 1 s ago, and has not arrived
        assert len(world.twin.visibility_changes) == before
        await world.leases.end(lease)
        assert len(world.twin.visibility_changes) == before + 1
        await world.queue.change_visibility([(lease.receipt, 0)])
        await asyncio.sleep(5)
        assert len(world.twin.visible()) == 1
        changes = [seconds for _, _, seconds in world.twin.visibility_changes]
        assert changes == [20] * (before + 1) + [0]

    play(scenario, 20, latency=4)


def test_an_ended_lease_is_renewed_no_more() -> None:
    """Let go, the message is seen again when its timeout is over."""

    async def scenario(world: World) -> None:
        lease = world.receive()
        await world.leases.end(lease)
        await asyncio.sleep(30)
        assert len(world.twin.visible()) == 1
        assert not world.twin.visibility_changes

    play(scenario, 20)


def test_one_renewal_that_hangs_does_not_cost_the_other_leases() -> None:
    """A call without an answer: the others' renewals go on beside it."""

    async def scenario(world: World) -> None:
        hung = world.receive()
        slow = [1_000.0]
        world.queue.latency = lambda _: slow.pop() if slow else 0.1
        await asyncio.sleep(2)
        others = [world.receive() for _ in range(12)]
        await asyncio.sleep(200)
        assert hung.renewing
        visible = {message.receipt for message in world.twin.visible()}
        assert visible == {hung.receipt}
        assert not any(lease.lost for lease in others)

    play(scenario, 20)


def test_a_newer_receipt_is_the_one_that_is_renewed() -> None:
    """A redelivery brings its own receipt, time and timeout."""

    async def scenario(world: World) -> None:
        lease = world.receive()
        await asyncio.sleep(3)
        world.twin.duplicate("message-0")
        (again,) = world.twin.take(1, 10)
        lease.renew_receipt(again.receipt, world.loop.time(), 10)
        world.leases.begin(lease)
        await world.stays_invisible(60, 0.5)
        asked = {(receipt, seconds) for _, receipt, seconds in world.twin.visibility_changes}
        assert asked == {(again.receipt, 10)}

    play(scenario, 20)


def test_a_refusal_of_the_older_receipt_does_not_end_the_newer_lease() -> None:
    """The renewal left with the old receipt, the redelivery came meanwhile."""

    async def scenario(world: World) -> None:
        lease = world.receive()
        await asyncio.sleep(10.5)
        assert lease.renewing
        world.twin.duplicate("message-0")
        (again,) = world.twin.take(1, 20)
        lease.renew_receipt(again.receipt, world.loop.time(), 20)
        world.leases.begin(lease)
        await world.stays_invisible(60, 0.5)
        assert not lease.lost

    play(scenario, 20, latency=2)


def test_rule_20_leases_travel_by_tens() -> None:
    """25 leases of one moment take three calls a renewal."""

    async def scenario(world: World) -> None:
        for _ in range(25):
            world.receive()
        await asyncio.sleep(70)
        assert world.twin.counts["change_visibility"] == 3

    play(scenario, 120)


def test_an_end_to_the_renewing_leaves_nobody_waiting() -> None:
    """Cancelled in the middle of a renewal: who waits for it goes on."""

    async def scenario(world: World) -> None:
        lease = world.receive()
        await asyncio.sleep(11)
        assert lease.renewing
        stopped, world.running = world.running, asyncio.create_task(asyncio.sleep(99))
        stopped.cancel()
        await asyncio.wait_for(world.leases.end(lease), 1)
        assert stopped.cancelled()

    play(scenario, 20, latency=4)
