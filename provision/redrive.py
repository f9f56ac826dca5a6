"""Moves all dead letters back to the queue, watched until it is over (rule 16)."""

from collections.abc import Callable
from typing import Final

from provision.aws.dead_letters import DeadLetters
from provision.core.dead_letter import MoveTask
from provision.errors import PartialError, ProvisionError

LOOK_SECONDS: Final = 1.0


def begin(letters: DeadLetters, before: MoveTask | None, per_second: int | None) -> None:
    """Start a move unless one runs; `before` is the latest. Raises ClientError."""
    if before is None or not before.is_running:
        letters.start_move(per_second)


def watch(
    letters: DeadLetters,
    before: MoveTask | None,
    *,
    patience_seconds: float,
    sleep: Callable[[float], None],
    told: Callable[[MoveTask], None],
) -> MoveTask:
    """Watch the move that `begin` began, or that ran already, and return it once it is over.

    `told` hears of every look. Raises PartialError when patience ends first (the move goes on by
    itself), ProvisionError for a move that failed.
    """
    for _ in range(max(1, round(patience_seconds / LOOK_SECONDS))):
        task = letters.latest_move()
        if task is not None and not _is_an_older_one(task, before):
            told(task)
            if not task.is_running:
                return _ended(task)
        sleep(LOOK_SECONDS)
    raise PartialError(
        f"the move was not over after {patience_seconds:g} s; it goes on by itself",
        "`provision dlq redrive` again watches it further",
    )


def _is_an_older_one(task: MoveTask, before: MoveTask | None) -> bool:
    """Say whether this move had ended before ours began, which the list does not tell yet."""
    return before is not None and not before.is_running and task.started == before.started


def _ended(task: MoveTask) -> MoveTask:
    if task.status == "COMPLETED":
        return task
    raise ProvisionError(
        f"the move ended as {task.status} after {task.moved} messages: {task.failure}",
        "`provision dlq list` shows what is left; `provision dlq redrive` tries again",
    )
