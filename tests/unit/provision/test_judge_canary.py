"""A canary that is stuck: the furthest place that it reached is named, with the next command."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.core.judge_canary import CanaryFacts, diagnose

FEW = st.integers(0, 3)
NOTHING = CanaryFacts(at_source=True, waiting=0, in_hand=0, dead_letters=0, dead_letters_before=0)


def test_no_message_at_all_points_at_the_wiring() -> None:
    """The file lies there, and nobody was told."""
    assert "provision plan" in diagnose(NOTHING).hint


@pytest.mark.parametrize(
    ("seen", "where", "hint"),
    [
        (replace(NOTHING, waiting=2, in_hand=1, dead_letters=1), "set aside", "provision dlq list"),
        (replace(NOTHING, waiting=2, in_hand=1), "in a worker's hand", "worker check"),
        (replace(NOTHING, waiting=2), "nobody receives", "provision status"),
    ],
)
def test_the_furthest_place_is_the_one_that_is_named(
    seen: CanaryFacts, where: str, hint: str
) -> None:
    """Others may wait behind it."""
    stuck = diagnose(seen)
    assert where in stuck.where
    assert hint in stuck.hint


def test_an_old_dead_letter_is_none_of_this_canary() -> None:
    """Only one that came since the start can be ours."""
    facts = CanaryFacts(at_source=True, waiting=1, in_hand=0, dead_letters=2, dead_letters_before=2)
    assert "nobody receives" in diagnose(facts).where


def test_a_file_that_was_taken_by_others_is_said_to_be() -> None:
    """It is not at its source, and not at its destination."""
    facts = CanaryFacts(
        at_source=False, waiting=1, in_hand=1, dead_letters=1, dead_letters_before=0
    )
    assert "somebody else" in diagnose(facts).where


@given(st.builds(CanaryFacts, st.booleans(), FEW, FEW, FEW, FEW))
def test_every_case_names_a_place_and_what_to_do(facts: CanaryFacts) -> None:
    """Whatever was seen, the operator is not left alone with it."""
    stuck = diagnose(facts)
    assert stuck.where
    assert stuck.hint
