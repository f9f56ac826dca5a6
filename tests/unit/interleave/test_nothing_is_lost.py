"""The real move through every interleaving: no file is lost, none is torn, nobody gets stuck."""

import pytest
from support.cases import Case, Clock
from support.catalogue import case as make_case
from support.catalogue import in_parts
from support.interleave import count_stuck, explore

from worker.core.move import Result


def test_no_interleaving_loses_or_tears_a_file(case: Case) -> None:
    """Whatever the order of events, each file ends where it was promised to be, whole."""
    report = explore(case)
    print(report)
    assert report.quiescent
    assert (report.losses, report.torn) == (0, 0), "\n".join(report.trace)


@pytest.mark.parametrize(
    "small",
    [
        make_case("a b", "z", takings=1),
        make_case("a b", clock=Clock.TIES),
        in_parts("a b", mishaps=0),
    ],
    ids=str,
)
def test_from_every_state_the_work_can_still_be_finished(small: Case) -> None:
    """No state is a dead end or a loop without a way out."""
    assert count_stuck(small) == 0


def test_a_file_is_called_missing_only_if_somebody_took_it() -> None:
    """While nobody else touches the destination, no duplicate finds its file gone."""
    assert Result.MISSING not in explore(make_case("a b", "z")).results
    assert Result.MISSING in explore(make_case("a b", "z", takings=1)).results
