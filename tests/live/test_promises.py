"""The promises of S3 and SQS that the worker rests on, tried in a real account."""

import uuid

import pytest
from botocore.exceptions import ClientError
from support.corner import Corner

from worker.aws.checks import check_guards
from worker.core.drive import drive
from worker.core.move import MoveRules, Result, move
from worker.core.plan import Move
from worker.core.port import (
    Conflict,
    Copied,
    CopyObject,
    Deleted,
    DeleteObject,
    DeleteObjects,
    NotFound,
    PreconditionFailed,
    Replies,
)
from worker.operator.preflight import GuardResult
from worker.settings import read_settings

pytestmark = pytest.mark.live

MEBIBYTE = 1024**2


def test_every_guard_holds(corner: Corner) -> None:
    """The probe that the worker makes at each start finds every condition kept."""
    settings = read_settings(
        {
            "BUCKET": corner.bucket,
            "SRC_PREFIX": f"{corner.prefix}in/",
            "DST_PREFIX": f"{corner.prefix}out/",
            "REGION": corner.s3.meta.region_name,
        },
        needs_queue=False,
    )
    results = [found.guard for found in check_guards(settings, corner.clients) if found.guard]
    assert len(results) >= 6
    assert set(results) == {GuardResult.HOLDS}


def test_a_copy_is_refused_on_either_end(corner: Corner) -> None:
    """412 for another source, and for a destination that is not as expected; 404 for none."""
    etag = corner.put("a", b"one")
    assert isinstance(corner.ask(CopyObject(corner.at("a"), etag, corner.at("b"), None)), Copied)
    other = "0" * 32
    for source_etag, expected in ((other, etag), (etag, None), (etag, other)):
        refused = corner.ask(CopyObject(corner.at("a"), source_etag, corner.at("b"), expected))
        assert isinstance(refused, PreconditionFailed | Conflict), (source_etag, expected)
    missing = corner.ask(CopyObject(corner.at("a"), etag, corner.at("none"), etag))
    assert isinstance(missing, NotFound | PreconditionFailed)


def test_several_deletes_heed_each_etag(corner: Corner) -> None:
    """DeleteObjects with an ETag a key, quoted as we send it: one goes, the other stays."""
    etag = corner.put("c", b"goes")
    corner.put("d", b"stays")
    reply = corner.ask(
        DeleteObjects((DeleteObject(corner.at("c"), etag), DeleteObject(corner.at("d"), etag)))
    )
    assert reply == Replies((Deleted(), PreconditionFailed()))
    assert corner.head("d").size == 5


def test_a_copy_is_not_older_than_its_source(corner: Corner) -> None:
    """LastModified of a copy: what tells our own copy from an older file."""
    etag = corner.put("e", b"time")
    corner.ask(CopyObject(corner.at("e"), etag, corner.at("f"), None))
    assert corner.head("f").last_modified >= corner.head("e").last_modified


@pytest.mark.parametrize("threshold", [5 * 1024 * MEBIBYTE, 5 * MEBIBYTE])
def test_a_move_keeps_everything(corner: Corner, threshold: int) -> None:
    """Whole, and in parts: bytes, headers, metadata and tags arrive; the source is gone."""
    name = f"move-{threshold}"
    etag = corner.put(
        name,
        b"x" * (12 * MEBIBYTE),
        ContentType="text/x-odd",
        CacheControl="no-cache",
        Metadata={"m": "1"},
        Tagging="t=1&u=two",
    )
    before = corner.head(name)
    task = Move(corner.at(name), corner.at(f"{name}-moved"), etag, before.size)
    rules = MoveRules(multipart_threshold=threshold, part_size=5 * MEBIBYTE)
    assert drive(move(task, rules), corner.port).result is Result.MOVED
    after = corner.head(f"{name}-moved")
    assert (after.size, after.headers, after.metadata) == (
        before.size,
        before.headers,
        before.metadata,
    )
    there = corner.at(f"{name}-moved")
    tags = corner.s3.get_object_tagging(Bucket=there.bucket, Key=there.key)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"t": "1", "u": "two"}
    assert drive(move(task, rules), corner.port).result is Result.ALREADY_MOVED


def test_sqs_tells_a_bogus_receipt_from_a_refusal(corner: Corner) -> None:
    """`worker check` reads ReceiptHandleIsInvalid as: DeleteMessage is allowed."""
    sqs = corner.clients.sqs()
    url = sqs.create_queue(QueueName=f"s3-event-worker-live-{uuid.uuid4()}")["QueueUrl"]
    try:
        with pytest.raises(ClientError) as refusal:
            sqs.delete_message(QueueUrl=url, ReceiptHandle="none-such")
        assert refusal.value.response["Error"]["Code"] == "ReceiptHandleIsInvalid"
    finally:
        sqs.delete_queue(QueueUrl=url)
