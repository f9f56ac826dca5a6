"""The guarded move of what needs a look first, of large objects, and through faults."""

from dataclasses import replace
from typing import Any

import pytest
from support.conditions import Behaviour, Guards
from support.moving import (
    DESTINATION,
    IN_PARTS,
    KEEP_BOTH,
    MOVED,
    REJECT,
    REPLACE,
    SOURCE,
    TIMED_OUT,
    fresh_twin,
    instead,
    names,
    run,
    uploaded,
)
from support.store import Content
from support.twin import drive

from worker.core.move import MoveRules, OnConflict, Outcome, Result, failed, move
from worker.core.multipart import MEBIBYTE, PART_MIN_BYTES
from worker.core.plan import Move
from worker.core.port import (
    Aborted,
    AbortMultipartUpload,
    CompleteMultipartUpload,
    Conflict,
    CopyObject,
    Deleted,
    DeleteObject,
    Encryption,
    FaultKind,
    HeadObject,
    NotFound,
    ObjectInfo,
    PreconditionFailed,
    Reply,
    Request,
    Tags,
)


@pytest.mark.parametrize("unknown", ["etag", "size"])
def test_what_the_event_does_not_tell_is_looked_up(unknown: str) -> None:
    """It costs one HeadObject."""
    twin = fresh_twin()
    nothing: dict[str, Any] = {unknown: None}
    task = replace(uploaded(twin), **nothing)
    assert run(task, twin) == MOVED
    assert names(twin) == ["HeadObject", "CopyObject", "DeleteObject"]


def test_an_event_without_an_etag_moves_what_is_there() -> None:
    """Whatever it is by now: its own event will find it moved."""
    twin = fresh_twin()
    task = replace(uploaded(twin), etag=None)
    newer = uploaded(twin, "b")
    assert run(task, twin) == MOVED
    assert twin[DESTINATION].content == Content.of("b", 1)
    assert run(newer, twin).result is Result.ALREADY_MOVED


def test_a_look_that_finds_a_newer_upload_ends_the_move() -> None:
    """One HeadObject is enough to know."""
    twin = fresh_twin()
    task = replace(uploaded(twin), size=None)
    uploaded(twin, "b")
    assert run(task, twin) == Outcome(Result.SUPERSEDED)
    assert names(twin) == ["HeadObject"]


def test_a_look_that_finds_nothing_asks_the_destination() -> None:
    """Gone before: moved, or missing."""
    twin = fresh_twin()
    task = replace(uploaded(twin), etag=None)
    twin.remove(SOURCE)
    assert run(task, twin).result is Result.MISSING


def test_storage_class_and_encryption_are_kept_if_asked() -> None:
    """Otherwise a copy is STANDARD, and encrypted as its bucket says."""
    encryption = Encryption("aws:kms", "key-of-theirs")
    plain, kept = fresh_twin(), fresh_twin()
    for twin, keep in ((plain, False), (kept, True)):
        twin.put(SOURCE, "a", storage_class="STANDARD_IA", encryption=encryption)
        task = Move(SOURCE, DESTINATION, twin[SOURCE].etag, 1)
        rules = MoveRules(preserve_storage_class=keep, preserve_encryption=keep)
        assert run(task, twin, rules) == MOVED
    assert (plain[DESTINATION].storage_class, plain[DESTINATION].encryption) == ("STANDARD", None)
    assert kept[DESTINATION].storage_class == "STANDARD_IA"
    assert kept[DESTINATION].encryption == encryption


def test_an_object_above_the_threshold_goes_in_parts() -> None:
    """At the threshold it still goes whole: CopyObject takes 5 GiB, and not a byte more."""
    twin = fresh_twin()
    limit = MoveRules().multipart_threshold
    assert run(uploaded(twin, "whole", limit), twin) == MOVED
    assert twin.counts["Together"] == 0
    twin.remove(DESTINATION)
    assert run(uploaded(twin, "parts", limit + 1), twin) == MOVED
    assert twin.counts["Together"] == 6
    assert twin[DESTINATION].content == Content.of("parts", limit + 1)
    assert SOURCE not in twin


def test_our_own_earlier_copy_in_parts_is_known_by_its_joined_etag() -> None:
    """Without a checksum, the parts' sums tell; nothing has to be completed twice."""
    twin = fresh_twin(Behaviour(checksums=False))
    task = uploaded(twin, size=2 * PART_MIN_BYTES)
    perform = instead(twin, (DeleteObject, TIMED_OUT))
    assert drive(move(task, IN_PARTS), perform).result is Result.FAILED
    assert run(task, twin, IN_PARTS) == MOVED
    assert twin.counts[CompleteMultipartUpload.__name__] == 2
    assert twin.store.uploads == ()


@pytest.mark.parametrize("rules", [REPLACE, KEEP_BOTH, REJECT], ids=lambda rules: rules.on_conflict)
def test_a_joined_etag_alone_is_no_proof_of_our_copy(rules: MoveRules) -> None:
    """The same large file again, with other metadata: the older copy has the very same ETag."""
    twin = fresh_twin()
    rules = replace(rules, multipart_threshold=MEBIBYTE)
    run(uploaded(twin, size=2 * PART_MIN_BYTES, metadata="1"), twin, rules)
    outcome = run(uploaded(twin, size=2 * PART_MIN_BYTES, metadata="2"), twin, rules)
    held = {stored.metadata[0][1] for _, stored in twin.store.objects}
    assert "2" in held
    assert (outcome.result is Result.CONFLICT) == (rules.on_conflict is OnConflict.REJECT)


