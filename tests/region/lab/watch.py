"""Watches a fleet while something happens to it: how many workers serve, at every look.

Once a refresh is done but for its bake time, the clock is set forward: nobody learns by waiting.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from region.lab.fleet import Fleet

LOOK_SECONDS: Final = 0.5

BAKE_SECONDS: Final = 300
"""How long `provision rollout` has a refresh wait for an alarm, at its end."""


@contextmanager
def watched(fleet: Fleet) -> Iterator[list[int]]:
    """Give a list that grows by the number of serving workers, look by look, while this lasts."""
    counts: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            serving = len(fleet.serving())
            if not counts or counts[-1] != serving:
                fleet.region.journal.note("fleet", "serving", workers=str(serving))
            counts.append(serving)
            if fleet.is_baking():
                fleet.region.aws.clock.advance(BAKE_SECONDS)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join()
