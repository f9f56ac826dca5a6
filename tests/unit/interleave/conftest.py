"""Gives the catalogue's cases to the tests that ask for one; the large ones are heavy."""

import pytest
from support.catalogue import exhaustive, quick


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each case of the catalogue to the tests that ask for one."""
    if "case" in metafunc.fixturenames:
        large = [pytest.param(case, marks=pytest.mark.heavy) for case in exhaustive()]
        metafunc.parametrize("case", [*quick(), *large], ids=str)
