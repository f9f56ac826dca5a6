"""The guarded move alone and among others who write: what it asks, what it hears, how it ends."""

from itertools import count

from support.conditions import Behaviour
from support.moving import (
    DESTINATION,
    MOVED,
    REPLACE,
    SOURCE,
    before,
    fresh_twin,
    instead,
    names,
    run,
    uploaded,
)
from support.store import Content
from support.twin import S3Twin, drive

from worker.core.move import MAX_ROUNDS, Outcome, Result, move
from worker.core.plan import Move
from worker.core.port import (
    Conflict,
    CopyObject,
    DeleteObject,
    FaultKind,
    HeadObject,
    Reply,
    Request,
)


def test_a_move_costs_one_copy_and_one_delete() -> None:
    """Nothing more than the unsafe way: no look before, no look after."""
    twin = fresh_twin()
    task = uploaded(twin)
    assert run(task, twin) == MOVED
    assert twin.requests == [
        CopyObject(SOURCE, task.etag or "", DESTINATION, None),
        DeleteObject(SOURCE, task.etag or ""),
    ]
    assert twin[DESTINATION].content == Content.of("a", 1)
    assert SOURCE not in twin


def test_a_second_delivery_finds_the_file_moved() -> None:
    """The source is gone, the destination is there: done before."""
    twin = fresh_twin()
    task = uploaded(twin)
    run(task, twin)
    assert run(task, twin) == Outcome(Result.ALREADY_MOVED, DESTINATION)
    assert names(twin)[2:] == ["CopyObject", "HeadObject"]


def test_a_file_that_its_owner_took_away_is_missing() -> None:
    """Neither at its source nor at its destination."""
    twin = fresh_twin()
    task = uploaded(twin)
    twin.remove(SOURCE)
    outcome = run(task, twin)
    assert outcome.result is Result.MISSING
    assert str(SOURCE) in outcome.detail


def test_a_newer_upload_supersedes_the_event() -> None:
    """It stays where it is: its own event will move it."""
    twin = fresh_twin()
    task = uploaded(twin)
    uploaded(twin, "b")
    assert run(task, twin) == Outcome(Result.SUPERSEDED)
    assert names(twin) == ["CopyObject", "HeadObject", "HeadObject"]
    assert twin[SOURCE].content == Content.of("b", 1)
    assert DESTINATION not in twin


def test_a_newer_upload_after_the_copy_is_not_deleted() -> None:
    """The delete's condition sees to that, and the move is as done as before."""
    twin = fresh_twin()
    task = uploaded(twin)
    perform = before(twin, DeleteObject, lambda: uploaded(twin, "b"))
    assert drive(move(task, REPLACE), perform) == MOVED
    assert twin[SOURCE].content == Content.of("b", 1)


def test_rule_22_a_source_already_deleted_is_as_good() -> None:
    """A conditional delete of nothing is a 404: another delivery was quicker."""
    twin = fresh_twin()
    perform = before(twin, DeleteObject, lambda: twin.remove(SOURCE))
    assert drive(move(uploaded(twin), REPLACE), perform) == MOVED


def test_an_older_file_is_replaced_under_its_own_etag() -> None:
    """Only what was looked at may be replaced."""
    twin = fresh_twin()
    older = twin.put(DESTINATION, "z")
    assert run(uploaded(twin), twin) == MOVED
    assert names(twin) == ["CopyObject", "HeadObject", "HeadObject", "CopyObject", "DeleteObject"]
    again = twin.requests[3]
    assert isinstance(again, CopyObject)
    assert again.destination_etag == older.etag
    assert twin[DESTINATION].content == Content.of("a", 1)


def test_our_own_earlier_copy_is_not_made_again() -> None:
    """A worker died between copy and delete: only the delete is left to do."""
    twin = fresh_twin()
    task = uploaded(twin)
    twin.perform(CopyObject(SOURCE, task.etag or "", DESTINATION, None))
    assert run(task, twin) == MOVED
    assert twin.counts["CopyObject"] == 2
    assert SOURCE not in twin


def test_the_same_bytes_with_other_metadata_are_copied() -> None:
    """An older file of the same bytes is no copy of ours if its metadata differ."""
    twin = fresh_twin()
    run(uploaded(twin, metadata="1"), twin)
    assert run(uploaded(twin, metadata="2"), twin) == MOVED
    assert twin[DESTINATION].metadata == (("version", "2"),)


