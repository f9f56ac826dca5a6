"""What the event loop's queue makes of SQS's refusals, and what it tries again: by script."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import botocore.credentials
import pytest
from support.aws_process import connect

from worker.aws.http.credentials import Credentials
from worker.aws.http.senders import Senders
from worker.aws.http.sqs import MAX_TRIES, LoopQueue
from worker.loop.queue_port import QueueUnavailableError

Answer = tuple[int, str, str]  # status, x-amzn-query-error, body


class World:
    """A queue's port before a server that answers by script; the last answer repeats."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.seen: list[dict[str, object]] = []
        self.waits: list[float] = []

    async def open(self) -> None:
        """Listen."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        client = connect("sqs", f"http://127.0.0.1:{port}")
        source = botocore.credentials.Credentials("testing", "testing")
        senders = Senders(client, Credentials(source, asyncio.get_running_loop().time), None, 1)
        self.sender = senders.of_queue(client, f"http://127.0.0.1:{port}/1/q")
        self.queue = LoopQueue(self.sender, "http://q", self._sleep)
        client.close()

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
                self.seen.append(json.loads(await reader.readexactly(length)))
                status, code, body = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if not status:
                    return
                told = f"x-amzn-query-error: {code};Sender\r\n" if code else ""
                answer = f"HTTP/1.1 {status} X\r\n{told}Content-Length: {len(body)}\r\n\r\n{body}"
                writer.write(answer.encode())
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def play(scenario: Callable[[World], Awaitable[None]]) -> None:
    """Play a scenario."""

    async def main() -> None:
        world = World()
        await world.open()
        try:
            await scenario(world)
        finally:
            world.sender.pool.close()
            world.server.close()
            await asyncio.sleep(0.01)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "code", "access", "tries"),
    [
        (403, "AccessDenied", True, 1),
        (403, "ExpiredToken", True, 1),
        (403, "InvalidClientTokenId", True, 1),
        (400, "AWS.SimpleQueueService.NonExistentQueue", True, 1),
        (400, "KMS.AccessDeniedException", True, 1),
        (400, "KMS.ThrottlingException", False, 1),
        (403, "OverLimit", False, MAX_TRIES),
        (403, "RequestThrottled", False, MAX_TRIES),
        (500, "InternalFailure", False, MAX_TRIES),
        (503, "ServiceUnavailable", False, MAX_TRIES),
    ],
)
def test_refusals_are_told_apart_as_boto3s_port_does(
    status: int, code: str, tries: int, *, access: bool
) -> None:
    """By SQS's own codes, in the header or in the body; only what passes is tried again."""

    async def scenario(world: World) -> None:
        body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "m"})
        for answer in ((status, code, "{}"), (status, "", body)):
            world.script, world.seen = [answer], []
            with pytest.raises(QueueUnavailableError, match=code) as refused:
                await world.queue.receive(10, 0, 60)
            assert refused.value.access is access
            assert len(world.seen) == tries

    play(scenario)


@pytest.mark.parametrize(
    "first",
    [(0, "", ""), (200, "", "<html>"), (200, "", "[]"), (502, "", "<html>")],
    ids=["hung-up", "no-json", "no-object", "a-proxys-page"],
)
def test_an_answer_that_is_none_is_asked_for_again(first: Answer) -> None:
    """And what a poll brings after that is received; to the end, it is SQS that is unavailable."""

    async def scenario(world: World) -> None:
        world.script = [first, (200, "", "{}")]
        assert await world.queue.receive(10, 0, 60) == []
        assert len(world.seen) == MAX_TRIES
        world.script = [first]
        with pytest.raises(QueueUnavailableError) as refused:
            await world.queue.delete(["r"])
        assert not refused.value.access

    play(scenario)
