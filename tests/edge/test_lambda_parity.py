"""One core behind two drivers: the daemon and the Lambda function, fed the same messages."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs
from support.aws_process import REGION, connect, embedded_aws, environment
from support.daemon_world import (
    GARBAGE,
    ROUTE,
    World,
    body,
    destination,
    play,
    record,
    source,
    test_event,
)
from support.slow_s3 import Scripted
from support.twin import S3Twin

from worker.core.move import MoveRules, OnConflict
from worker.core.pipeline import Rules
from worker.core.port import CopyObject, Fault, FaultKind, Reply, Request
from worker.lambda_handler import RESERVE_SECONDS, Twin

RULES = Rules(ROUTE, MoveRules(on_conflict=OnConflict.REJECT))
OBJECT_FIELDS = ("source", "destination", "outcome", "etag", "bytes", "detail")


@dataclass(frozen=True, slots=True)
class Context:
    """An invocation with so much time left."""

    milliseconds: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        """Tell it."""
        return self.milliseconds


def archived(request: Request) -> Scripted:
    """Script: one object is in an archive class."""
    is_it = isinstance(request, CopyObject) and request.source == source("archived")
    return Fault(FaultKind.ARCHIVED, "CopyObject", "InvalidObjectState") if is_it else None


def messages(s3: S3Twin) -> dict[str, str]:
    """Upload the files of this story; return the messages about them, by name."""
    put = {name: s3.put(source(name), name).etag for name in ("good", "m1", "m2", "archived")}
    old = s3.put(source("superseded"), "old").etag
    s3.put(source("superseded"), "new")
    fresh = s3.put(source("conflict"), "fresh").etag
    s3.put(destination("conflict"), "somebody else's")
    several = [record("m1", put["m1"]), record("gone", "e"), record("m2", put["m2"])]
    half: list[dict[str, object]] = [record("never-there", "e"), {"eventSource": "aws:s3"}]
    return {
        "good": body(record("good", put["good"])),
        "duplicate": body(record("good", put["good"])),
        "garbage": GARBAGE,
        "test-event": test_event(),
        "several": body(*several),
        "half-garbage": body(*half),
        "other-prefix": body(record("x", "e", prefix="elsewhere/")),
        "superseded": body(record("superseded", old)),
        "conflict": body(record("conflict", fresh)),
        "archived": body(record("archived", put["archived"])),
    }


def told(logs: list[Mapping[str, object]]) -> list[tuple[object, ...]]:
    """Return what was logged about each object, in any order, the first attempts alone."""
    return sorted(
        (tuple(str(line.get(name)) for name in OBJECT_FIELDS) for line in logs if _is_first(line)),
    )


def _is_first(line: Mapping[str, object]) -> bool:
    return line["event"] == "object" and line["attempt"] == 1


def through_the_daemon() -> tuple[list[tuple[object, ...]], set[str], dict[str, str]]:
    """Play the story; return what was told, what was not settled, and what S3 holds."""
    unsettled: set[str] = set()
    held: dict[str, str] = {}

    async def scenario(world: World) -> None:
        world.daemon.handler.rules = RULES
        world.s3.fault = archived
        names: dict[str, str] = {}
        for name, text in messages(world.objects).items():
            names[world.sqs.send(text)] = name
            await world.until(lambda: len(world.sqs.deleted) + len(world.sqs.dead) == len(names))
        unsettled.update(names[message] for message in world.sqs.dead)
        held.update(holdings(world.objects))

    with capture_logs() as logs:
        play(scenario)
    return told(list(logs)), unsettled, held


def through_lambda() -> tuple[list[tuple[object, ...]], set[str], dict[str, str]]:
    """Play the same through the function, in one batch."""
    s3 = S3Twin()
    texts = messages(s3)
    with capture_logs() as logs:
        answer = Twin(RULES, ScriptedS3(s3)).respond(event(texts), Context())
    return told(list(logs)), failures(answer), holdings(s3)


class ScriptedS3:
    """The twin with one archived object, answering at once."""

    def __init__(self, twin: S3Twin) -> None:
        self._twin = twin

    def submit(self, request: Request, /) -> "Future[Reply]":
        """Carry a request out."""
        future: Future[Reply] = Future()
        scripted = archived(request)
        future.set_result(scripted if isinstance(scripted, Fault) else self._twin.perform(request))
        return future


def holdings(s3: S3Twin) -> dict[str, str]:
    """Tell what is where: key to ETag."""
    names = ("good", "m1", "m2", "archived", "superseded", "conflict", "gone")
    places = [place(name) for name in names for place in (source, destination)]
    return {place.key: s3[place].etag for place in places if place in s3}


def event(texts: Mapping[str, str]) -> dict[str, object]:
    """Write the event of an SQS trigger."""
    return {
        "Records": [
            {
                "messageId": name,
                "receiptHandle": f"receipt of {name}",
                "body": text,
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
            for name, text in texts.items()
        ]
    }


def failures(answer: Mapping[str, object]) -> set[str]:
    """Read the messages that a partial batch response gives back."""
    listed = answer["batchItemFailures"]
    assert isinstance(listed, list)
    return {each["itemIdentifier"] for each in listed}


def test_the_same_messages_have_the_same_outcomes() -> None:
    """Object for object, message for message, and byte for byte in the bucket."""
    daemon_told, daemon_unsettled, daemon_held = through_the_daemon()
    lambda_told, lambda_unsettled, lambda_held = through_lambda()
    assert daemon_told == lambda_told
    assert daemon_unsettled == lambda_unsettled
    assert daemon_held == lambda_held
    assert lambda_unsettled == {"garbage", "half-garbage", "conflict", "archived"}
    assert len(lambda_told) == 13


def test_without_time_nothing_is_begun_and_all_comes_back() -> None:
    """A batch that outlives its function would come back whole (rule 48)."""
    s3 = S3Twin()
    texts = messages(s3)
    context = Context(int(RESERVE_SECONDS * 1000) - 1)
    answer = Twin(RULES, s3).respond(event(texts), context)
    assert failures(answer) == set(texts)
    assert not s3.requests


def test_time_that_runs_out_midway_gives_the_rest_back() -> None:
    """What was begun is finished; what was not is returned, in its order."""

    class Running:
        left = 12_000

        def get_remaining_time_in_millis(self) -> int:
            self.left -= 1_000
            return self.left

    s3 = S3Twin()
    etags = {f"{number}": s3.put(source(f"{number}"), "x").etag for number in range(5)}
    texts = {name: body(record(name, etag)) for name, etag in etags.items()}
    answer = Twin(RULES, s3).respond(event(texts), Running())
    assert answer == {"batchItemFailures": [{"itemIdentifier": name} for name in "234"]}
    assert destination("1") in s3
    assert source("2") in s3


def test_one_message_that_breaks_something_does_not_bring_the_others_back() -> None:
    """An executor's own fault: that message alone is returned."""

    class Broken(ScriptedS3):
        def submit(self, request: Request, /) -> "Future[Reply]":
            if isinstance(request, CopyObject) and request.source == source("bad"):
                raise RuntimeError("no more threads")
            return super().submit(request)

    s3 = S3Twin()
    texts = {
        name: body(record(name, s3.put(source(name), name).etag)) for name in ("a", "bad", "b")
    }
    with capture_logs() as logs:
        answer = Twin(RULES, Broken(s3)).respond(event(texts), Context())
    assert failures(answer) == {"bad"}
    assert destination("b") in s3
    assert any(line["event"] == "unexpected" for line in logs)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"Records": None},
        {"Records": ["text"]},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"source": "aws.events"},
        ["a", "list"],
        None,
    ],
    ids=str,
)
def test_an_event_that_is_no_sqs_batch_is_named(wrong: object) -> None:
    """The trigger is set up wrongly: said so, with what came."""
    with pytest.raises(ValueError, match="set the queue as its trigger"):
        Twin(RULES, S3Twin()).respond(wrong, Context())  # type: ignore[arg-type]  # on purpose


