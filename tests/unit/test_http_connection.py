"""Responses are read the same however the network cuts them; what is no response ends it."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import virtual_loop

from worker.aws.http.connection import BrokenConnectionError, Connection, Response

HEAD = b"HTTP/1.1 200 OK\r\nX-Odd:  two words \r\n"
BODIES = st.binary(max_size=200)


class Wire:
    """Stands in for a transport: keeps what was written, and whether it was aborted."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written.append(data)

    def abort(self) -> None:
        """Note it."""
        self.aborted = True


def asked(*, is_head: bool = False) -> tuple[Connection, Wire, "asyncio.Future[Response]"]:
    """Make a connection with a request on its way."""
    connection, wire = Connection(asyncio.get_running_loop()), Wire()
    connection.connection_made(cast("asyncio.BaseTransport", wire))
    return connection, wire, connection.ask(b"request", is_head=is_head)


def play(scenario: Callable[[], Any]) -> None:
    """Play a scenario within a loop."""

    async def main() -> None:
        scenario()

    virtual_loop.run(main)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut bytes at places, taken modulo their length."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def chunked(body: bytes, sizes: Sequence[int]) -> bytes:
    """Write a body in chunks of such sizes."""
    parts = cut(body, sizes)
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nTrailer: t\r\n\r\n"


@given(
    body=BODIES,
    places=st.lists(st.integers(0, 500), max_size=8),
    sizes=st.lists(st.integers(1, 200), max_size=4),
    in_chunks=st.booleans(),
    continues=st.integers(0, 2),
)
def test_a_response_is_the_same_however_it_is_cut(
    body: bytes, places: list[int], sizes: list[int], continues: int, *, in_chunks: bool
) -> None:
    """With a length or in chunks, after any number of 100 Continue, in any pieces."""
    plain = HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    whole = b"HTTP/1.1 100 Continue\r\n\r\n" * continues
    whole += chunked(body, sizes) if in_chunks else plain

    def scenario() -> None:
        connection, wire, answer = asked()
        pieces = cut(whole, places)
        for piece in pieces[:-1]:
            connection.data_received(piece)
        assert not answer.done()
        connection.data_received(pieces[-1])
        response = answer.result()
        assert (response.status, response.body) == (200, body)
        assert response.headers["x-odd"] == "two words"
        assert (connection.usable, connection.busy, wire.aborted) == (True, False, False)

    play(scenario)


@pytest.mark.parametrize(
    ("answer", "is_head"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False),
    ],
)
def test_some_answers_have_no_body_whatever_they_say(answer: bytes, *, is_head: bool) -> None:
    """HEAD's, 204 and 304."""

    def scenario() -> None:
        connection, _, waiter = asked(is_head=is_head)
        connection.data_received(answer)
        assert waiter.result().body == b""
        assert connection.usable

    play(scenario)


def test_a_body_without_a_length_ends_with_the_stream() -> None:
    """And the connection with it; if the stream broke, there was no whole body."""

    def scenario() -> None:
        connection, _, answer = asked()
        connection.data_received(HEAD + b"\r\nhalf")
        assert not answer.done()
        connection.connection_lost(None)
        assert answer.result().body == b"half"
        connection, _, answer = asked()
        connection.data_received(HEAD + b"\r\nhalf")
        connection.connection_lost(OSError("reset"))
        assert isinstance(answer.exception(), BrokenConnectionError)

    play(scenario)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 2xx OK\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000,
    ],
    ids=["other", "status", "length", "less", "chunk", "backwards", "endless"],
)
def test_what_is_no_http_ends_the_connection(answer: bytes) -> None:
    """The waiter is told; nothing is ever taken for a response."""

    def scenario() -> None:
        connection, wire, waiter = asked()
        connection.data_received(answer)
        assert isinstance(waiter.exception(), BrokenConnectionError)
        assert (connection.usable, wire.aborted) == (False, True)

    play(scenario)


@pytest.mark.parametrize("end", [b"Connection: close\r\n", b""])
def test_a_connection_that_ends_or_says_too_much_is_not_used_again(end: bytes) -> None:
    """`Connection: close`, or bytes after the response: the next answer might not be its own."""

    def scenario() -> None:
        connection, wire, answer = asked()
        extra = b"" if end else b"HTTP/1.1 200 OK\r\n"
        connection.data_received(HEAD + end + b"Content-Length: 2\r\n\r\nok" + extra)
        assert answer.result().body == b"ok"
        assert (connection.usable, wire.aborted) == (False, True)

    play(scenario)


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    """They could be taken for the next request's answer."""

    def scenario() -> None:
        connection, wire = Connection(asyncio.get_running_loop()), Wire()
        connection.connection_made(cast("asyncio.BaseTransport", wire))
        connection.data_received(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        assert (connection.usable, wire.aborted) == (False, True)

    play(scenario)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_nothing_that_comes_in_makes_it_raise(data: bytes, places: list[int]) -> None:
    """Whatever it is: a response, an error, or still waiting."""

    def scenario() -> None:
        connection, _, answer = asked()
        for piece in cut(b"HTTP/1.1 " + data, places):
            if connection.usable and connection.busy:
                connection.data_received(piece)
        connection.connection_lost(None)
        assert answer.done()
        answer.exception()

    play(scenario)
