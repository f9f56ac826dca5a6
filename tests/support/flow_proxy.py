"""A proxy between worker and AWS that does what networks and services do: refuse, cut, lose, delay.

Of our own because it must be steered from within the test while requests are under way (hold this
operation until I say so), draw from one seed, and answer a copy with 200 and an error in its body.
"""

import asyncio
import functools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from support.flow_http import Connection, HttpAnswer, HttpRequest, listen
from worker.demo.embedded.operations import RequestCounter, operation_name

LATE_SECONDS = 0.7
"""Long enough that others overtake the request, short enough for a test."""

COPIES = frozenset({"CopyObject", "UploadPartCopy", "CompleteMultipartUpload"})
"""Operations that S3 may answer with 200 and an error in the body (rule 22)."""

FORM = "application/x-www-form-urlencoded"
"""The query protocol's body, of EC2 and Auto Scaling for instance."""

DROPPED_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding"})


class Trouble(StrEnum):
    """What may happen to one request."""

    SLOW_DOWN = "503 SlowDown"
    INTERNAL = "500 InternalError"
    RESET = "connection reset before anything happened"
    LOST = "done, and the answer lost"
    LATE = "done late"
    ERROR_IN_200 = "200 with an error in its body"
    DENIED = "403 AccessDenied"


Decide = Callable[[str], Trouble | None]
"""Takes an operation such as "CopyObject"; None lets the request pass."""

ERRORS = {
    Trouble.SLOW_DOWN: (503, "SlowDown", "ServiceUnavailable"),
    Trouble.INTERNAL: (500, "InternalError", "InternalFailure"),
    Trouble.ERROR_IN_200: (200, "InternalError", "InternalFailure"),
    Trouble.DENIED: (403, "AccessDenied", "AccessDeniedException"),
}
"""Status, and the error's code in S3's XML and in SQS's JSON."""


def now_and_then(share: float, seed: int) -> Decide:
    """Bring each kind of trouble upon `share` of the requests of every operation, but DENIED."""
    dice = random.Random(seed)  # noqa: S311 - a game of dice, not a secret

    def decide(operation: str) -> Trouble | None:
        kinds = [each for each in Trouble if each is not Trouble.DENIED]
        if operation not in COPIES:
            kinds.remove(Trouble.ERROR_IN_200)
        return next((each for each in kinds if dice.random() < share), None)

    return decide


def s3_denied(operation: str) -> Trouble | None:
    """Refuse whatever the worker asks of S3, as after a slip in its IAM policy."""
    asked_of_s3 = operation.startswith(("Copy", "Delete", "Head", "GetObject", "Put", "List"))
    return Trouble.DENIED if asked_of_s3 and "Message" not in operation else None


class FaultProxy:
    """Forwards to `upstream` (a URL) from a thread of its own while the `with` block lasts."""

    def __init__(self, upstream: str) -> None:
        self.requests = RequestCounter()
        """How many requests came in, by operation."""
        self.troubles = RequestCounter()
        """How many of them met which trouble."""
        self.endpoint_url = ""
        self._upstream = urlsplit(upstream)
        self._decide: Decide = _pass
        self._gates: dict[str, asyncio.Event] = {}
        self._waiting = RequestCounter()
        self._under_way: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._up = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._up.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextmanager
    def trouble(self, decide: Decide) -> Iterator[None]:
        """Let `decide` choose what befalls each request for as long as the block lasts."""
        self._decide = decide
        try:
            yield
        finally:
            self._decide = _pass

    @contextmanager
    def holding(self, operation: str) -> Iterator[None]:
        """Keep all requests of an operation waiting, unforwarded, for as long as the block lasts.

        Who hangs up meanwhile has asked for nothing.
        """
        gate = asyncio.Event()
        self._gates[operation] = gate
        try:
            yield
        finally:
            del self._gates[operation]
            self._loop.call_soon_threadsafe(gate.set)

    def held(self, operation: str) -> int:
        """Count the requests that have had to wait so far."""
        return self._waiting[operation]

    def under_way(self, operation: str) -> int:
        """Count the requests that have come in and are not answered yet."""
        return self._under_way[operation]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server, self.endpoint_url = self._loop.run_until_complete(
            listen(lambda: Connection(self._begin))
        )
        self._up.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def _begin(self, request: HttpRequest, connection: Connection) -> None:
        task = self._loop.create_task(self._serve(request, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A poll whose client died must die at the upstream, too.
        connection.gone = functools.partial(_cancel, task)

    async def _serve(self, request: HttpRequest, connection: Connection) -> None:
        path, _, query = request.target.partition("?")
        asked = parse_qs(query, keep_blank_values=True)
        is_form = request.headers.get("content-type", "").startswith(FORM)
        form = request.body.decode() if is_form else ""
        operation = operation_name(request.method, path, asked, request.headers, form)
        self.requests.add(operation)
        self._under_way[operation] += 1
        try:
            await self._carry_out(operation, request, connection)
        finally:
            self._under_way[operation] -= 1

    async def _carry_out(
        self, operation: str, request: HttpRequest, connection: Connection
    ) -> None:
        if gate := self._gates.get(operation):
            self._waiting.add(operation)
            await gate.wait()
        trouble = self._decide(operation)
        if trouble:
            self.troubles.add(trouble)
        if trouble is Trouble.LATE:
            await asyncio.sleep(LATE_SECONDS)
        if trouble in ERRORS:
            connection.answer(_error(trouble, request).encoded())
            return
        answer = None if trouble is Trouble.RESET else await self._forward(request)
        if answer is None or trouble is Trouble.LOST:
            connection.abort()
        else:
            connection.answer(answer.encoded())

    async def _forward(self, request: HttpRequest) -> HttpAnswer | None:
        """Carry the request out; None where the upstream hangs up."""
        upstream = self._upstream
        reader, writer = await asyncio.open_connection(upstream.hostname, upstream.port)
        try:
            lines = [f"{request.method} {request.target} HTTP/1.1", "Connection: close"]
            skipped = DROPPED_HEADERS | {"expect"}
            lines += [f"{name}: {v}" for name, v in request.headers.items() if name not in skipped]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body)
            whole = await reader.read()
        except OSError:
            return None
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        return _parsed(whole, request.method) if whole else None


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def _pass(_: str) -> None:
    """Trouble nobody."""


def _parsed(whole: bytes, method: str) -> HttpAnswer:
    head, _, body = whole.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if ("transfer-encoding", "chunked") in {(name.lower(), value) for name, value in pairs}:
        body = _unchunked(body)
    dropped = DROPPED_HEADERS if method == "HEAD" else DROPPED_HEADERS | {"content-length"}
    kept = tuple((name, value) for name, value in pairs if name.lower() not in dropped)
    return HttpAnswer(int(status.split(" ")[1]), body, kept)


def _unchunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        parts.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(parts)


def _error(trouble: Trouble, request: HttpRequest) -> HttpAnswer:
    status, s3_code, sqs_code = ERRORS[trouble]
    if "x-amz-target" in request.headers:
        told = json.dumps({"__type": f"com.amazonaws.sqs#{sqs_code}", "message": "injected"})
        return HttpAnswer(status, told.encode(), (("Content-Type", "application/x-amz-json-1.0"),))
    body = b"" if request.method == "HEAD" else f"<Error><Code>{s3_code}</Code></Error>".encode()
    return HttpAnswer(status, body, (("Content-Type", "application/xml"),))
