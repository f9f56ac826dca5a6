"""The demo's verification names every difference, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.demo.verify import Content, Depth, State, content, verify

CARRIED = {
    "headers": {"ContentType": "text/csv"},
    "metadata": {"owner": "accounts"},
    "tags": {"project": "a b"},
}
REPORT = content(b"a,b\n", **CARRIED)
SHOULD = State(moved={"report.csv": REPORT}, rejected=("garbage",))


def wrong(found: State, should: State = SHOULD) -> list[str]:
    """Give all that the verification finds wrong."""
    return [fault for check in verify(should, found) for fault in check.wrong]


def holding(report: Content) -> State:
    """Give the state that should be, but for the report."""
    return replace(SHOULD, moved={"report.csv": report})


def carrying(field: str, entries: dict[str, str]) -> State:
    """Give the state that should be, but for the report's headers, metadata or tags."""
    return holding(content(b"a,b\n", **{**CARRIED, field: entries}))


def test_what_should_be_is_not_wrong() -> None:
    """The same state gives no fault, and four promises that were kept."""
    assert wrong(SHOULD) == []
    assert len(verify(SHOULD, SHOULD)) == 4


def test_a_missing_file_is_named() -> None:
    """A file that is nowhere to be found."""
    assert wrong(replace(SHOULD, moved={})) == ["'report.csv' is missing"]


def test_a_file_of_nobodys_is_named() -> None:
    """A file at the destination that was never uploaded."""
    found = replace(SHOULD, moved={**SHOULD.moved, "stray": REPORT})
    assert wrong(found) == ["'stray' is there, but nobody uploaded it"]


def test_one_wrong_byte_is_enough() -> None:
    """The size is right, a byte is not."""
    other = content(b"a,c\n", **CARRIED)
    assert wrong(holding(other)) == ["'report.csv': other bytes than were uploaded last"]


def test_a_truncated_file_is_told_by_its_size() -> None:
    """A file that ends too early."""
    short = content(b"a,", **CARRIED)
    assert wrong(holding(short)) == ["'report.csv': 2 bytes instead of 4"]


@pytest.mark.parametrize(
    ("field", "name", "kind", "value"),
    [
        ("headers", "ContentType", "header", "text/csv"),
        ("metadata", "owner", "metadata", "accounts"),
        ("tags", "project", "tag", "a b"),
    ],
)
class TestWhatAFileCarries:
    """Headers, metadata and tags are compared entry by entry."""

    def test_a_lost_entry_is_named(self, field: str, name: str, kind: str, value: str) -> None:
        """It was uploaded, and is gone."""
        del value
        assert wrong(carrying(field, {})) == [f"'report.csv': {kind} {name} is lost"]

    def test_a_wrong_value_is_shown_beside_the_right_one(
        self, field: str, name: str, kind: str, value: str
    ) -> None:
        """It is there, with another value."""
        assert wrong(carrying(field, {name: "other"})) == [
            f"'report.csv': {kind} {name} is 'other' instead of {value!r}"
        ]

    def test_an_entry_too_many_is_named(self, field: str, name: str, kind: str, value: str) -> None:
        """It was never uploaded."""
        assert wrong(carrying(field, {name: value, "extra": "1"})) == [
            f"'report.csv': {kind} extra is there, but nobody uploaded it"
        ]


def test_what_is_left_at_the_source_is_named() -> None:
    """A file that was copied but never deleted, or never touched."""
    assert wrong(replace(SHOULD, left=("uploads/x",))) == ["'uploads/x' is still there"]


@pytest.mark.parametrize("depth", [Depth(waiting=1), Depth(in_hand=1), Depth(delayed=1)])
def test_a_message_left_in_the_queue_is_told(depth: Depth) -> None:
    """Whether it waits, is in somebody's hand, or is delayed."""
    [told] = wrong(replace(SHOULD, queue=depth))
    assert told == (
        f"{depth.waiting} messages wait in it, {depth.in_hand} are in hand,"
        f" {depth.delayed} are delayed"
    )


def test_the_dead_letter_queue_must_hold_the_garbage() -> None:
    """Garbage that was dropped instead of being set aside."""
    assert wrong(replace(SHOULD, rejected=())) == ["the message 'garbage' is missing"]


def test_the_dead_letter_queue_must_hold_nothing_else() -> None:
    """A real event among the garbage, and one garbage message that is there twice."""
    found = replace(SHOULD, rejected=("garbage", "garbage", "an event"))
    assert wrong(found) == [
        "the message 'an event' does not belong there",
        "the message 'garbage' does not belong there",
    ]


CONTENTS = st.builds(
    content,
    st.binary(max_size=4),
    *(st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2) for _ in range(3)),
)
STATES = st.builds(
    State,
    moved=st.dictionaries(st.text(max_size=2), CONTENTS, max_size=3),
    left=st.lists(st.text(max_size=2), unique=True, max_size=2).map(sorted).map(tuple),
    queue=st.builds(Depth, *(st.integers(0, 2),) * 3),
    rejected=st.lists(st.text(max_size=2), max_size=3).map(sorted).map(tuple),
)


@given(STATES, STATES)
def test_nothing_is_wrong_only_where_all_is_the_same(should: State, found: State) -> None:
    """For any two states: a fault is told if, and only if, they differ."""
    assert bool(wrong(found, should)) == (should != found)


@given(st.text())
def test_a_fault_is_one_short_line(name: str) -> None:
    """Whatever a file is called, its fault stays one line that a terminal can show."""
    [fault] = wrong(replace(SHOULD, moved={**SHOULD.moved, name + "x" * 1000: REPORT}))
    assert "\n" not in fault
    assert fault.isprintable()
