"""Take one guard away and files are lost: each condition and each check earns its keep."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from support.cases import DESTINATION, Case, Mover, Upload
from support.catalogue import SMALL_PARTS, case, in_parts
from support.conditions import AWS, Behaviour, Guards
from support.interleave import explore

from worker.core.move import MoveRules, OnConflict, Outcome, Result, failed, move
from worker.core.plan import Move
from worker.core.port import (
    Conflict,
    Copied,
    CopyObject,
    DeleteObject,
    HeadObject,
    NotFound,
    ObjectInfo,
    PreconditionFailed,
    Reply,
    Request,
    Steps,
)

NO_GUARDS = Guards(
    copy_source=False,
    part_source=False,
    destination_absent=False,
    destination_match=False,
    delete=False,
)
TWO_CLASSES = Case(
    (Upload("a"), Upload("b", storage_class="STANDARD_IA")),
    rules=MoveRules(preserve_storage_class=True),
    mishaps=0,
)
REJECT = MoveRules(on_conflict=OnConflict.REJECT)
KEEP_BOTH = MoveRules(on_conflict=OnConflict.KEEP_BOTH)


def without(guards: Guards, behaviour: Behaviour = AWS) -> Behaviour:
    """Return an S3 that ignores some conditions: the same as a move that does not send them."""
    return replace(behaviour, guards=guards)


GUARD_CASES = {
    "copy's source, where the storage class was read before": (
        TWO_CLASSES,
        Guards(copy_source=False),
    ),
    "parts' source": (in_parts("a1x b1y", mishaps=0), Guards(part_source=False)),
    "destination absent": (case("a b", mishaps=0), Guards(destination_absent=False)),
    "destination absent, in parts": (
        in_parts("a b", mishaps=0),
        Guards(destination_absent=False),
    ),
    "destination absent, reject": (
        case("a b", mishaps=0, rules=REJECT),
        Guards(destination_absent=False),
    ),
    "destination absent, keep both": (
        case("a b", mishaps=0, rules=KEEP_BOTH),
        Guards(destination_absent=False),
    ),
    "destination match": (case("a b", "z", mishaps=0), Guards(destination_match=False)),
    "destination match, in parts": (
        in_parts("a b", "z", mishaps=0),
        Guards(destination_match=False),
    ),
    "delete": (case("a b", mishaps=0), Guards(delete=False)),
    "delete, in parts": (in_parts("a b", mishaps=0), Guards(delete=False)),
    "delete, keep both": (case("a b", "z", mishaps=0, rules=KEEP_BOTH), Guards(delete=False)),
}


@pytest.mark.parametrize(("guarded", "guards"), GUARD_CASES.values(), ids=GUARD_CASES)
def test_without_a_condition_files_are_lost(guarded: Case, guards: Guards) -> None:
    """With it none is lost; without it, in the very same case, some are: nobody need crash."""
    assert explore(guarded).losses == 0
    report = explore(replace(guarded, behaviour=without(guards, guarded.behaviour)))
    print(report)
    assert report.losses > 0


def test_without_the_parts_condition_files_are_torn() -> None:
    """Without it the destination holds, at least for a while, half a file of each kind."""
    guarded = in_parts("a b", mishaps=0)
    assert explore(guarded).torn == 0
    unguarded = replace(guarded, behaviour=without(Guards(part_source=False), SMALL_PARTS))
    assert explore(unguarded).torn > 0


@pytest.mark.parametrize(
    "plain",
    [
        case("a b"),
        case("a b", "z"),
        case("a b", "z", rules=REJECT),
        case("a b", "z", rules=KEEP_BOTH),
        case("a b", takings=1),
    ],
    ids=str,
)
def test_a_plain_copys_source_condition_keeps_the_reports_true_and_no_more(plain: Case) -> None:
    """A copy takes bytes and metadata at one moment, and never older ones than its event's.

    What it takes in the stead of an old upload is a newer one, and the destination's and the
    delete's conditions still hold: without the source's nothing is lost, but a move says that it
    moved what it did not.
    """
    report = explore(replace(plain, behaviour=without(Guards(copy_source=False))))
    assert (report.losses, report.torn) == (0, 0), "\n".join(report.trace)


def naive(task: Move, _: MoveRules) -> Steps[Outcome]:
    """Copy, then delete, as most workers do."""
    copied = yield CopyObject(task.source, task.etag or "", task.destination, None)
    if isinstance(copied, NotFound):
        return Outcome(Result.ALREADY_MOVED)
    if not isinstance(copied, Copied):
        return failed(copied)
    deleted = yield DeleteObject(task.source, task.etag or "")
    assert not isinstance(deleted, PreconditionFailed)
    return Outcome(Result.MOVED, task.destination)


@pytest.mark.parametrize("workers", [1, 2])
def test_copy_and_delete_without_conditions_loses_files(workers: int) -> None:
    """The usual way loses without any crash, with a single worker even."""
    usual = case("a b", workers=workers, mishaps=0)
    report = explore(replace(usual, mover=naive, behaviour=without(NO_GUARDS)))
    print(report)
    assert report.losses > 0
    assert explore(usual).losses == 0


def altered(change: Callable[[Request, Reply], Reply]) -> Mover:
    """Return the real move, hearing other replies than those that S3 gave."""

    def mover(task: Move, rules: MoveRules) -> Steps[Outcome]:
        steps = move(task, rules)
        try:
            request = next(steps)
            while True:
                reply = yield request
                request = steps.send(change(request, reply))
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome

    return mover


def _as_if_copied_just_now(request: Request, reply: Reply) -> Reply:
    if isinstance(reply, ObjectInfo) and request == HeadObject(DESTINATION):
        return replace(reply, last_modified=float("inf"))
    return reply


def _as_if_all_metadata_were_alike(_: Request, reply: Reply) -> Reply:
    return replace(reply, metadata=()) if isinstance(reply, ObjectInfo) else reply


@pytest.mark.parametrize(
    ("checked", "blinded"),
    [
        (case("a1y", "a1x"), _as_if_copied_just_now),
        (in_parts("a1y", "a1x"), _as_if_copied_just_now),
        (case("a2", "a1", rules=REJECT), _as_if_all_metadata_were_alike),
        (case("a2", "a1", rules=KEEP_BOTH), _as_if_all_metadata_were_alike),
    ],
    ids=["age", "age, in parts", "metadata, reject", "metadata, keep both"],
)
def test_an_older_file_of_the_same_bytes_is_not_taken_for_our_copy(
    checked: Case, blinded: Callable[[Request, Reply], Reply]
) -> None:
    """Blind to its age or its metadata, the move would delete what was never copied."""
    assert explore(checked).losses == 0
    assert explore(replace(checked, mover=altered(blinded))).losses > 0


def looking_at_the_source_first(task: Move, rules: MoveRules) -> Steps[Outcome]:
    """Run the real move, but answer its look's two requests in the other order."""
    steps, heard, here = move(task, rules), None, None
    try:
        request = next(steps)
        while True:
            if here is not None and request == HeadObject(task.source):
                heard, here = here, None
            else:
                if request == HeadObject(task.destination) and isinstance(
                    heard, PreconditionFailed | Conflict
                ):
                    here = yield HeadObject(task.source)
                heard = yield request
            request = steps.send(heard)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome


@pytest.mark.parametrize(
    "either",
    [case("a b", mishaps=2), case("a b", "z"), case("a b", "z", takings=1), case("a a", "z")],
    ids=str,
)
def test_the_order_of_the_look_is_no_guard(either: Case) -> None:
    """Each later write rests on its own conditions, so that nothing is lost either way round."""
    report = explore(replace(either, mover=looking_at_the_source_first))
    assert (report.losses, report.torn) == (0, 0), "\n".join(report.trace)
