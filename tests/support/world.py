"""Uploader, queue, S3, workers and consumer as one machine: from each state, every next one.

A state is a tuple of small numbers; stores, moments of a move and copies in flight are numbered as
they turn up. Budgets (mishaps, takings) keep the number of states finite; within them nothing is
left out. Workers are alike, so that states differing in who is who are one.
"""

from collections.abc import Hashable, Iterator
from functools import partial
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from support.cases import DESTINATION, SOURCE, Case, Clock
from support.replay import Moment, Replay
from support.store import Store
from support.twin import Pending, begin, commit, perform
from worker.core.move import OnConflict, Outcome, Result
from worker.core.port import (
    CompleteMultipartUpload,
    Conflict,
    CopyObject,
    DeleteObject,
    Fault,
    FaultKind,
    Replies,
    Reply,
    Request,
    Together,
)
from worker.core.verdict import Ack, Reject, VerdictRules, judge

H = TypeVar("H", bound=Hashable)
Worker: TypeAlias = tuple[int, int, int]  # (event, moment, what is in flight or -1)

UNSENT, VISIBLE, IN_FLIGHT, ACKNOWLEDGED, DEAD = range(5)
IDLE: Worker = (-1, -1, -1)
LOST_REPLY = Fault(FaultKind.UNAVAILABLE, "S3", "Lost", "done, but nobody heard")
CONDITIONAL_WRITES = (CopyObject, CompleteMultipartUpload, DeleteObject)


class State(NamedTuple):
    """One moment of the whole: numbers only, so that millions fit."""

    uploaded: int
    store: int
    now: int
    events: tuple[int, ...]
    workers: tuple[Worker, ...]  # sorted
    orphans: tuple[int, ...]  # copies in flight whose worker is dead
    mishaps: int
    takings: int
    removed: int  # a bit for each upload that a worker deleted from the source
    taken: int  # a bit for each upload that the consumer took from the destination


class Numbers(Generic[H]):
    """Things by number, numbered as they turn up."""

    def __init__(self) -> None:
        self.things: list[H] = []
        self._numbers: dict[H, int] = {}

    def of(self, thing: H) -> int:
        """Return the thing's number."""
        number = self._numbers.get(thing)
        if number is None:
            number = self._numbers[thing] = len(self.things)
            self.things.append(thing)
        return number


