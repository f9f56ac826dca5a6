"""HTTP/1.1 as far as test servers need it: requests whole, answers whole, connections kept open.

Written by hand because the benchmark's server must cost next to nothing beside what it measures.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

REASONS = {100: "Continue", 200: "OK", 204: "No Content", 411: "Length Required"}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; header names in lower case, `target` as it stands in the request line."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer; Content-Length is added when it is sent, unless it is among the headers."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self) -> bytes:
        """Return the bytes that go over the wire."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Told')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        named = any(name.lower() == "content-length" for name, _ in self.headers)
        if self.status != 204 and not named:  # a 204 has no body, and must not name a length
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


class Connection(asyncio.Protocol):
    """One client's connection: hands each request to `serve`, which calls `answer` or `abort`.

    `gone` is called when the client hangs up.
    """

    def __init__(self, serve: Callable[[HttpRequest, "Connection"], None]) -> None:
        self._serve = serve
        self._buffer = b""
        self._head: tuple[str, str, dict[str, str], int] | None = None
        self._transport: asyncio.Transport | None = None
        self.gone: Callable[[], None] = _nothing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell whoever works for this client that nobody will read the answer."""
        self._transport = None
        self.gone()

    def data_received(self, data: bytes) -> None:
        """Gather a request, and hand it on when it is whole."""
        self._buffer += data
        if self._head is None and not self._read_head():
            return
        assert self._head
        method, target, headers, length = self._head
        if len(self._buffer) < length:
            return
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        self._head = None
        self._serve(HttpRequest(method, target, headers, body), self)

    def answer(self, encoded: bytes) -> None:
        """Send an answer (see HttpAnswer.encoded), if the client is still there."""
        if self._transport:
            self._transport.write(encoded)

    def abort(self) -> None:
        """Reset the connection."""
        if self._transport:
            self._transport.abort()

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        self._buffer = self._buffer[end + 4 :]
        method, target, _ = first.split(" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if "transfer-encoding" in headers:
            self.answer(HttpAnswer(411).encoded())
            self.abort()
            return False
        length = int(headers.get("content-length", "0"))
        if headers.get("expect", "").lower() == "100-continue" and len(self._buffer) < length:
            self.answer(CONTINUE)
        self._head = (method, target, headers, length)
        return True


ConnectionFactory: TypeAlias = Callable[[], Connection]


async def listen(factory: ConnectionFactory) -> tuple[asyncio.Server, str]:
    """Listen on a free port of 127.0.0.1; returns the server and its URL."""
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}"


def _nothing() -> None:
    """Stand in where nobody works for the client."""
