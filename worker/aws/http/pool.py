"""Keeps connections to one origin open, and gives each request one of its own."""

import asyncio
import itertools
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from worker.aws.http.connection import BrokenConnectionError, Connection, Response
from worker.aws.http.sweeper import SILENT, Sweeper

ADDRESSES_SECONDS = 5.0
"""How long DNS's answer is used: S3's names have new addresses every few seconds."""


class UnreachableError(EndpointConnectionError):
    """Raised when no connection comes about; botocore's own, which keeps the reason to itself."""

    fmt = 'Could not connect to the endpoint URL: "{endpoint_url}" ({error})'


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads; `tls` None: plain HTTP."""

    host: str
    port: int
    tls: ssl.SSLContext | None

    @property
    def url(self) -> str:
        """The origin as error messages name it."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


class Pool:
    """Connections to one origin, at most `most`. Times in seconds. For one event loop."""

    def __init__(
        self, origin: Origin, most: int, connect_seconds: float, silence_seconds: float
    ) -> None:
        self._origin = origin
        self._places = asyncio.Semaphore(most)
        self._connect_seconds = connect_seconds
        self._idle: deque[Connection] = deque()
        self._sweeper = Sweeper(silence_seconds)
        self._addresses: tuple[str, ...] = ()
        self._addresses_until = 0.0
        self._turn = itertools.count()

    async def send(self, request: bytes, *, is_head: bool = False) -> Response:
        """Send a request and wait for its response. Raises botocore's errors, as boto3 would."""
        async with self._places:
            connection = self._take_idle() or await self._connect()
            answer = connection.ask(request, is_head=is_head)
            try:
                response = await answer
            except BrokenConnectionError as error:
                raise self._lost(str(error)) from error
            except asyncio.CancelledError:
                connection.close()
                raise
            if connection.usable:
                self._idle.append(connection)
            else:
                self._sweeper.forget(connection)
            return response

    def close(self) -> None:
        """Close all connections; who waits for a response is told."""
        self._sweeper.close_all()

    def _take_idle(self) -> Connection | None:
        """Return the one used last: the others may be closed for idleness."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            self._sweeper.forget(connection)
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        origin = self._origin
        try:
            async with asyncio.timeout(self._connect_seconds):
                connection = await self._connect_to_any(loop, await self._resolve(loop))
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=origin.url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=origin.url, error=error) from error
        except OSError as error:  # refused, unreachable, no such name, too many open files
            self._addresses_until = 0.0
            raise UnreachableError(endpoint_url=origin.url, error=error) from error
        self._sweeper.watch(connection)
        return connection

    async def _resolve(self, loop: asyncio.AbstractEventLoop) -> tuple[str, ...]:
        """Return the addresses, each time another one first: S3 spreads its load by them."""
        if loop.time() >= self._addresses_until:
            found = await loop.getaddrinfo(self._origin.host, self._origin.port, type=1)
            self._addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
            self._addresses_until = loop.time() + ADDRESSES_SECONDS
        first = next(self._turn) % len(self._addresses)
        return self._addresses[first:] + self._addresses[:first]

    async def _connect_to_any(
        self, loop: asyncio.AbstractEventLoop, addresses: tuple[str, ...]
    ) -> Connection:
        """Connect to the first that takes us: IPv6 may lead nowhere, and a server may be down."""
        for address in addresses[:-1]:
            with suppress(OSError):
                return await self._connect_to(loop, address)
        return await self._connect_to(loop, addresses[-1])

    async def _connect_to(self, loop: asyncio.AbstractEventLoop, address: str) -> Connection:
        origin = self._origin
        _, connection = await loop.create_connection(
            lambda: Connection(loop),
            address,
            origin.port,
            ssl=origin.tls,
            server_hostname=origin.host if origin.tls else None,
        )
        return connection

    def _lost(self, why: str) -> Exception:
        make: Callable[..., Exception] = (
            ReadTimeoutError if why == SILENT else ConnectionClosedError
        )
        return make(endpoint_url=self._origin.url, error=why)
