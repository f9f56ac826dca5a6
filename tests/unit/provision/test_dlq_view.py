"""Dead letters on the screen: whatever their bodies hold, a terminal is safe from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from provision.core.dead_letter import Letter, MoveTask
from provision.screen.dlq_view import duration, letter_lines, letters_document, letters_table
from worker.operator.explain import explain
from worker.settings import read_settings

RULES = read_settings({"BUCKET": "acme", "REGION": "us-east-2"}, needs_queue=False).rules


@given(st.text())
def test_any_body_can_be_shown(body: str) -> None:
    """Nothing in it reaches the terminal as a control character, and nothing makes it fail."""
    letter = Letter("id", body, 0.0, 1, "")
    explanation = explain(body, RULES)[0]
    lines = list(letter_lines(letter, explanation, RULES))
    assert all(line.isprintable() for line in lines)
    assert lines[0] == "message id"
    table = Console(width=200, file=None, record=True, quiet=True)
    table.print(letters_table([(letter, explanation)], RULES, now=60.0))
    assert letters_document([(letter, explanation)], RULES)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "0 min"), (90, "2 min"), (7199, "120 min"), (7200, "2 hours"), (14 * 86400, "14 days")],
)
def test_a_time_span_is_told_in_its_largest_unit(seconds: float, told: str) -> None:
    """Nobody reads 1,209,600 s."""
    assert duration(seconds) == told


def test_a_letter_is_read_from_what_sqs_tells() -> None:
    """Milliseconds become seconds; it expires 14 days after it was first sent (rule 15)."""
    letter = Letter.of(
        {
            "MessageId": "m",
            "Body": "b",
            "Attributes": {"SentTimestamp": "86400000", "ApproximateReceiveCount": "6"},
        }
    )
    assert letter == Letter("m", "b", 86400.0, 6, "")
    assert letter.expires == 15 * 86400


@pytest.mark.parametrize(
    ("status", "running"),
    [("RUNNING", True), ("CANCELLING", True), ("COMPLETED", False), ("FAILED", False)],
)
def test_a_move_runs_until_it_is_over(status: str, running: bool) -> None:  # noqa: FBT001 # a case
    """One that is being cancelled still moves messages."""
    assert MoveTask(status, 0, 1, 0).is_running is running
