"""`worker explain` against the embedded AWS: without --live silent, with it only looking."""

import json
from collections.abc import Iterator

import pytest
from support.check_world import BUCKET, World, make_world


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an honest AWS with a bucket and a queue."""
    with make_world(monkeypatch) as made:
        yield made


def message(key: str, etag: str, size: int = 7) -> str:
    """Write an S3 notification about one object."""
    s3_object = {"key": key, "eTag": etag, "size": size, "sequencer": "0A1B"}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": BUCKET}, "object": s3_object},
    }
    return json.dumps({"Records": [record]})


def now(world: World, body: str, **changes: str) -> str:
    """Explain live; returns what is said about the one entry, in words."""
    result = world.worker("explain", "--live", "--json", "-", stdin=body, **changes)
    assert result.exit_code == 0, result.output
    words = json.loads(result.stdout)[0]["entries"][0]["now"]["in_words"]
    assert isinstance(words, str)
    return words


def test_explain_makes_no_request(world: World) -> None:
    """Not one, of any kind."""
    world.aws.requests.clear()

    result = world.worker("explain", "-", stdin=message("uploads/a", "e"))

    assert result.exit_code == 0
    assert "to s3://files/processed/a" in result.stdout
    assert not world.aws.requests.snapshot()


def test_live_only_looks(world: World) -> None:
    """HeadObject, and nothing else; source and destination stay as they were."""
    etag = world.put("uploads/a")
    world.put("processed/a", b"older")
    world.aws.requests.clear()

    words = now(world, message("uploads/a", etag))

    assert words.startswith("would be moved to s3://files/processed/a, over the file with ETag")
    assert set(world.aws.requests.snapshot()) == {"HeadObject"}
    assert world.keys() == ["processed/a", "uploads/a"]
    assert world.body("processed/a") == b"older"


def test_live_on_a_large_object_begins_no_upload(world: World) -> None:
    """A move in parts is foreseen without creating any."""
    etag = world.put("uploads/big", b"x" * 100)
    world.aws.requests.clear()

    words = now(world, message("uploads/big", etag, 100), MULTIPART_THRESHOLD="50")

    assert words == "would be moved to s3://files/processed/big"
    assert set(world.aws.requests.snapshot()) == {"HeadObject"}


def test_live_tells_a_free_destination(world: World) -> None:
    """The common case."""
    etag = world.put("uploads/a")

    assert now(world, message("uploads/a", etag)) == "would be moved to s3://files/processed/a"


def test_live_tells_a_superseded_upload(world: World) -> None:
    """A newer upload has come; its own event moves it."""
    world.put("processed/a", b"older")
    world.put("uploads/a", b"newer")

    assert "another ETag by now" in now(world, message("uploads/a", "0" * 32))


def test_live_tells_what_was_moved_before(world: World) -> None:
    """The source is gone, the destination there."""
    world.put("processed/a")

    assert "moved before" in now(world, message("uploads/a", "e"))


def test_live_tells_what_is_missing_and_what_on_missing_makes_of_it(world: World) -> None:
    """Neither here nor there."""
    assert "ON_MISSING=ack: acknowledged" in now(world, message("uploads/a", "e"))
    rejected = now(world, message("uploads/a", "e"), ON_MISSING="reject")
    assert "ON_MISSING=reject: rejected" in rejected


@pytest.mark.parametrize(
    ("on_conflict", "expected"),
    [
        ("replace", "over the file with ETag"),
        ("keep-both", "would be moved to s3://files/processed/a.0A1B.txt"),
        ("reject", "holds another file; ON_CONFLICT=reject"),
    ],
)
def test_live_tells_what_on_conflict_makes_of_a_taken_name(
    world: World, on_conflict: str, expected: str
) -> None:
    """As the move itself decides."""
    etag = world.put("uploads/a.txt", b"new")
    world.put("processed/a.txt", b"another")

    words = now(world, message("uploads/a.txt", etag), ON_CONFLICT=on_conflict)

    assert expected in words


def test_live_tells_an_archived_source(world: World) -> None:
    """The copy would be refused until it is restored."""
    put = world.s3.put_object(Bucket=BUCKET, Key="uploads/a", Body=b"x", StorageClass="GLACIER")

    words = now(world, message("uploads/a", put["ETag"].strip('"')))

    assert words.startswith("archived")
    assert "restore it first" in words


def test_a_forecast_comes_true(world: World) -> None:
    """What --live foresees is what a sweep then does, by the same move."""
    etag = world.put("uploads/a.txt", b"new")
    world.put("processed/a.txt", b"another")
    words = now(world, message("uploads/a.txt", etag), ON_CONFLICT="keep-both")

    result = world.worker("sweep", "--older-than", "0s", "--move", ON_CONFLICT="keep-both")

    assert result.exit_code == 0
    assert words == "would be moved to s3://files/processed/a.0A1B.txt"
    # The listing has no sequencer, so that the sweep's name carries the ETag instead.
    assert world.keys() == [f"processed/a.{etag}.txt", "processed/a.txt"]


def test_nothing_to_explain_is_an_error_that_says_why(world: World) -> None:
    """`aws sqs receive-message` prints nothing where there is no message."""
    result = world.worker("explain", "-", stdin="\n")

    assert result.exit_code == 2
    assert "prints nothing without messages" in result.stderr