def test_an_empty_batch_is_settled() -> None:
    """Nothing to do, nothing left over."""
    answer = Twin(RULES, S3Twin()).respond({"Records": []}, Context())
    assert answer == {"batchItemFailures": []}


PROGRAM = """
import json, sys
from worker.lambda_handler import handler

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

print(json.dumps({"answer": handler(json.load(sys.stdin), Context())}))
"""


def test_the_function_itself_works_with_the_seeds_environment_alone() -> None:
    """REGION, BUCKET, SRC_PREFIX and DST_PREFIX, as a process of its own on an honest AWS."""
    names = {
        "REGION": REGION,
        "BUCKET": "files",
        "SRC_PREFIX": "uploads/",
        "DST_PREFIX": "processed/",
    }
    with embedded_aws() as endpoint:
        s3 = connect("s3", endpoint)
        s3.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": REGION})
        etag = s3.put_object(Bucket="files", Key="uploads/a b", Body=b"bytes")["ETag"].strip('"')
        batch = event({"good": body(record("a b", etag, 5)), "garbage": GARBAGE})
        aws = environment(endpoint)
        del aws["AWS_DEFAULT_REGION"]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps(batch),
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], **aws, **names},
            check=True,
            timeout=60,
        )
        *logs, answer = map(json.loads, done.stdout.splitlines())
        assert answer == {"answer": {"batchItemFailures": [{"itemIdentifier": "garbage"}]}}
        moved = next(line for line in logs if line.get("outcome") == "moved")
        assert moved["destination"] == "s3://files/processed/a b"
        assert s3.get_object(Bucket="files", Key="processed/a b")["Body"].read() == b"bytes"
        assert "Contents" not in s3.list_objects_v2(Bucket="files", Prefix="uploads/")
        s3.close()
