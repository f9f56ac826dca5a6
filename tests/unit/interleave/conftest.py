"""The option that adds the large cases: `pytest tests/unit/interleave --exhaustive`."""

import pytest
from support.catalogue import exhaustive, quick


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --exhaustive."""
    parser.addoption("--exhaustive", action="store_true", help="explore the large cases as well")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each case of the catalogue to the tests that ask for one."""
    if "case" in metafunc.fixturenames:
        large = metafunc.config.getoption("--exhaustive", default=False)
        metafunc.parametrize("case", [*quick(), *(exhaustive() if large else [])], ids=str)
