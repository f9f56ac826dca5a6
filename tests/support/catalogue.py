"""The cases that are explored: some in seconds, all in minutes, and those that show the one limit.

PYTHONPATH=.:tests python -m support.catalogue [--exhaustive]    # prints the table of states
"""

import sys
from collections.abc import Iterator

from support.cases import Case, Clock, Upload, uploads
from support.conditions import AWS, Behaviour
from support.interleave import explore
from worker.core.move import MoveRules, OnConflict

MEBIBYTE = 1024**2
TIES, INCREASING = Clock.TIES, Clock.INCREASING
KMS = Behaviour(kms_buckets=frozenset({"out"}))
SMALL_PARTS = Behaviour(smallest_part=1)
SMALL_PARTS_KMS = Behaviour(smallest_part=1, kms_buckets=frozenset({"out"}), checksums=False)


def case(  # noqa: PLR0913 - a case has that many sides
    names: str,
    over: str = "",
    *,
    workers: int = 2,
    mishaps: int = 1,
    takings: int = 0,
    clock: Clock = INCREASING,
    rules: MoveRules | None = None,
    behaviour: Behaviour = AWS,
    size: int = 1,
    etags: bool = True,
    note: str = "",
) -> Case:
    """Make a case from short names; `over` is what the destination holds at first."""
    return Case(
        uploads=uploads(names),
        initial=uploads(over)[0] if over else None,
        workers=workers,
        mishaps=mishaps,
        takings=takings,
        clock=clock,
        rules=rules or MoveRules(),
        behaviour=behaviour,
        size=size,
        etags=etags,
        note=note,
    )


def in_parts(
    names: str,
    over: str = "",
    *,
    workers: int = 2,
    mishaps: int = 1,
    clock: Clock = INCREASING,
    on_conflict: OnConflict = OnConflict.REPLACE,
    behaviour: Behaviour = SMALL_PARTS,
    note: str = "in parts",
) -> Case:
    """Make a case whose files are copied in two parts each."""
    rules = MoveRules(on_conflict=on_conflict, multipart_threshold=1, part_size=1)
    return case(
        names,
        over,
        workers=workers,
        mishaps=mishaps,
        clock=clock,
        rules=rules,
        behaviour=behaviour,
        size=2 * MEBIBYTE,
        note=note,
    )


def quick() -> Iterator[Case]:
    """Yield the cases that every test run explores."""
    keep_class = MoveRules(preserve_storage_class=True)
    other_class = (Upload("a"), Upload("b", storage_class="STANDARD_IA"))
    for clock in Clock:
        yield case("a", "z", workers=3, mishaps=2, clock=clock)
        yield case("a b", mishaps=2, clock=clock)
        yield case("a b", "z", workers=3, clock=clock)
        yield case("a2", "a1", mishaps=2, clock=clock, note="same bytes, older metadata")
        yield case("a1y", "a1x", mishaps=2, clock=clock, note="same bytes, older tags")
        yield case("a", takings=1, mishaps=2, clock=clock, note="with a consumer")
        yield case("a b", takings=1, clock=clock, note="with a consumer")
        yield case("a b", "z", clock=clock, etags=False, note="events without ETags")
        yield case("a b", "z", clock=clock, behaviour=KMS, note="KMS")
        yield in_parts("a", "z", clock=clock)
        yield in_parts("a2", "a1", clock=clock, note="in parts, same bytes, older metadata")
        yield in_parts(
            "a", "z", mishaps=0, clock=clock, behaviour=SMALL_PARTS_KMS, note="in parts, KMS"
        )
        yield Case(other_class, mishaps=1, clock=clock, rules=keep_class, note="storage class")
        for choice in (OnConflict.REJECT, OnConflict.KEEP_BOTH):
            rules = MoveRules(on_conflict=choice)
            yield case("a2", "a1", mishaps=2, clock=clock, rules=rules, note=choice.value)
            yield case("a b", mishaps=2, clock=clock, rules=rules, note=choice.value)
            yield case("a b", "z", mishaps=2, clock=clock, rules=rules, note=choice.value)
            note = f"in parts, {choice.value}"
            yield in_parts("a b", mishaps=0, clock=clock, on_conflict=choice, note=note)
    yield case("a b c", clock=TIES)
    yield in_parts("a b", clock=TIES)


def exhaustive() -> Iterator[Case]:
    """Yield the larger cases, for a run that may take minutes."""
    for clock in Clock:
        yield case("a b c", mishaps=2, clock=clock)
        yield case("a b c", "z", clock=clock)
        yield case("a b", "z", workers=3, mishaps=2, clock=clock)
        yield case("a b", "z", takings=2, clock=clock, note="with a consumer")
        yield case("a b", "z", mishaps=2, clock=clock, behaviour=KMS, note="KMS")
        yield in_parts("a b", "z", clock=clock)
        yield in_parts("a", "z", clock=clock, behaviour=SMALL_PARTS_KMS, note="in parts, KMS")
        for choice in (OnConflict.REJECT, OnConflict.KEEP_BOTH):
            rules = MoveRules(on_conflict=choice)
            yield case("a b c", "z", clock=clock, rules=rules, note=choice.value)
            note = f"in parts, {choice.value}"
            yield in_parts("a b", clock=clock, on_conflict=choice, note=note)
    yield case("a b c", "z", workers=3, mishaps=1, clock=TIES)
    yield in_parts("a b", mishaps=0, workers=3)
    yield in_parts("a b", clock=TIES, behaviour=SMALL_PARTS_KMS, note="in parts, KMS")


def main() -> None:
    """Print what each case's exploration saw."""
    cases = [*quick(), *(exhaustive() if "--exhaustive" in sys.argv[1:] else [])]
    states = 0
    for each in cases:
        report = explore(each)
        states += report.states
        print(report, flush=True)
    print(f"{len(cases)} cases, {states:,} states")


if __name__ == "__main__":
    main()
