"""Visits every state of a case, and asks of each whether a file was lost or torn.

python -m support.interleave [--exhaustive]    # from tests/, prints the table of states
"""

from collections import deque
from dataclasses import dataclass

from support.cases import DESTINATION, SOURCE, Case
from support.store import Store
from support.world import State, World
from worker.core.move import OnConflict, Result


@dataclass(frozen=True, slots=True)
class Report:
    """What an exploration saw; `trace` leads to the first loss, state by state in words.

    `losses` counts quiescent states in which an upload is not where it was promised to be, `torn`
    states in which the destination holds something that nobody uploaded.
    """

    case: Case
    states: int
    quiescent: int
    losses: int
    torn: int
    trace: tuple[str, ...]
    results: frozenset[Result]

    def __str__(self) -> str:
        """Tell the counts in one line."""
        return (
            f"{self.case}: {self.states:,} states, {self.quiescent:,} quiescent,"
            f" {self.losses} lost, {self.torn} torn"
        )


def explore(case: Case, *, stop_at_loss: bool = False) -> Report:
    """Visit every state, breadth first; with `stop_at_loss`, only up to the first loss."""
    world = World(case)
    start = world.start()
    came_from: dict[State, State | None] = {start: None}
    todo = deque([start])
    quiescent = 0
    lost: list[State] = []
    torn: list[State] = []
    while todo and not (stop_at_loss and (lost or torn)):
        state = todo.popleft()
        if not is_whole(case, world.store(state)):
            torn.append(state)
        if world.is_quiescent(state):
            quiescent += 1
            if not keeps_its_promise(case, world.store(state), state):
                lost.append(state)
        for successor in world.successors(state):
            if successor not in came_from:
                came_from[successor] = state
                todo.append(successor)
    bad = [*lost, *torn]
    trace = _trace(world, came_from, bad[0]) if bad else ()
    states = len(came_from)
    results = frozenset(world.results)
    return Report(case, states, quiescent, len(lost), len(torn), trace, results)


def count_stuck(case: Case) -> int:
    """Count the states from which no quiescent one can be reached any more."""
    world = World(case)
    start = world.start()
    before: dict[State, list[State]] = {start: []}
    todo = [start]
    done: list[State] = []
    while todo:
        state = todo.pop()
        if world.is_quiescent(state):
            done.append(state)
        for successor in world.successors(state):
            if successor not in before:
                before[successor] = []
                todo.append(successor)
            before[successor].append(state)
    can_finish = set(done)
    while done:
        for state in before[done.pop()]:
            if state not in can_finish:
                can_finish.add(state)
                done.append(state)
    return len(before) - len(can_finish)


def is_whole(case: Case, store: Store) -> bool:
    """Tell whether every object is one that somebody uploaded: bytes, metadata and tags."""
    uploaded = (*case.uploads, *([case.initial] if case.initial else []))
    return all(
        any(case.is_like(stored, upload) for upload in uploaded) for _, stored in store.objects
    )


def keeps_its_promise(case: Case, store: Store, state: State) -> bool:
    """Tell whether, all being settled, every file is where it was promised to be.

    replace: the source is empty, and the last upload is at the destination or was taken from it.
    keep-both: likewise, or under its own name; and whatever was deleted from the source, and what
    was at the destination at first, is at rest. reject: likewise, or still at the source.
    """
    last = len(case.uploads) - 1
    here = case.uploads_like(store.get(SOURCE))
    at_rest = _at_rest(case, store) | _numbers(state.taken)
    if case.rules.on_conflict is OnConflict.REPLACE:
        return store.get(SOURCE) is None and last in at_rest
    kept = case.initial is None or case.is_like(store.get(DESTINATION), case.initial)
    if case.rules.on_conflict is OnConflict.KEEP_BOTH:
        return (
            store.get(SOURCE) is None
            and kept
            and last in at_rest
            and _numbers(state.removed) <= at_rest
        )
    return kept and last in at_rest | here and _numbers(state.removed) <= at_rest


def _at_rest(case: Case, store: Store) -> set[int]:
    found = set(case.uploads_like(store.get(DESTINATION)))
    for number, upload in enumerate(case.uploads):
        if case.is_like(store.get(case.own_name(number)), upload):
            found.add(number)
    return found


def _numbers(bits: int) -> set[int]:
    return {number for number in range(bits.bit_length()) if bits >> number & 1}


def _trace(world: World, came_from: dict[State, State | None], last: State) -> tuple[str, ...]:
    lines: list[str] = []
    at: State | None = last
    while at is not None:
        lines.append(_describe(world, at))
        at = came_from[at]
    return tuple(reversed(lines))


def _describe(world: World, state: State) -> str:
    objects = ", ".join(
        f"{place.key}={'+'.join(label for label, _, _ in stored.content.runs)}"
        f"{stored.metadata[0][1]}{stored.tags[0][1]}@{stored.last_modified}"
        for place, stored in world.store(state).objects
    )
    moments = [(worker, world.moment(worker)) for worker in state.workers]
    workers = "; ".join(
        f"event {worker[0]}{' in flight' if worker[2] >= 0 else ''}: "
        f"{moment.request or moment.outcome}"
        for worker, moment in moments
        if moment
    )
    return f"[{objects}] events {state.events}, {len(state.orphans)} orphans; {workers}"
