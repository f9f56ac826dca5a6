"""Every S3 port in turn, and places that no other test uses."""

from collections.abc import Iterator

import pytest
from support.s3_worlds import BUCKET, PORTS, World

from worker.core.port import Location


@pytest.fixture(scope="module", params=PORTS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Give each port in turn; tests use files of their own."""
    with PORTS[request.param]() as made:
        yield made


@pytest.fixture
def here(request: pytest.FixtureRequest) -> Location:
    """Name a place that no other test uses."""
    return Location(BUCKET, f"uploads/{request.node.name}")


@pytest.fixture
def there(request: pytest.FixtureRequest) -> Location:
    """Name a destination that no other test uses."""
    return Location(BUCKET, f"processed/{request.node.name}")
