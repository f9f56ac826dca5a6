"""One region for all the tests of this folder, which are one story in the order of their files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from region.lab.base import base_file_system, cache_folder
from region.lab.host import missing
from region.lab.journal import Journal
from region.lab.region import Region, open_region


@pytest.fixture(scope="session")
def base() -> Path:
    """Return the file system under every image; the first time on a machine it is built."""
    lacking = missing()
    if lacking:
        pytest.fail(lacking)
    return base_file_system(cache_folder(os.environ))


@pytest.fixture(scope="session")
def region(base: Path) -> Iterator[Region]:
    """Open the region; what went wrong behind the API fails the tests in the end."""
    with open_region(base, Journal()) as opened:
        yield opened
        failures = opened.machines.failures
    assert failures == []
