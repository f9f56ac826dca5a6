"""The usual scene of the watcher's tests."""

from collections.abc import Iterator

import pytest
from support.imds_server import imds_server
from support.lifecycle_scene import Scene, scene_of


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Set the usual scene: an instance in service, and no notice."""
    with imds_server(target_state="InService") as imds:
        yield scene_of(imds)
