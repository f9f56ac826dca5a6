"""One contract for every S3 port: looking, copying, deleting."""

import pytest
from support.s3_worlds import BUCKET, World, copy_of

from worker.core.port import (
    Copied,
    Deleted,
    DeleteObject,
    DeleteObjects,
    Encryption,
    Fault,
    FaultKind,
    GetObjectTagging,
    HeadObject,
    Location,
    NotFound,
    PreconditionFailed,
    Replies,
    Tags,
)

ODD_KEYS = (
    "uploads/with space.txt",
    "uploads/plus+plus.txt",
    "uploads/per%20cent%.txt",
    "uploads/ünï/日本語 🎉.txt",
    "uploads/a?versionId=b",
    "uploads/a?x=1&y=2#z",
    "uploads/.../..a/.b",
    "uploads/quote'\"<&>.txt",
    "uploads/a;b,c=d@e:f$g!h*i(j)k~l|m^n`o{p}q[r]s\\t",
    " leading and trailing ",
    "uploads//double//slash",
    "uploads/" + "k" * 992,
)


# --- looking --------------------------------------------------------------------------------------


def test_head_tells_all_that_a_copy_must_keep(world: World, here: Location) -> None:
    """Size, ETag, headers, metadata."""
    headers = (("CacheControl", "no-cache"), ("ContentType", "text/plain"))
    etag = world.put(here, size=3, headers=headers, metadata=(("a", "1"), ("b", "two words")))
    info = world.head(here)
    assert (info.etag, info.size, info.storage_class) == (etag, 3, "STANDARD")
    assert set(headers) <= set(info.headers)
    assert info.metadata == (("a", "1"), ("b", "two words"))


def test_what_is_not_there_is_not_found(world: World, here: Location, there: Location) -> None:
    """404 of every request that names an object."""
    assert world.ask(HeadObject(here)) == NotFound()
    assert world.ask(GetObjectTagging(here)) == NotFound()
    assert world.ask(copy_of(here, "e", there)) == NotFound()
    assert world.ask(DeleteObject(here, "e")) == NotFound()


def test_a_missing_bucket_is_a_persons_business(world: World, here: Location) -> None:
    """On either end of a copy, and of a delete: no object is missing, a bucket is."""
    nowhere = Location("no-such-bucket", "k")
    etag = world.put(here)
    for request in (
        copy_of(nowhere, "e", here),
        copy_of(here, etag, nowhere),
        DeleteObject(nowhere, "e"),
    ):
        reply = world.ask(request)
        assert isinstance(reply, Fault), request
        assert (reply.kind, reply.code) == (FaultKind.ACCESS, "NoSuchBucket"), request


# --- copying --------------------------------------------------------------------------------------


def test_a_copy_keeps_bytes_headers_metadata_and_tags(
    world: World, here: Location, there: Location
) -> None:
    """All by itself, under both conditions."""
    etag = world.put(
        here,
        headers=(("ContentType", "text/x-odd"),),
        metadata=(("m", "1"),),
        tags=(("t", "1"), ("u", "2")),
    )
    copied = world.ask(copy_of(here, etag, there))
    assert copied == Copied(etag)
    before, after = world.head(here), world.head(there)
    assert (after.etag, after.size) == (before.etag, before.size)
    assert (after.headers, after.metadata) == (before.headers, before.metadata)
    tags = world.ask(GetObjectTagging(there))
    assert isinstance(tags, Tags)
    assert set(tags.pairs) == {("t", "1"), ("u", "2")}


def test_a_stale_source_stops_a_copy(world: World, here: Location, there: Location) -> None:
    """412, and nothing is written."""
    old = world.put(here, "old")
    world.put(here, "new")
    assert world.ask(copy_of(here, old, there)) == PreconditionFailed()
    assert not world.is_there(there)


def test_a_copy_over_nothing_needs_nothing_there(
    world: World, here: Location, there: Location
) -> None:
    """`IfNoneMatch: *`: 412, and what is there stays."""
    etag, other = world.put(here), world.put(there, "other")
    assert world.ask(copy_of(here, etag, there)) == PreconditionFailed()
    assert world.head(there).etag == other


