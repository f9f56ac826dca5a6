"""Keeps connections to one origin open, and gives each request one of its own."""

import asyncio
import itertools
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from worker.aws.http.connection import BrokenConnectionError, Connection, Response
from worker.aws.http.sweeper import SILENT, Sweeper

ADDRESSES_SECONDS = 5.0
"""How long DNS's answer is used: S3's names have new addresses every few seconds."""


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
                address = await self._address(loop)
                _, connection = await loop.create_connection(
                    lambda: Connection(loop),
                    address,
                    origin.port,
                    ssl=origin.tls,
                    server_hostname=origin.host if origin.tls else None,
                )
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=origin.url, error=error) from error
        except OSError as error:  # refused, unreachable, no such name, a certificate of others
            self._addresses_until = 0.0
            raise EndpointConnectionError(endpoint_url=origin.url, error=error) from error
        self._sweeper.watch(connection)
        return connection

    async def _address(self, loop: asyncio.AbstractEventLoop) -> str:
        """Return one of the origin's addresses, in turn: S3 spreads its load by them."""
        if loop.time() >= self._addresses_until:
            found = await loop.getaddrinfo(self._origin.host, self._origin.port, type=1)
            self._addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
            self._addresses_until = loop.time() + ADDRESSES_SECONDS
        return self._addresses[next(self._turn) % len(self._addresses)]

    def _lost(self, why: str) -> Exception:
        make: Callable[..., Exception] = (
            ReadTimeoutError if why == SILENT else ConnectionClosedError
        )
        return make(endpoint_url=self._origin.url, error=why)