def test_a_completed_upload_whose_reply_was_lost_is_found() -> None:
    """The SDK asks again by itself, and hears that there is no such upload."""
    twin = fresh_twin(Behaviour(checksums=False))
    task = uploaded(twin, size=2 * PART_MIN_BYTES)

    def perform(request: Request) -> Reply:
        reply = twin.perform(request)
        return twin.perform(request) if isinstance(request, CompleteMultipartUpload) else reply

    assert drive(move(task, IN_PARTS), perform) == MOVED
    assert twin.counts["CreateMultipartUpload"] == 1
    assert SOURCE not in twin


@pytest.mark.parametrize(
    ("task_size", "rules", "told"),
    [
        (1, REPLACE, [(CopyObject, TIMED_OUT)]),
        (1, REPLACE, [(DeleteObject, TIMED_OUT)]),
        (1, REPLACE, [(CopyObject, PreconditionFailed()), (HeadObject, TIMED_OUT)]),
        (
            1,
            REPLACE,
            [(CopyObject, PreconditionFailed()), (HeadObject, NotFound()), (HeadObject, TIMED_OUT)],
        ),
        (1, REPLACE, [(CopyObject, NotFound()), (HeadObject, TIMED_OUT)]),
        (None, REPLACE, [(HeadObject, TIMED_OUT)]),
        (2 * MEBIBYTE, IN_PARTS, [(CompleteMultipartUpload, TIMED_OUT)]),
    ],
    ids=["copy", "delete", "look there", "look here", "gone", "look first", "complete"],
)
def test_a_fault_anywhere_means_not_this_time(
    task_size: int | None, rules: MoveRules, told: list[tuple[type[Request], Reply]]
) -> None:
    """The fault is handed on in AWS's words, and the source is still there."""
    twin = fresh_twin()
    task = replace(uploaded(twin, size=task_size or 1), size=task_size)
    outcome = drive(move(task, rules), instead(twin, *told))
    assert outcome == Outcome(
        Result.FAILED, detail="S3: RequestTimeout (too slow)", fault=TIMED_OUT
    )
    assert SOURCE in twin


def test_a_conflict_on_the_delete_is_a_fault_that_passes() -> None:
    """The copy stands; the next delivery deletes."""
    twin = fresh_twin()
    task = uploaded(twin)
    outcome = drive(move(task, REPLACE), instead(twin, (DeleteObject, Conflict())))
    assert outcome.result is Result.FAILED
    assert str(outcome.fault) == "DeleteObject: ConditionalRequestConflict"
    assert run(task, twin) == MOVED


def test_an_archived_source_has_an_outcome_of_its_own() -> None:
    """It must be restored first; trying again would not help."""
    twin = fresh_twin()
    twin.put(SOURCE, "a", storage_class="GLACIER")
    outcome = run(Move(SOURCE, DESTINATION, twin[SOURCE].etag, 1), twin)
    assert outcome.result is Result.ARCHIVED
    assert "InvalidObjectState" in outcome.detail


def test_a_bucket_that_is_not_there_is_a_fault_of_access() -> None:
    """A person must act; it is not the object that is missing."""
    twin = fresh_twin(Behaviour(buckets=frozenset({"in"})))
    outcome = run(uploaded(twin), twin)
    assert outcome.result is Result.FAILED
    assert outcome.fault
    assert outcome.fault.kind is FaultKind.ACCESS


@pytest.mark.parametrize("reply", [Deleted(), Tags(()), Aborted()])
def test_a_reply_that_makes_no_sense_is_a_fault(reply: Reply) -> None:
    """Whoever drives the move may be wrong; the file is safe all the same."""
    outcome = failed(reply)
    assert outcome.result is Result.FAILED
    assert type(reply).__name__ in outcome.detail


def test_a_look_that_makes_no_sense_is_a_fault() -> None:
    """In place of what HeadObject says, too."""
    twin = fresh_twin()
    task = replace(uploaded(twin), size=None)
    outcome = drive(move(task, REPLACE), instead(twin, (HeadObject, Deleted())))
    assert outcome.result is Result.FAILED


def test_a_store_that_ignores_the_source_condition_makes_the_report_untrue() -> None:
    """The newer upload is moved under the older one's event, which says that it was the older."""
    twin = fresh_twin(Behaviour(guards=Guards(copy_source=False)))
    task = uploaded(twin)
    uploaded(twin, "b")
    assert run(task, twin) == MOVED
    assert twin[DESTINATION].content == Content.of("b", 1)


def test_an_abort_that_fails_does_not_hide_the_fault() -> None:
    """What went wrong first is what is told."""
    twin = fresh_twin()
    task = uploaded(twin, size=2 * MEBIBYTE)
    other = replace(TIMED_OUT, code="SlowDown")
    told = ((CompleteMultipartUpload, TIMED_OUT), (AbortMultipartUpload, other))
    assert drive(move(task, IN_PARTS), instead(twin, *told)).fault == TIMED_OUT


def test_what_head_object_says_of_size_decides() -> None:
    """An event whose size is not that of its ETag does not make a short copy."""
    twin = fresh_twin()
    task = replace(uploaded(twin, size=3 * MEBIBYTE), size=2 * MEBIBYTE)
    assert run(task, twin, IN_PARTS) == MOVED
    assert twin[DESTINATION].content.size == 3 * MEBIBYTE
    info = twin.perform(HeadObject(DESTINATION))
    assert isinstance(info, ObjectInfo)
    assert info.size == 3 * MEBIBYTE
