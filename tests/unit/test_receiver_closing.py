"""A receiver that closes lets its open polls come home, and loses nothing they bring."""

import asyncio

from support.receiver_world import GONE, World, play


def test_a_stop_brings_every_open_poll_home() -> None:
    """What they bring is returned, and none of it was begun."""

    async def scenario(world: World) -> None:
        world.most = 2_000
        for _ in range(200):
            world.twin.send("body")
        await asyncio.sleep(10)
        assert len(world.started) == 200
        assert len(world.receiver._open) > 1  # noqa: SLF001 - those under way
        world.running.cancel()
        world.receiver.stop_helping()
        closing = asyncio.create_task(world.receiver.close())
        await asyncio.sleep(1)
        late = {world.twin.send("body") for _ in range(40)}
        assert {each.message_id for each in await closing} <= late
        assert len(world.started) == 200
        asked = len(world.queue.asked)
        await asyncio.sleep(60)
        assert len(world.queue.asked) == asked

    play(scenario)


def test_a_closed_receiver_returns_what_its_open_poll_brings() -> None:
    """Nothing of it was begun, and no other poll is opened."""

    async def scenario(world: World) -> None:
        await asyncio.sleep(5)
        world.running.cancel()
        closing = asyncio.create_task(world.receiver.close())
        await asyncio.sleep(2)
        assert not closing.done()
        message = world.twin.send("body")
        assert [each.message_id for each in await closing] == [message]
        assert not world.started
        await asyncio.sleep(60)
        assert len(world.queue.asked) == 1

    play(scenario)


def test_a_poll_that_came_home_in_the_moment_of_the_stop_is_not_lost() -> None:
    """The answer is there, the receiver has not seen it: closing returns it."""

    async def scenario(world: World) -> None:
        message = world.twin.send("body")
        await asyncio.sleep(0.1)  # the poll's answer is due in this very moment
        for _ in range(20):
            if any(poll.done() for poll in world.receiver._open):  # noqa: SLF001 - the moment
                break
            await asyncio.sleep(0)
        world.running.cancel()
        late = await world.receiver.close()
        begun = [each.message_id for each, _, _ in world.started]
        assert begun + [each.message_id for each in late] == [message]

    play(scenario)


def test_a_receiver_without_an_open_poll_closes_at_once() -> None:
    """It was backing off, or its last poll was refused."""

    async def scenario(world: World) -> None:
        world.twin.fault = lambda _: GONE
        await asyncio.sleep(10)
        world.running.cancel()
        assert await world.receiver.close() == []

    play(scenario)


def test_a_refusal_of_the_last_poll_is_no_error() -> None:
    """It brought nothing; there is nothing to release."""

    async def scenario(world: World) -> None:
        world.twin.fault = lambda _: GONE
        await asyncio.sleep(0.01)
        world.running.cancel()
        assert await world.receiver.close() == []

    play(scenario)
