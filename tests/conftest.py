"""`--heavy`: also runs the long variants, which `make test` leaves out and CI does not."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--heavy", action="store_true", help="run the long variants as well")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that goes with it."""
    config.addinivalue_line("markers", "heavy: runs for a minute or more; only with --heavy")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the heavy tests out unless asked: deselected, and counted as such."""
    if config.getoption("--heavy"):
        return
    heavy = [item for item in items if item.get_closest_marker("heavy")]
    if heavy:
        config.hook.pytest_deselected(items=heavy)
        items[:] = [item for item in items if item not in set(heavy)]
