"""The S3 twin behind a network: requests take virtual time, and may be made to fail."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from support.store import Store, StoredObject
from support.twin import S3Twin
from worker.core.port import CopyObject, Location, Reply, Request

Scripted = Reply | Exception | None


class LargeStore(Store):
    """A store for many objects: it changes in place, where the twin's own copies itself."""

    __slots__ = ("_shelf",)
    _shelf: dict[Location, StoredObject]

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_shelf", {})

    def get(self, location: Location) -> StoredObject | None:
        """Return the object at a place, if there is one."""
        return self._shelf.get(location)

    def with_object(self, location: Location, stored: StoredObject | None) -> Store:
        """Put an object, or with None take it away."""
        if stored:
            self._shelf[location] = stored
        else:
            self._shelf.pop(location, None)
        return self


@dataclass(slots=True, eq=False)
class SlowS3:
    """An S3 port. `latency` returns a request's seconds; `fault` its scripted reply, or None.

    An exception among the scripted replies is a fault of the executor itself.
    """

    twin: S3Twin
    latency: Callable[[Request], float] = lambda _: 0.0
    fault: Callable[[Request], Scripted] = lambda _: None
    observe: Callable[[Reply], None] = lambda _: None
    copying: int = 0
    most_copying: int = 0
    asked: list[tuple[float, Request]] = field(default_factory=list)

    async def perform(self, request: Request, /) -> Reply:
        """Carry the request out."""
        return await asyncio.wrap_future(self.submit(request))

    def submit(self, request: Request, /) -> "Future[Reply]":
        """Start the request; its effect comes half-way, its reply at the end."""
        loop = asyncio.get_running_loop()
        self.asked.append((loop.time(), request))
        is_copy = isinstance(request, CopyObject)
        self.copying += is_copy
        self.most_copying = max(self.most_copying, self.copying)
        half = self.latency(request) / 2
        future: Future[Reply] = Future()

        def take_effect() -> None:
            scripted = self.fault(request)
            reply = self.twin.perform(request) if scripted is None else scripted
            loop.call_later(half, answer, reply)

        def answer(reply: Reply | Exception) -> None:
            self.copying -= is_copy
            if isinstance(reply, Exception):
                future.set_exception(reply)
                return
            self.observe(reply)
            future.set_result(reply)

        loop.call_later(half, take_effect)
        return future
