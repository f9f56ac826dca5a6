"""What each port tries again, how often, and what it tells its observer: by script."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from support.aws_process import connect
from support.loop_thread import LoopThread
from support.s3_worlds import make_credentials

from worker.aws.http.s3 import LoopS3
from worker.aws.http.senders import Senders
from worker.aws.s3 import LONGEST_WAIT_SECONDS, MAX_TRIES, THROTTLED_TRIES, BotoS3
from worker.core.port import (
    Copied,
    CopyObject,
    Deleted,
    DeleteObject,
    DeleteObjects,
    Fault,
    FaultKind,
    HeadObject,
    Location,
    NotFound,
    Replies,
    Reply,
    Request,
    S3Port,
)

HERE, THERE = Location("b", "uploads/a"), Location("b", "processed/a")
COPY = CopyObject(HERE, "e", THERE, None)
COPIED = "<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>"
DELETES = DeleteObjects(tuple(DeleteObject(Location("b", key), "e") for key in "xyz"))


def error(code: str) -> str:
    """Write S3's error document."""
    return f"<Error><Code>{code}</Code><Message>m</Message></Error>"


@dataclass
class World:
    """A port before a server that answers by script, and all that was seen."""

    script: list[tuple[int, str]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    observed: list[Reply] = field(default_factory=list)
    port: S3Port | None = None

    def ask(self, request: Request, *script: tuple[int, str]) -> Reply:
        """Carry a request out against these answers; the last one repeats."""
        assert self.port
        self.script = list(script)
        return self.port.submit(request).result(timeout=60)


@pytest.fixture(params=["boto3", "asyncio"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Start the server, and each port in turn."""
    world = World()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            world.seen.append(self.rfile.read(length).decode())
            status, text = world.script[0] if len(world.script) == 1 else world.script.pop(0)
            if not status:
                self.close_connection = True  # hang up in the middle
                return
            body = b"" if self.command == "HEAD" else text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815 - the server's own names

        def log_message(self, *_: object) -> None:  # quiet
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    client = connect("s3", f"http://127.0.0.1:{server.server_port}")
    with ThreadPoolExecutor(4) as pool:
        port = BotoS3(client, pool, world.waits.append)
        with in_the_loop(world, client, port) if request.param == "asyncio" else nullcontext():
            world.port = world.port or port
            port.observe(world.observed.append)
            yield world
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def in_the_loop(world: World, client: Any, boto3: BotoS3) -> Iterator[None]:  # noqa: ANN401 - boto3's
    """Put the event loop's port in boto3's place."""

    async def sleep(seconds: float) -> None:
        world.waits.append(seconds)

    with LoopThread() as loop:
        senders = Senders(client, loop.run(make_credentials), None, 4)
        s3 = LoopS3(senders.of_bucket, boto3, sleep)
        s3.observe(world.observed.append)
        world.port = loop.port(s3)
        yield
        loop.run(senders.close)


def fault(kind: FaultKind, code: str, operation: str = "CopyObject") -> Callable[[Reply], bool]:
    """Recognise a fault."""
    return lambda reply: (
        isinstance(reply, Fault)
        and (reply.kind, reply.code, reply.operation) == (kind, code, operation)
    )


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ((503, error("SlowDown")), FaultKind.THROTTLED, "SlowDown"),
        ((500, error("InternalError")), FaultKind.UNAVAILABLE, "InternalError"),
        ((200, error("InternalError")), FaultKind.UNAVAILABLE, "InternalError"),
        ((200, error("SlowDown")), FaultKind.THROTTLED, "SlowDown"),
        ((0, ""), FaultKind.UNAVAILABLE, "ConnectionClosedError"),
        ((200, "<CopyObjectResult><ETag>"), FaultKind.UNAVAILABLE, "500"),
        ((404, "404 page not found"), FaultKind.UNAVAILABLE, "404"),
    ],
    ids=["throttled", "500", "error-in-200", "throttled-in-200", "hung-up", "cut-off", "a-proxys"],
)
def test_what_passes_is_tried_again_to_the_end(
    world: World, answer: tuple[int, str], kind: FaultKind, code: str
) -> None:
    """Six tries, or many where S3 throttles; waits that are bounded; the observer hears of all."""
    tries = THROTTLED_TRIES if kind is FaultKind.THROTTLED else MAX_TRIES
    reply = world.ask(COPY, answer)
    is_it = fault(kind, code)
    assert is_it(reply), reply
    assert len(world.seen) == len(world.observed) == tries
    assert all(map(is_it, world.observed))
    assert len(world.waits) == tries - 1
    assert all(0 <= wait <= LONGEST_WAIT_SECONDS for wait in world.waits)


def test_a_try_that_succeeds_is_the_reply(world: World) -> None:
    """Twice throttled, then done: the move never hears of it, the observer does."""
    slow, done = (503, error("SlowDown")), (200, COPIED)
    assert world.ask(COPY, slow, slow, done) == Copied("e")
    assert [type(reply) for reply in world.observed] == [Fault, Fault, Copied]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", FaultKind.ACCESS),
        (400, "ExpiredToken", FaultKind.ACCESS),
        (404, "NoSuchBucket", FaultKind.ACCESS),
        (403, "InvalidObjectState", FaultKind.ARCHIVED),
        (400, "InvalidRequest", FaultKind.REFUSED),
        (501, "NotImplemented", FaultKind.UNSUPPORTED),
    ],
)
def test_what_does_not_pass_is_asked_once(
    world: World, status: int, code: str, kind: FaultKind
) -> None:
    """Another try would bring the same answer."""
    assert fault(kind, code)(world.ask(COPY, (status, error(code))))
    assert (len(world.seen), world.waits) == (1, [])


def test_a_proxy_that_does_not_find_the_store_has_deleted_nothing(world: World) -> None:
    """Its bare 404 says nothing of the object: taken for S3's, the move would count as done."""
    delete = DeleteObject(HERE, "e")
    page = (404, "<html><body>404 Not Found</body></html>")
    assert fault(FaultKind.UNAVAILABLE, "404", "DeleteObject")(world.ask(delete, page))
    assert world.ask(delete, page, (404, error("NoSuchKey"))) == NotFound()


@pytest.mark.parametrize("world", ["asyncio"], indirect=True)
@pytest.mark.parametrize(
    "answer",
    [
        (301, error("PermanentRedirect")),
        (307, error("TemporaryRedirect")),
        (400, error("AuthorizationHeaderMalformed")),
        (400, error("IllegalLocationConstraintException")),
    ],
    ids=lambda answer: answer[1].partition("</")[0].rpartition(">")[2],
)
def test_a_bucket_of_another_region_is_boto3s(world: World, answer: tuple[int, str]) -> None:
    """It knows how to follow; the event loop asks once, and never again."""
    assert world.ask(COPY, answer, (200, COPIED)) == Copied("e")
    assert world.ask(COPY, (200, COPIED)) == Copied("e")
    assert len(world.seen) == 3
    assert world.observed == [Copied("e")] * 2


def test_a_heads_bare_answers_are_understood(world: World) -> None:
    """No body says why: 503 is SlowDown, 400 an expired token, 403 a denial, 404 nothing there."""
    head = HeadObject(HERE)
    assert fault(FaultKind.THROTTLED, "503", "HeadObject")(world.ask(head, (503, "")))
    assert fault(FaultKind.ACCESS, "400", "HeadObject")(world.ask(head, (400, "")))
    assert fault(FaultKind.ACCESS, "403", "HeadObject")(world.ask(head, (403, "")))
    assert world.ask(head, (404, "")) == NotFound()


def result(*deleted: str, **errors: str) -> str:
    """Write DeleteObjects' answer: keys that are gone, and codes of those that are not."""
    gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in deleted)
    left = "".join(
        f"<Error><Key>{key}</Key><Code>{code}</Code><Message>m</Message></Error>"
        for key, code in errors.items()
    )
    return f"<DeleteResult>{gone}{left}</DeleteResult>"


def test_single_keys_that_fail_in_passing_are_tried_again_alone(world: World) -> None:
    """One throttled, one failed inside, one denied: the first two are asked for once more."""
    reply = world.ask(
        DELETES,
        (200, result(x="SlowDown", y="InternalError", z="AccessDenied")),
        (200, result("x", y="NoSuchKey")),
    )
    denied = Fault(FaultKind.ACCESS, "DeleteObjects", "AccessDenied", "m")
    assert reply == Replies((Deleted(), NotFound(), denied))
    assert len(world.seen) == 2
    assert "<Key>z</Key>" not in world.seen[1]


def test_a_key_that_fails_to_the_end_leaves_the_others_as_they_are(world: World) -> None:
    """The whole call fails the second time: what was deleted stays deleted."""
    reply = world.ask(DELETES, (200, result("x", "y", z="InternalError")), (503, error("SlowDown")))
    assert isinstance(reply, Replies)
    assert reply.replies[:2] == (Deleted(), Deleted())
    assert fault(FaultKind.THROTTLED, "SlowDown", "DeleteObjects")(reply.replies[2])
    assert len(world.seen) == THROTTLED_TRIES


def test_a_call_that_fails_as_a_whole_is_one_fault(world: World) -> None:
    """Nothing is known of any key."""
    reply = world.ask(DELETES, (503, error("SlowDown")))
    assert fault(FaultKind.THROTTLED, "SlowDown", "DeleteObjects")(reply)


def test_an_answer_that_is_cut_off_is_asked_for_again(world: World) -> None:
    """Half a document is a fault that passes, and no exception."""
    reply = world.ask(DELETES, (200, "<DeleteResult><Del"), (200, result("x", "y", "z")))
    assert reply == Replies((Deleted(),) * 3)
    assert fault(FaultKind.UNAVAILABLE, "500", "DeleteObjects")(world.observed[0])


def test_a_key_that_the_answer_does_not_name_is_asked_for_again(world: World) -> None:
    """No word of it is no success."""
    assert world.ask(DELETES, (200, result("x", "y")), (200, result("z"))) == Replies(
        (Deleted(),) * 3
    )
    assert "<Key>x</Key>" not in world.seen[1]
