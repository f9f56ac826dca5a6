"""Events become plans: what is ours goes to its one place, and nothing goes round in circles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.events import ObjectEvent
from worker.core.plan import MAX_KEY_BYTES, Move, Refuse, Route, Skip, SkipReason, plan, unusable
from worker.core.port import Location

ROUTE = Route(Location("in", "uploads/"), Location("in", "processed/"))
OTHER_BUCKET = Route(Location("in", "uploads/"), Location("out", "uploads/done/"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PREFIXES = st.text("ab/", max_size=5).map(lambda text: text + "/")
ROUTES = st.builds(
    Route,
    st.builds(Location, st.sampled_from(["in", "out"]), PREFIXES),
    st.builds(Location, st.sampled_from(["in", "out"]), PREFIXES | st.just("")),
)


def created(key: str, *, size: int | None = 1, bucket: str = "in") -> ObjectEvent:
    """Return an upload's event."""
    return ObjectEvent(
        "ObjectCreated:Put", Location(bucket, key), "etag", size, "version", "sequencer"
    )


@given(ROUTES, TEXT, st.sampled_from(["in", "out"]))
def test_what_is_planned_can_be_carried_out_and_ends(route: Route, rest: str, bucket: str) -> None:
    """No destination is inside the source, empty, or longer than S3 allows."""
    planned = plan(created(route.source.key + rest, bucket=bucket), route)
    if isinstance(planned, Move):
        assert unusable(planned.destination, route) is None
        assert 0 < len(planned.destination.key.encode()) <= MAX_KEY_BYTES
        again = ObjectEvent("ObjectCreated:Copy", planned.destination, size=1)
        assert isinstance(plan(again, route), Skip)


@given(TEXT.filter(lambda rest: rest and not rest.endswith("/")))
def test_the_prefix_is_swapped_and_nothing_else(rest: str) -> None:
    """What stands behind the prefix stays as it is, character by character."""
    planned = plan(created("uploads/" + rest), ROUTE)
    expected = Location("in", "processed/" + rest)
    if len(expected.key.encode()) > MAX_KEY_BYTES:
        assert isinstance(planned, Refuse)
    else:
        source = Location("in", "uploads/" + rest)
        assert planned == Move(source, expected, "etag", 1, "version", "sequencer")


@given(ROUTES, TEXT, TEXT)
def test_two_files_never_share_a_destination(route: Route, one: str, other: str) -> None:
    """Different keys stay different."""
    places = {route.destination_of(route.source.key + rest) for rest in (one, other)}
    assert len(places) == len({one, other})


def test_only_the_leading_prefix_counts() -> None:
    """A prefix that comes again further on is part of the name."""
    planned = plan(created("uploads/uploads/a"), ROUTE)
    assert isinstance(planned, Move)
    assert planned.destination == Location("in", "processed/uploads/a")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (ObjectEvent("ObjectRemoved:Delete", Location("in", "uploads/a")), SkipReason.NOT_CREATED),
        (ObjectEvent("ReducedRedundancyLostObject", Location("in", "a")), SkipReason.NOT_CREATED),
        (created("uploads/a", bucket="elsewhere"), SkipReason.OTHER_BUCKET),
        (created("processed/a"), SkipReason.OTHER_PREFIX),
        (created("Uploads/a"), SkipReason.OTHER_PREFIX),
        (created("uploads"), SkipReason.OTHER_PREFIX),
        (created("uploads/", size=0), SkipReason.FOLDER_MARKER),
        (created("uploads/", size=None), SkipReason.FOLDER_MARKER),
        (created("uploads/folder/", size=0), SkipReason.FOLDER_MARKER),
        (created("uploads/folder/", size=None), SkipReason.FOLDER_MARKER),
    ],
)
def test_what_is_not_ours_is_skipped_for_a_reason(event: ObjectEvent, reason: SkipReason) -> None:
    """Each reason is counted by itself."""
    assert plan(event, ROUTE) == Skip(reason)


def test_a_key_with_a_slash_at_its_end_and_content_is_a_file() -> None:
    """S3 allows it, and somebody would miss it."""
    assert isinstance(plan(created("uploads/odd/", size=5), ROUTE), Move)


def test_a_file_whose_name_was_forgotten_is_a_file() -> None:
    """`upload_file(path, bucket, "uploads/")`: it is moved, or refused aloud; never passed over."""
    forgotten = plan(created("uploads/", size=5), ROUTE)
    assert isinstance(forgotten, Move)
    assert forgotten.destination == Location("in", "processed/")
    nowhere = plan(created("uploads/"), Route(ROUTE.source, Location("in", "")))
    assert isinstance(nowhere, Refuse)
    assert nowhere.reason == "the destination key is empty"


def test_an_empty_file_is_a_file() -> None:
    """Only a slash at the end makes nothing a folder marker."""
    assert isinstance(plan(created("uploads/empty", size=0), ROUTE), Move)


def test_rule_23b_a_key_that_grows_too_long_is_refused() -> None:
    """`processed/` is two bytes longer than `uploads/`; the limit counts bytes, not characters."""
    fits = plan(created("uploads/" + "\u00fc" * 507), ROUTE)
    assert isinstance(fits, Move)
    assert len(fits.destination.key.encode()) == MAX_KEY_BYTES
    refused = plan(created("uploads/" + "\u00fc" * 507 + "x"), ROUTE)
    assert isinstance(refused, Refuse)
    assert "1025 bytes" in refused.reason


def test_a_destination_inside_the_source_is_refused() -> None:
    """It would make an event of its own, and go round for ever."""
    inward = Route(Location("in", "up"), Location("in", ""))
    refused = plan(created("upupload"), inward)
    assert isinstance(refused, Refuse)
    assert "inside the source prefix" in refused.reason


def test_the_same_prefix_in_another_bucket_is_no_circle() -> None:
    """Only the source bucket's events reach us."""
    planned = plan(created("uploads/a"), OTHER_BUCKET)
    assert isinstance(planned, Move)
    assert planned.destination == Location("out", "uploads/done/a")


def test_an_empty_destination_key_is_no_place() -> None:
    """S3 has no object without a name."""
    assert unusable(Location("out", ""), ROUTE) == "the destination key is empty"
