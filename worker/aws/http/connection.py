"""One HTTP/1.1 connection: a request out, its response in, one after another. RFC 9112."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

HEAD_MOST_BYTES = 64 * 1024
BODY_MOST_BYTES = 32 * 1024 * 1024
"""Far above ten messages of the largest size, escaped; what exceeds it is no answer of AWS's."""

NO_BODY_STATUSES = frozenset({204, 304})
CONTINUES_BELOW = 200
"""1xx are no answers yet; S3 may send them while it copies."""

END_OF_HEAD = b"\r\n\r\n"


class BrokenConnectionError(Exception):
    """Raised when there is no whole response: the peer hung up, was silent, or spoke no HTTP."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """Carries one request at a time. `clock` in seconds; `heard_at` is when it last got bytes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._buffer = b""
        self._is_head = False
        self.heard_at = loop.time()
        self.usable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes, *, is_head: bool = False) -> "asyncio.Future[Response]":
        """Send a request; the future brings its response or raises BrokenConnectionError."""
        self._waiter = waiter = self._loop.create_future()
        self._is_head = is_head
        self.heard_at = self._loop.time()
        if not self.usable or self._transport is None:
            waiter.set_exception(BrokenConnectionError("closed"))
        else:
            self._transport.write(request)
        return waiter

    @property
    def busy(self) -> bool:
        """Whether a response is awaited."""
        return self._waiter is not None

    def close(self, why: str = "closed") -> None:
        """End the connection; who waits for a response is told why there is none."""
        self.usable = False
        self._fail(why)
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; a response that is whole goes to its waiter."""
        self.heard_at = self._loop.time()
        self._buffer = self._buffer + data if self._buffer else data
        if self._waiter is None:
            self.close("bytes that nobody asked for")
            return
        try:
            response = self._take_response(at_end=False)
        except ValueError as error:
            self.close(str(error))
            return
        if response:
            self._deliver(response)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail who waits, unless the end of the stream was the end of the body."""
        self.usable = False
        if self._waiter is None:
            return
        try:
            response = self._take_response(at_end=exc is None)
        except ValueError:
            response = None
        if response:
            self._deliver(response)
        else:
            self._fail(str(exc or "the peer hung up"))

    def _deliver(self, response: Response) -> None:
        waiter, self._waiter = self._waiter, None
        if self._buffer or response.headers.get("connection", "").lower() == "close":
            self.close()
        if waiter and not waiter.done():
            waiter.set_result(response)

    def _fail(self, why: str) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter and not waiter.done():
            waiter.set_exception(BrokenConnectionError(why))

    def _take_response(self, *, at_end: bool) -> Response | None:
        """Return a whole response, and keep what follows it. Raises ValueError: it is no HTTP."""
        while True:
            end = self._buffer.find(END_OF_HEAD)
            if end < 0:
                if len(self._buffer) > HEAD_MOST_BYTES:
                    raise ValueError("a response's head that does not end")
                return None
            status, headers = _read_head(self._buffer[:end])
            start = end + len(END_OF_HEAD)
            if status >= CONTINUES_BELOW:
                break
            self._buffer = self._buffer[start:]
        if len(self._buffer) - start > BODY_MOST_BYTES:
            raise ValueError("a response's body that does not end")
        found = self._find_body(status, headers, start, at_end=at_end)
        if found is None:
            return None
        body, after = found
        self._buffer = self._buffer[after:]
        return Response(status, headers, body)

    def _find_body(
        self, status: int, headers: Mapping[str, str], start: int, *, at_end: bool
    ) -> tuple[bytes, int] | None:
        """Return the body and where it ends; None while it is not whole."""
        if self._is_head or status in NO_BODY_STATUSES:
            return b"", start
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return _read_chunks(self._buffer, start)
        if "content-length" in headers:
            end = start + _length(headers["content-length"], 10)
            return (self._buffer[start:end], end) if len(self._buffer) >= end else None
        self.usable = False  # its end is the stream's
        return (self._buffer[start:], len(self._buffer)) if at_end else None


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"no HTTP/1.1: {lines[0][:40]!r}")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if version == "HTTP/1.0" and headers.get("connection", "").lower() != "keep-alive":
        headers["connection"] = "close"
    return int(rest[:3]), headers


def _length(text: str | bytes, base: int) -> int:
    """Read a length. Raises ValueError also for one below 0: its chunk would be read for ever."""
    length = int(text, base)
    if length < 0:
        raise ValueError(f"a length below nothing: {length}")
    return length


def _read_chunks(buffer: bytes, start: int) -> tuple[bytes, int] | None:
    """Join the chunks; None while the last one is not there. Raises ValueError."""
    chunks: list[bytes] = []
    while True:
        line_end = buffer.find(b"\r\n", start)
        if line_end < 0:
            return None
        size = _length(buffer[start:line_end].partition(b";")[0], 16)
        start = line_end + 2
        if size == 0:
            return _skip_trailer(buffer, start, b"".join(chunks))
        if len(buffer) < start + size + 2:
            return None
        chunks.append(buffer[start : start + size])
        start += size + 2


def _skip_trailer(buffer: bytes, start: int, body: bytes) -> tuple[bytes, int] | None:
    while True:
        line_end = buffer.find(b"\r\n", start)
        if line_end < 0:
            return None
        if line_end == start:
            return body, start + 2
        start = line_end + 2
