"""An event loop whose time jumps to the next timer when nothing is ready: hours in milliseconds.

Functions handed to an executor run in the loop itself; one that returns a coroutine takes as long
as that does. So a port's calls cost virtual time, and no thread is ever started.
"""

import asyncio
import inspect
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")

BEGIN_SECONDS = 1_000_000.0
"""Far from 0, so that nobody gets by with a clock that starts there."""


class NothingLeftError(AssertionError):
    """Raised when all wait and no timer is set: the program under test would hang for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: sets the loop's time forward instead."""

    now = BEGIN_SECONDS

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now; if that is nothing, let the time pass."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise NothingLeftError("all wait, and no timer is set")
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; `time` is its own clock, in seconds."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Tell the virtual time."""
        return self._jumping.now

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - threads know no virtual time
        func: Callable[..., Any],
        *args: object,
    ) -> asyncio.Future[Any]:
        """Run `func` here; whoever stops waiting for it does not stop it, as with a thread."""
        future: asyncio.Future[Any] = self.create_future()

        async def carry_out() -> None:
            try:
                result = func(*args)
                result = await result if inspect.isawaitable(result) else result
            except Exception as error:  # noqa: BLE001 - handed on, as an executor does
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        task = self.create_task(carry_out())
        future.add_done_callback(lambda _: task)  # holds the task until it is done
        return future


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
