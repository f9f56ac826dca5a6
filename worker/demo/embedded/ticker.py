"""Calls something again and again in a thread, for a region in real time."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


def repeat(act: Callable[[], None], seconds: float) -> Callable[[], None]:
    """Call `act` every so many seconds; return what ends it, and waits for the end.

    An error of `act` is logged, and the next call comes all the same.
    """
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            try:
                act()
            except Exception:
                log.exception("a tick failed")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end() -> None:
        over.set()
        thread.join()

    return end
