"""A lab's place on the machine: names of its own for all that it makes there, under a lock."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACES: Final = 4
"""Labs that a machine holds at a time; one more waits."""

LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """One of the places, by its number."""

    number: int

    @property
    def prefix(self) -> str:
        """What every name of a namespace, mount or control group begins with."""
        return f"s3ew{self.number}-"

    @property
    def work(self) -> Path:
        """Where the instances' disks live: an overlay's upper folder wants a plain file system."""
        return Path(f"/var/tmp/s3ew{self.number}-region")  # noqa: S108 - ours by the lock

    @property
    def region_namespace(self) -> str:
        """The network namespace that the bridge is in, and the AWS."""
        return f"{self.prefix}region"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it to ourselves; raises BlockingIOError if somebody else has it."""
        with Path(f"/run/lock/s3ew{self.number}-region.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield


@contextmanager
def free_place() -> Iterator[Place]:
    """Take the first place that is free, waiting for one if need be."""
    while True:
        for place in map(Place, range(PLACES)):
            taken = place.held()
            with suppress(BlockingIOError):
                taken.__enter__()
                try:
                    yield place
                finally:
                    taken.__exit__(None, None, None)
                return
        time.sleep(LOOK_SECONDS)