def test_the_same_bytes_with_other_tags_are_copied() -> None:
    """HeadObject does not tell tags: a copy older than its source is no copy of it."""
    twin = fresh_twin()
    twin.put(SOURCE, "a", tags=(("team", "old"),))
    task = Move(SOURCE, DESTINATION, twin[SOURCE].etag, 1)
    run(task, twin)
    twin.put(SOURCE, "a", tags=(("team", "new"),))
    assert run(task, twin) == MOVED
    assert twin[DESTINATION].tags == (("team", "new"),)


def test_within_one_second_a_copy_is_made_once_more() -> None:
    """S3 tells whole seconds: what may be older than its source is replaced, to be sure."""
    twin = S3Twin(lambda: 7.0)
    task = uploaded(twin)
    twin.perform(CopyObject(SOURCE, task.etag or "", DESTINATION, None))
    assert run(task, twin) == MOVED
    assert twin.counts["CopyObject"] == 3


def test_a_copy_under_kms_is_known_by_its_checksum() -> None:
    """Its ETag is another one; S3's checksum of the whole object is the same."""
    twin = fresh_twin(Behaviour(kms_buckets=frozenset({"out"})))
    task = uploaded(twin)
    twin.perform(CopyObject(SOURCE, task.etag or "", DESTINATION, None))
    assert twin[DESTINATION].etag != task.etag
    assert run(task, twin) == MOVED
    assert twin.counts["CopyObject"] == 2


def test_without_a_checksum_a_copy_under_kms_is_made_again() -> None:
    """In doubt, copy: that is always safe."""
    twin = fresh_twin(Behaviour(kms_buckets=frozenset({"out"}), checksums=False))
    task = uploaded(twin)
    twin.perform(CopyObject(SOURCE, task.etag or "", DESTINATION, None))
    assert run(task, twin) == MOVED
    assert twin.counts["CopyObject"] == 3


def test_a_destination_that_empties_again_is_written_anew() -> None:
    """Between refusal and look, a consumer took the older file."""
    twin = fresh_twin()
    twin.put(DESTINATION, "z")
    perform = before(twin, HeadObject, lambda: twin.remove(DESTINATION))
    assert drive(move(uploaded(twin), REPLACE), perform) == MOVED
    assert twin[DESTINATION].content == Content.of("a", 1)


def test_a_destination_taken_after_the_look_is_no_missing_source() -> None:
    """With an ETag to replace, a 404 is not the source's alone: the file must not be given up."""
    twin = fresh_twin()
    twin.put(DESTINATION, "z")
    copies = count()

    def perform(request: Request) -> Reply:
        if isinstance(request, CopyObject) and next(copies) == 1:
            twin.remove(DESTINATION)
        return twin.perform(request)

    assert drive(move(uploaded(twin), REPLACE), perform) == MOVED
    assert twin[DESTINATION].content == Content.of("a", 1)
    assert SOURCE not in twin


def test_a_source_that_vanishes_before_the_look_is_gone() -> None:
    """Whoever took it: the destination tells whether it was moved."""
    twin = fresh_twin()
    twin.put(DESTINATION, "z")
    perform = before(twin, HeadObject, lambda: twin.remove(SOURCE))
    outcome = drive(move(uploaded(twin), REPLACE), perform)
    assert outcome == Outcome(Result.ALREADY_MOVED, DESTINATION)


def test_rule_23c_a_conflict_is_looked_at_and_tried_again() -> None:
    """409 means that another write was under way, no more."""
    twin = fresh_twin()
    perform = instead(twin, (CopyObject, Conflict()))
    assert drive(move(uploaded(twin), REPLACE), perform) == MOVED


def test_a_crowded_destination_is_left_for_later() -> None:
    """After so many rounds the message waits, and the source is still there."""
    twin = fresh_twin()
    perform = instead(twin, *[(CopyObject, Conflict())] * MAX_ROUNDS)
    outcome = drive(move(uploaded(twin), REPLACE), perform)
    assert outcome.result is Result.FAILED
    assert outcome.fault
    assert (outcome.fault.kind, outcome.fault.code) == (FaultKind.UNAVAILABLE, "Contended")
    assert SOURCE in twin
