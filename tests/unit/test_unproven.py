"""docs/unproven.md: each promise names the live test that tries it, or says why there is none."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parent / "docs" / "unproven.md").read_text(encoding="utf-8")
ROWS = [line[2:-2].split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][2:]
LIVE = {
    name
    for path in (TESTS / "live").glob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:40] for row in ROWS])
def test_a_promise_names_its_live_test_or_says_why_there_is_none(row: list[str]) -> None:
    """Four cells, none of them empty; tests that are named exist."""
    assert len(row) == 4
    assert all(row)
    named = set(re.findall(r"`(test_\w+)`", row[3]))
    assert named <= LIVE
    assert named or row[3].startswith("no: ")


def test_every_live_test_tries_a_promise() -> None:
    """What is run in somebody's account is run for a reason that is written down."""
    assert set(re.findall(r"`(test_\w+)`", PAGE)) >= LIVE
