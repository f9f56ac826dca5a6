"""A bounded number of jobs at a time, over any number of items."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, as_completed, wait
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def in_flight(
    pool: Executor, work: Callable[[Item], Made], items: Iterable[Item], most: int
) -> Iterator[Made]:
    """Yield `work(item)` of each item as it gets done; at most `most` items are taken at a time.

    When the caller stops early, what is under way is still finished by the pool.
    """
    waiting: set[Future[Made]] = set()
    for item in items:
        waiting.add(pool.submit(work, item))
        if len(waiting) >= most:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (each.result() for each in done)
    yield from (each.result() for each in as_completed(waiting))