def test_a_copy_over_something_needs_that_very_thing(
    world: World, here: Location, there: Location
) -> None:
    """`IfMatch`: 412 for another, 404 for nothing, and done for the one that was named."""
    etag = world.put(here)
    assert world.ask(copy_of(here, etag, there, over="gone")) == NotFound()
    other = world.put(there, "other")
    assert world.ask(copy_of(here, etag, there, over="stale")) == PreconditionFailed()
    assert world.head(there).etag == other
    assert world.ask(copy_of(here, etag, there, over=other)) == Copied(etag)


def test_a_copy_has_the_class_and_the_encryption_that_it_is_told(
    world: World, here: Location, there: Location
) -> None:
    """Where the rules preserve them; else S3's defaults."""
    etag = world.put(here)
    sse = Encryption("AES256")
    world.ask(copy_of(here, etag, there, storage_class="STANDARD_IA", encryption=sse))
    info = world.head(there)
    assert info.storage_class == "STANDARD_IA"
    assert info.encryption is not None
    assert info.encryption.algorithm == "AES256"


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key[:24]))
def test_odd_keys_are_copied_looked_at_and_deleted(world: World, key: str) -> None:
    """Literal on both ends, whatever a URL would make of them."""
    here, there = Location(BUCKET, key), Location(BUCKET, f"to/{key}")
    etag = world.put(here, key, tags=(("t", "1"),))
    assert world.ask(copy_of(here, etag, there)) == Copied(etag)
    assert world.head(there).etag == etag
    assert world.ask(GetObjectTagging(there)) == Tags((("t", "1"),))
    assert world.ask(DeleteObject(here, etag)) == Deleted()
    assert world.ask(HeadObject(here)) == NotFound()


# --- deleting -------------------------------------------------------------------------------------


def test_a_delete_needs_the_very_object(world: World, here: Location) -> None:
    """412 for another ETag, 404 once it is gone."""
    etag = world.put(here)
    assert world.ask(DeleteObject(here, "other")) == PreconditionFailed()
    assert world.is_there(here)
    assert world.ask(DeleteObject(here, etag)) == Deleted()
    assert world.ask(DeleteObject(here, etag)) == NotFound()


def test_deletes_together_have_a_reply_each(world: World, here: Location) -> None:
    """In the request's order: done, changed, gone."""
    places = [Location(BUCKET, f"{here.key}/{name}") for name in ("z", "changed", "gone", "a")]
    etags = [world.put(place) for place in places]
    world.ask(DeleteObject(places[2], etags[2]))
    world.put(places[1], "newer")
    deletes = tuple(map(DeleteObject, places, etags))
    assert world.ask(DeleteObjects(deletes)) == Replies(
        (Deleted(), PreconditionFailed(), NotFound(), Deleted())
    )
    assert [world.is_there(place) for place in places] == [False, True, False, False]


def test_odd_keys_are_deleted_together(world: World) -> None:
    """XML on the way there and back loses none of them."""
    places = [Location(BUCKET, f"together/{key.strip()}") for key in ODD_KEYS[:-1]]
    deletes = tuple(DeleteObject(place, world.put(place)) for place in places)
    assert world.ask(DeleteObjects(deletes)) == Replies((Deleted(),) * len(places))
    assert not any(map(world.is_there, places))


@pytest.mark.parametrize("key", ["uploads/bell\x07", "uploads/tab\tend"])
def test_a_key_with_a_control_character_goes_alone(world: World, key: str) -> None:
    """Rule 23a: no DeleteObjects can name it, a DeleteObject can."""
    here = Location(BUCKET, key)
    etag = world.put(here)
    assert world.ask(DeleteObject(here, etag)) == Deleted()
    assert not world.is_there(here)


def test_many_deletes_together_are_one_reply(world: World) -> None:
    """A hundred, as the worker sends them."""
    places = [Location(BUCKET, f"many/{number}") for number in range(100)]
    deletes = tuple(DeleteObject(place, world.put(place)) for place in places)
    assert world.ask(DeleteObjects(deletes)) == Replies((Deleted(),) * 100)
