"""Connections are kept, shared out and given up as they should be: against servers of our own."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from worker.aws.http.pool import Origin, Pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of a connection."""
    while await reader.readline():
        await reader.readuntil(b"\r\n")
        writer.write(OK)


class World:
    """A pool and the server behind it."""

    def __init__(self) -> None:
        self.connections = 0
        self.accepted = asyncio.Event()
        self.serve: Serve = answering
        self.pool = Pool(Origin("127.0.0.1", 1, None), 1, 1.0, 1.0)

    async def open(self, most: int = 4, silence_seconds: float = 60.0) -> None:
        """Listen, and make the pool."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            self.accepted.set()
            try:
                await self.serve(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        self.server = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.pool = Pool(Origin("127.0.0.1", port, None), most, 5.0, silence_seconds)

    async def ask(self) -> bytes:
        """Send a request; return its answer's body."""
        return (await self.pool.send(REQUEST)).body


def play(scenario: Callable[[World], Awaitable[None]]) -> None:
    """Play a scenario."""

    async def main() -> None:
        world = World()
        try:
            await scenario(world)
        finally:
            world.pool.close()
            if hasattr(world, "server"):
                world.server.close()
            await asyncio.sleep(0.01)

    asyncio.run(main())


def test_one_after_another_share_a_connection() -> None:
    """Ten requests, one connection."""

    async def scenario(world: World) -> None:
        await world.open()
        assert [await world.ask() for _ in range(10)] == [b"ok"] * 10
        assert world.connections == 1

    play(scenario)


def test_at_a_time_there_are_no_more_connections_than_allowed() -> None:
    """Forty requests at once, four connections."""

    async def scenario(world: World) -> None:
        await world.open(most=4)
        assert await asyncio.gather(*(world.ask() for _ in range(40))) == [b"ok"] * 40
        assert world.connections == 4

    play(scenario)


def test_a_connection_that_the_peer_closed_in_between_is_not_used() -> None:
    """S3 closes idle ones: the next request never meets that."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)

    async def scenario(world: World) -> None:
        world.serve = once
        await world.open()
        for _ in range(5):
            assert await world.ask() == b"ok"
            await asyncio.sleep(0.02)
        assert world.connections == 5

    play(scenario)


def test_a_peer_that_hangs_up_is_told_apart_from_one_that_is_silent() -> None:
    """As boto3 tells it; and a request after that has a connection of its own."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK[:20])

    async def be_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario(world: World) -> None:
        await world.open(silence_seconds=0.2)
        for serve, error in ((hang_up, ConnectionClosedError), (be_silent, ReadTimeoutError)):
            world.serve = serve
            with pytest.raises(error):
                await world.ask()
        world.serve = answering
        assert await world.ask() == b"ok"

    play(scenario)


def test_white_space_while_a_copy_lasts_is_no_silence() -> None:
    """S3 sends some now and then; only a peer that says nothing at all is given up."""

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(6):
            await asyncio.sleep(0.4)
            writer.write(b"1\r\n \r\n")
        writer.write(b"2\r\nok\r\n0\r\n\r\n")

    async def scenario(world: World) -> None:
        world.serve = slowly
        await world.open(silence_seconds=0.9)
        assert (await world.ask()).strip() == b"ok"

    play(scenario)


def test_who_stops_waiting_leaves_no_answer_to_the_next() -> None:
    """A cancelled request's connection is closed: its answer is nobody's."""

    async def hesitate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.write(OK.replace(b"ok", b"no"))
        await reader.read()

    async def scenario(world: World) -> None:
        world.serve = hesitate
        await world.open()
        asking = asyncio.create_task(world.ask())
        await world.accepted.wait()
        asking.cancel()
        world.serve = answering
        await asyncio.gather(asking, return_exceptions=True)
        assert await world.ask() == b"ok"
        assert world.connections == 2

    play(scenario)


def test_nobody_listening_is_an_endpoint_error() -> None:
    """Refused, or a name that nobody knows; the text says which."""

    async def scenario(world: World) -> None:
        with pytest.raises(EndpointConnectionError, match="Connect call failed"):
            await world.ask()
        nowhere = Pool(Origin("no-such-host.invalid", 1, None), 1, 5.0, 1.0)
        with pytest.raises((EndpointConnectionError, ConnectTimeoutError)):
            await nowhere.send(REQUEST)

    play(scenario)


def test_a_peer_without_a_certificate_to_trust_is_told_apart() -> None:
    """As boto3 tells it: nobody looks for the network's fault."""

    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(OK)

    async def scenario(world: World) -> None:
        world.serve = mumble
        await world.open()
        port = world.server.sockets[0].getsockname()[1]
        pool = Pool(Origin("127.0.0.1", port, ssl.create_default_context()), 1, 5.0, 1.0)
        with pytest.raises(SSLError, match="SSL validation failed"):
            await pool.send(REQUEST)

    play(scenario)


class TwoAddresses(asyncio.SelectorEventLoop):
    """A loop whose DNS knows two addresses of each name, of which the first leads nowhere."""

    async def getaddrinfo(self, host: object, port: object, **_: object) -> list[Any]:
        """Answer for the one name that is asked for here."""
        assert host == "two.example"
        return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]


def test_an_address_that_leads_nowhere_costs_no_request() -> None:
    """IPv6 without a route, a server that is down: the next address is tried, as boto3 does."""

    async def main() -> None:
        world = World()
        await world.open(most=40)
        port = world.server.sockets[0].getsockname()[1]
        pool = Pool(Origin("two.example", port, None), 40, 5.0, 60.0)
        answers = await asyncio.gather(*(pool.send(REQUEST) for _ in range(40)))
        assert [each.body for each in answers] == [b"ok"] * 40
        pool.close()
        world.server.close()
        await asyncio.sleep(0.01)

    with asyncio.Runner(loop_factory=TwoAddresses) as runner:
        runner.run(main())