class World:
    """The machine of one case. `results` gathers how moves ended."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.results: set[Result] = set()
        self._stores: Numbers[Store] = Numbers()
        self._flights: Numbers[Pending | tuple[Reply, ...]] = Numbers()
        self._performed: dict[tuple[int, int, int], tuple[int, Reply]] = {}
        tasks = [case.task(number) for number in range(len(case.uploads))]
        self._replay = Replay(tuple(partial(case.mover, task, case.rules) for task in tasks))

    def start(self) -> State:
        """Return the state before anything happened."""
        case = self.case
        store = case.put(Store(), DESTINATION, case.initial, 0) if case.initial else Store()
        return State(
            uploaded=0,
            store=self._stores.of(store),
            now=0 if case.clock is Clock.TIES else 1,
            events=(UNSENT,) * len(case.uploads),
            workers=(IDLE,) * case.workers,
            orphans=(),
            mishaps=case.mishaps,
            takings=case.takings,
            removed=0,
            taken=0,
        )

    def store(self, state: State) -> Store:
        """Return what S3 holds in a state."""
        return self._stores.things[state.store]

    def moment(self, worker: Worker) -> Moment | None:
        """Return where a worker stands in its move; None if it is idle."""
        return None if worker == IDLE else self._replay.moments[worker[1]]

    def is_quiescent(self, state: State) -> bool:
        """Tell whether all is uploaded and settled, and nobody is at work."""
        return (
            state.uploaded == len(self.case.uploads)
            and min(state.events) >= ACKNOWLEDGED
            and not state.orphans
            and state.workers[-1] == IDLE
        )

    def successors(self, state: State) -> Iterator[State]:
        """Yield every state that one step of anybody leads to."""
        if state.uploaded < len(self.case.uploads):
            yield self._after_upload(state)
        if state.takings and self.store(state).get(DESTINATION):
            yield self._after_taking(state)
        for orphan in set(state.orphans):
            yield self._after_orphan(state, orphan)
        for worker in set(state.workers):
            if worker == IDLE:
                yield from self._deliveries(state)
            else:
                yield from self._mishaps(state, worker)
                yield from self._steps(state, worker)

    # --- everybody but the workers ----------------------------------------------------------------

    def _after_upload(self, state: State) -> State:
        number = state.uploaded
        store = self.case.put(self.store(state), SOURCE, self.case.uploads[number], state.now)
        return self._written(state, self._stores.of(store))._replace(
            uploaded=number + 1, events=_changed(state.events, number, VISIBLE)
        )

    def _after_taking(self, state: State) -> State:
        store = self.store(state)
        numbers = self.case.uploads_like(store.get(DESTINATION))
        after = self._written(state, self._stores.of(store.with_object(DESTINATION, None)))
        return after._replace(takings=state.takings - 1, taken=state.taken | _bits(numbers))

    def _after_orphan(self, state: State, orphan: int) -> State:
        flight = self._flights.things[orphan]
        assert isinstance(flight, Pending)
        store, _ = commit(self.store(state), flight, state.now, self.case.behaviour)
        orphans = list(state.orphans)
        orphans.remove(orphan)
        return self._written(state, self._stores.of(store))._replace(orphans=tuple(orphans))

    def _deliveries(self, state: State) -> Iterator[State]:
        for event, status in enumerate(state.events):
            again = status in {IN_FLIGHT, ACKNOWLEDGED}
            if status == VISIBLE or (again and state.mishaps):
                events = state.events if again else _changed(state.events, event, IN_FLIGHT)
                busy = (event, self._replay.roots[event], -1)
                yield self._with(state, IDLE, busy)._replace(
                    events=events, mishaps=state.mishaps - again
                )

    # --- a worker ---------------------------------------------------------------------------------

    def _mishaps(self, state: State, worker: Worker) -> Iterator[State]:
        """Yield what may go wrong before the worker's next step."""
        if not state.mishaps:
            return
        event, number, flight = worker
        crashed = self._with(state, worker, IDLE)._replace(
            events=_back(state.events, event), mishaps=state.mishaps - 1
        )
        yield crashed
        if flight >= 0 and isinstance(self._flights.things[flight], Pending):
            yield crashed._replace(orphans=tuple(sorted((*state.orphans, flight))))
        if isinstance(self._replay.moments[number].request, CONDITIONAL_WRITES):
            refused = (event, self._replay.after(number, Conflict()), -1)
            yield self._with(state, worker, refused)._replace(mishaps=state.mishaps - 1)

    def _steps(self, state: State, worker: Worker) -> Iterator[State]:
        event, number, flight = worker
        moment = self._replay.moments[number]
        if moment.request is None:
            assert moment.outcome
            yield self._settled(state, worker, moment.outcome)
            return
        if isinstance(moment.request, CopyObject) and flight < 0:
            started = begin(self.store(state), moment.request, self.case.behaviour)
            if isinstance(started, Pending):
                yield self._with(state, worker, (event, number, self._flights.of(started)))
                return
        if isinstance(moment.request, Together):
            yield self._after_one_of_several(state, worker, moment.request)
            return
        yield from self._after_request(state, worker, moment.request)

    def _after_request(self, state: State, worker: Worker, request: Request) -> Iterator[State]:
        event, number, _ = worker
        store, reply = self._perform(state, worker, request)
        after = self._written(state, store)._replace(removed=self._removed(state, store))
        heard = [reply]
        if state.mishaps:
            _, second = perform(self.store(after), request, after.now, self.case.behaviour)
            heard += [LOST_REPLY, *([second] if second != reply else [])]
        for position, told in enumerate(heard):
            next_worker = (event, self._replay.after(number, told), -1)
            mishaps = state.mishaps - (position > 0)
            yield self._with(after, worker, next_worker)._replace(mishaps=mishaps)

    def _perform(self, state: State, worker: Worker, request: Request) -> tuple[int, Reply]:
        _, number, flight = worker
        if flight >= 0:
            pending = self._flights.things[flight]
            assert isinstance(pending, Pending)
            store, reply = commit(self.store(state), pending, state.now, self.case.behaviour)
            return self._stores.of(store), reply
        key = (state.store, number, state.now)
        known = self._performed.get(key)
        if known is None:
            store, reply = perform(self.store(state), request, state.now, self.case.behaviour)
            known = self._performed[key] = (self._stores.of(store), reply)
        return known

    def _after_one_of_several(self, state: State, worker: Worker, together: Together) -> State:
        event, number, flight = worker
        heard = self._flights.things[flight] if flight >= 0 else ()
        assert isinstance(heard, tuple)
        request = together.requests[len(heard)]
        store, reply = perform(self.store(state), request, state.now, self.case.behaviour)
        heard = (*heard, reply)
        after = self._written(state, self._stores.of(store))
        if len(heard) < len(together.requests):
            return self._with(after, worker, (event, number, self._flights.of(heard)))
        return self._with(after, worker, (event, self._replay.after(number, Replies(heard)), -1))

    def _settled(self, state: State, worker: Worker, outcome: Outcome) -> State:
        self.results.add(outcome.result)
        event = worker[0]
        match judge([outcome], VerdictRules(), 1, 0.0):
            case Ack():
                events = _changed(state.events, event, ACKNOWLEDGED)
            case Reject() if state.events[event] == IN_FLIGHT:
                events = _changed(state.events, event, DEAD)
            case _:
                events = _back(state.events, event)
        return self._with(state, worker, IDLE)._replace(events=events)

    def _written(self, state: State, store: int) -> State:
        ticks = store != state.store and self.case.clock is Clock.INCREASING
        return state._replace(store=store, now=state.now + ticks)

    def _with(self, state: State, old: Worker, new: Worker) -> State:
        workers = list(state.workers)
        workers.remove(old)
        workers.append(new)
        return state._replace(workers=tuple(sorted(workers)))

    def _removed(self, state: State, store: int) -> int:
        if store == state.store or self.case.rules.on_conflict is OnConflict.REPLACE:
            return state.removed  # replacing, only the last upload is promised
        before, after = self.store(state).get(SOURCE), self._stores.things[store].get(SOURCE)
        if before is None or after is not None:
            return state.removed
        return state.removed | _bits(self.case.uploads_like(before))


def _bits(numbers: frozenset[int]) -> int:
    return sum(1 << number for number in numbers)


def _changed(events: tuple[int, ...], number: int, status: int) -> tuple[int, ...]:
    return (*events[:number], status, *events[number + 1 :])


def _back(events: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Make a message visible again, unless it was deleted meanwhile."""
    return _changed(events, number, VISIBLE) if events[number] == IN_FLIGHT else events
