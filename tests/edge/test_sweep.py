"""`worker sweep` against the embedded AWS: what it lists, what it moves, and how it ends."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest
from support.check_world import (
    BUCKET,
    Refusal,
    RefusingClients,
    World,
    make_world,
)

from worker.aws.listing import list_objects
from worker.errors import PreflightError


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an honest AWS with a bucket and a queue."""
    with make_world(monkeypatch) as made:
        yield made


WRITES = ("PutObject", "CopyObject", "DeleteObject", "DeleteObjects", "CreateMultipartUpload")


def test_a_listing_shows_what_was_left_and_writes_nothing(world: World) -> None:
    """Key, size, age, class and what would happen; a folder marker is none of ours."""
    world.put("uploads/a report.txt", b"12345")
    world.put("uploads/folder/", b"")
    world.put("elsewhere/b")
    world.aws.requests.clear()

    result = world.worker("sweep", "--older-than", "0s")

    (line,) = result.stdout.splitlines()
    assert result.exit_code == 0
    assert line.split()[0] == "5"
    assert line.endswith("uploads/a report.txt -> move to s3://files/processed/a report.txt")
    assert not any(world.aws.requests[operation] for operation in WRITES)


def test_json_gives_one_object_a_line(world: World) -> None:
    """Machine-readable, and still a stream."""
    etag = world.put("uploads/a")
    world.put("uploads/b")

    result = world.worker("sweep", "--older-than", "0s", "--json")

    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["key"], first["etag"], first["archived"]) == ("uploads/a", etag, False)
    assert second["destination"] == "s3://files/processed/b"


def test_young_objects_are_left_alone(world: World) -> None:
    """An object that came just now has its event still to come."""
    world.put("uploads/young")

    result = world.worker("sweep", "--move")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert world.keys() == ["uploads/young"]


def test_an_archived_object_is_flagged(world: World) -> None:
    """It must be restored before it can be moved."""
    world.s3.put_object(Bucket=BUCKET, Key="uploads/old", Body=b"x", StorageClass="DEEP_ARCHIVE")

    result = world.worker("sweep", "--older-than", "0s")

    assert "uploads/old -> restore it first (DEEP_ARCHIVE)" in result.stdout


def test_pages_are_fetched_as_they_are_needed(world: World) -> None:
    """Pages of two here: five objects take three of them, the first three objects two."""
    for number in range(5):
        world.put(f"uploads/{number}")
    with closing(world.clients().s3(1)) as client:
        client.meta.events.register("before-parameter-build.s3.ListObjectsV2", two_a_page)

        everything = list(list_objects(client, world.settings().source))
        needed_for_all = world.aws.requests["ListObjectsV2"]
        some = list(islice(list_objects(client, world.settings().source), 3))

    assert [each.location.key for each in everything] == [f"uploads/{each}" for each in range(5)]
    assert some == everything[:3]
    assert needed_for_all == 3
    assert world.aws.requests["ListObjectsV2"] - needed_for_all == 2


def two_a_page(params: dict[str, object], **_: object) -> None:
    """Ask S3 for small pages, by a hook of botocore's own."""
    params["MaxKeys"] = 2


def test_a_limit_stops_the_sweep(world: World) -> None:
    """Whatever else is there stays unread."""
    for number in range(5):
        world.put(f"uploads/{number}")

    result = world.worker("sweep", "--older-than", "0s", "--limit", "3", "--move")

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    assert world.keys() == [
        *(f"processed/{number}" for number in range(3)),
        *(f"uploads/{number}" for number in (3, 4)),
    ]


def test_move_brings_everything_to_its_destination(world: World) -> None:
    """Odd keys as well; one line an outcome, exit status 0."""
    keys = ["a", "b+c d%20", "ü/ключ", "deep/er/file.txt"]
    for key in keys:
        world.put(f"uploads/{key}", key.encode())

    result = world.worker("sweep", "--older-than", "0s", "--move", CONCURRENCY="2")

    assert result.exit_code == 0
    assert world.keys() == sorted(f"processed/{key}" for key in keys)
    assert all(world.body(f"processed/{key}") == key.encode() for key in keys)
    assert sorted(line.split()[0] for line in result.stdout.splitlines()) == ["moved"] * 4
    assert "4 moved" in result.stderr


def test_what_stays_makes_the_exit_status_6(world: World) -> None:
    """A conflict is not a success: the source is where it was, and the next step is named."""
    world.put("uploads/a", b"new")
    world.put("uploads/b", b"fine")
    world.put("processed/a", b"other")

    result = world.worker("sweep", "--older-than", "0s", "--move", "--json", ON_CONFLICT="reject")

    outcomes = {each["key"]: each for each in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 6
    assert outcomes["uploads/a"]["outcome"] == "conflict"
    assert outcomes["uploads/b"]["outcome"] == "moved"
    assert world.body("uploads/a") == b"new"
    assert "1 conflict, 1 moved" in result.stderr


def test_a_key_that_would_be_too_long_is_refused_and_stays(world: World) -> None:
    """Rule 23b: the longer destination prefix does not fit, and nothing is tried."""
    key = "uploads/" + "k" * 1015
    world.put(key)

    result = world.worker("sweep", "--older-than", "0s", "--move")

    assert result.exit_code == 6
    assert "unmovable" in result.stdout
    assert world.keys() == [key]


def test_a_store_that_ignores_the_guards_is_not_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same promise as the daemon's: refused by name, nothing moved; best-effort moves."""
    with make_world(monkeypatch, honest=False) as plain:
        plain.put("uploads/a")

        refused = plain.worker("sweep", "--older-than", "0s", "--move")
        kept = plain.keys()
        anyway = plain.worker("sweep", "--older-than", "0s", "--move", GUARDS="best-effort")

        assert refused.exit_code == 3
        assert "guard: CopyObject If-None-Match: ignored" in refused.stderr
        assert kept == ["uploads/a"]
        assert anyway.exit_code == 0
        assert "warning: guard: CopyObject If-None-Match" in anyway.stderr
        assert plain.keys() == ["processed/a"]


def test_a_listing_that_is_denied_names_the_grant(world: World) -> None:
    """And `worker check` as the next command."""
    refusals = {"s3.ListObjectsV2": Refusal()}
    client = RefusingClients(world.settings().region, refusals).s3(1)

    with pytest.raises(PreflightError, match=r"s3:ListBucket.*arn:aws:s3:::files") as raised:
        list(list_objects(client, world.settings().source))
    client.close()

    assert "worker check" in str(raised.value)


def test_a_missing_bucket_ends_with_3(world: World) -> None:
    """No traceback, and what to correct."""
    result = world.worker("sweep", BUCKET="another")

    assert result.exit_code == 3
    assert "NoSuchBucket" in result.stderr


def test_a_duration_that_is_none_is_refused_with_an_example(world: World) -> None:
    """Click's own exit status for usage."""
    result = world.worker("sweep", "--older-than", "soon")

    assert result.exit_code == 2
    assert "something like 90s, 15m, 36h or 2d would do" in result.stderr
