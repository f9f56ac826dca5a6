"""docs/aws-rules.md: a test that names it holds each rule, or it says where only AWS can tell."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
DOCS = TESTS.parent / "docs"
RULES = (DOCS / "aws-rules.md").read_text(encoding="utf-8")
UNPROVEN = (DOCS / "unproven.md").read_text(encoding="utf-8")
EMBEDDED = "edge/embedded/"

NUMBERS = re.findall(r"^(\d+[a-z]?)\. ", RULES, re.MULTILINE)
ROWS = re.findall(r"^\| (\d+[a-z]?) \| (.*?) \| (.*?) \|$", RULES, re.MULTILINE)
LIST = re.compile(r"`[^`]+`(, `[^`]+`)*")
NAMED = re.compile(r"def test_rule((?:_(?:and_)?\d\d[a-z]?)+)_\w")


def test_every_rule_has_one_row() -> None:
    """And every row is about a rule; numbers are used once."""
    assert [number for number, _, _ in ROWS] == NUMBERS
    assert len(set(NUMBERS)) == len(NUMBERS) > 40


def test_every_test_that_names_a_rule_names_one_that_is_written_down() -> None:
    """A number of its own invention would hold nothing."""
    assert held().keys() <= {padded(number) for number in NUMBERS}


@pytest.mark.parametrize(("number", "ours", "emulated"), ROWS, ids=NUMBERS)
def test_a_rule_is_held_where_its_row_says(number: str, ours: str, emulated: str) -> None:
    """Each file there has a test of that name.

    A sentence instead of files says why our code has none: then the embedded AWS is held to the
    rule, or docs/unproven.md names it.
    """
    is_sentence = LIST.fullmatch(ours) is None
    named = ([] if is_sentence else files_of(ours)) + [
        EMBEDDED + each for each in files_of(emulated)
    ]
    assert set(named) <= held()[padded(number)]
    assert [each for each in files_of(ours) if not (TESTS / each).exists()] == []
    assert named or f"(rule {number})" in UNPROVEN


def files_of(cell: str) -> list[str]:
    """Return the files that a cell of the table names."""
    return re.findall(r"`([\w/]+(?:\.py)?)`", cell)


def padded(number: str) -> str:
    """Return a rule's number as tests write it."""
    return number.zfill(2) if number.isdigit() else number.zfill(3)


def held() -> Mapping[str, set[str]]:
    """Return the files with a test for each rule, as paths below tests/."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, numbers in _named():
        for number in numbers:
            found[number].add(path)
    return found


def _named() -> Iterator[tuple[str, list[str]]]:
    for path in TESTS.rglob("*.py"):
        for match in NAMED.finditer(path.read_text(encoding="utf-8")):
            yield path.relative_to(TESTS).as_posix(), re.findall(r"\d\d[a-z]?", match[1])
