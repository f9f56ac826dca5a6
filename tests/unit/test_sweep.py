"""Which objects a sweep takes up, how it counts, and that it never takes up too many."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.move import Outcome, Result
from worker.core.plan import Move, Refuse, Route
from worker.core.port import Fault, FaultKind, Location
from worker.operator.in_flight import in_flight
from worker.operator.sweep import (
    HOPELESS_AFTER,
    Listed,
    Tally,
    age_text,
    candidates,
    parse_duration,
)

ROUTE = Route(Location("files", "uploads/"), Location("files", "processed/"))
NOW = 1_000_000.0


def listed(key: str, age: float = 3600, size: int = 1, storage_class: str = "STANDARD") -> Listed:
    """Return an object of the source bucket, as old as that."""
    return Listed(Location("files", key), size, NOW - age, "e", storage_class)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("36h", 129_600), ("2d", 172_800), ("1h30m", 5400)],
)
def test_durations_are_read_in_seconds(text: str, seconds: int) -> None:
    """s, m, h and d, also together."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "15 m", "-1h", "1.5h", "1w", "\u0661s", "15m\n"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    """No guessing at units."""
    with pytest.raises(ValueError, match="15m"):
        parse_duration(text)


@given(st.text())
def test_no_text_makes_reading_a_duration_fail_otherwise(text: str) -> None:
    """Seconds, or a ValueError."""
    with suppress(ValueError):
        assert parse_duration(text) >= 0


@given(st.integers(0, 10**9))
def test_ages_are_shown_as_durations_that_can_be_typed(seconds: int) -> None:
    """What is shown is the age, cut to its two largest units."""
    shown = parse_duration(age_text(seconds))
    assert shown <= seconds
    assert seconds - shown < max(60, seconds)


def test_only_what_is_old_enough_is_taken_up() -> None:
    """The age given is itself old enough; a clock that runs behind makes nothing old."""
    listing = [listed("uploads/a", 899.9), listed("uploads/b", 900), listed("uploads/c", -50)]
    assert [each.listed.location.key for each in candidates(listing, ROUTE, NOW, 900)] == [
        "uploads/b"
    ]


def test_folder_markers_are_left_out_but_not_files_with_such_names() -> None:
    """The same decision as an event's."""
    listing = [listed("uploads/", size=0), listed("uploads/d/", size=0), listed("uploads/e/")]
    assert [each.listed.location.key for each in candidates(listing, ROUTE, NOW, 0)] == [
        "uploads/e/"
    ]


def test_a_candidate_is_moved_only_as_it_was_listed() -> None:
    """The move carries the listing's ETag, so that a newer upload is left to its own event."""
    (found,) = candidates([listed("uploads/a")], ROUTE, NOW, 0)
    assert found.decision == Move(
        Location("files", "uploads/a"), Location("files", "processed/a"), "e", 1
    )
    assert (found.age_seconds, found.what_happens) == (3600, "move to s3://files/processed/a")


def test_what_can_never_be_moved_is_said_to_be_so() -> None:
    """Rule 23b: the destination key would be too long."""
    (found,) = candidates([listed("uploads/" + "k" * 1016)], ROUTE, NOW, 0)
    assert isinstance(found.decision, Refuse)
    assert found.what_happens.startswith("cannot be moved: the destination key has 1026 bytes")


@pytest.mark.parametrize(
    ("storage_class", "archived"),
    [("GLACIER", True), ("DEEP_ARCHIVE", True), ("GLACIER_IR", False), ("STANDARD", False)],
)
def test_archived_classes_are_flagged(storage_class: str, *, archived: bool) -> None:
    """GLACIER_IR can be read at once."""
    (found,) = candidates([listed("uploads/a", storage_class=storage_class)], ROUTE, NOW, 0)
    assert found.is_archived is archived
    assert found.what_happens.startswith("restore it first") is archived


def test_a_listing_without_end_is_taken_up_one_by_one() -> None:
    """Nothing is collected: the first few of endlessly many come at once."""
    taken = 0

    def endless() -> Iterator[Listed]:
        nonlocal taken
        while True:
            taken += 1
            yield listed(f"uploads/{taken}")

    assert len(list(islice(candidates(endless(), ROUTE, NOW, 0), 5))) == 5
    assert taken == 5


@given(st.lists(st.sampled_from(list(Result))))
def test_a_sweep_is_complete_only_if_all_were_moved_or_superseded(results: list[Result]) -> None:
    """Whatever stayed, or is missing, shows in the exit status."""
    tally = Tally()
    for result in results:
        tally.note(Outcome(result))
    good = {"moved", "already-moved", "superseded"}
    assert tally.is_complete == all(result.value in good for result in results)


def test_a_sweep_gives_up_only_when_access_fails_many_times_in_a_row() -> None:
    """One object that may be read in between shows that not everything is denied."""
    denied = Outcome(Result.FAILED, fault=Fault(FaultKind.ACCESS, "CopyObject", "AccessDenied"))
    tally = Tally()
    for _ in range(HOPELESS_AFTER - 1):
        tally.note(denied)
    tally.note(Outcome(Result.MOVED))
    for _ in range(HOPELESS_AFTER - 1):
        tally.note(denied)
    assert not tally.is_hopeless
    tally.note(denied)
    assert tally.is_hopeless


def test_the_summary_names_each_outcome() -> None:
    """In one line."""
    tally = Tally()
    assert str(tally) == "nothing to move"
    for result in (Result.MOVED, Result.MOVED, Result.CONFLICT):
        tally.note(Outcome(result))
    assert str(tally) == "1 conflict, 2 moved"


@given(st.integers(0, 40), st.integers(1, 8))
def test_no_more_than_so_many_are_taken_at_a_time_and_none_is_lost(items: int, most: int) -> None:
    """Each item is worked on once; the source is read at most `most` ahead of what is done."""
    taken, finished, ahead = 0, 0, 0

    def source() -> Iterator[int]:
        nonlocal taken, ahead
        for item in range(items):
            taken += 1
            ahead = max(ahead, taken - finished)
            yield item

    made = []
    with ThreadPoolExecutor(most) as pool:
        for each in in_flight(pool, lambda item: item * 2, source(), most):
            finished += 1
            made.append(each)
    assert sorted(made) == [item * 2 for item in range(items)]
    assert ahead <= most
