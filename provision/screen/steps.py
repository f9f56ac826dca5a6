"""The progress of an apply or a destroy, on stderr: a line a step, and why one waits."""

from rich.console import Console
from rich.text import Text

from provision.core.plan import Create, Step, Update
from provision.screen.plan_view import MARKS


class WaitLines:
    """Prints why one waits, once a reason."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = ""

    def waits(self, why: str, seconds: float) -> None:
        """Say what is waited for, unless the last line said so."""
        del seconds
        if why != self._told:
            self._console.print(f"  {why}", style="yellow", soft_wrap=True)
            self._told = why


class StepLines:
    """Prints what is being done; a step that waits says why, once a reason."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._count = 0
        self._waiting_for = ""

    def begins(self, step: Step) -> None:
        """Say which step comes now."""
        self._count += 1
        self._waiting_for = ""
        mark, colour = MARKS[type(step)]
        number = f"{self._count:>{len(str(self._total))}}/{self._total}"
        line = Text(f"{number} ").append(f"{mark} {step.key}", style=colour)
        self._console.print(line.append(f"  {_what(step)}", style="dim"), soft_wrap=True)

    def waits(self, why: str, seconds: float) -> None:
        """Say why AWS needs a moment, unless the last line said so."""
        if why != self._waiting_for:
            self._console.print(f"      waiting: {why} (next try in {seconds:g} s)", style="yellow")
            self._waiting_for = why

    def ends(self, step: Step) -> None:
        """Say nothing more about a step that is done: the next line, or the end, does."""


def _what(step: Step) -> str:
    if isinstance(step, Update):
        return ", ".join(change.name for change in step.changes)
    return "create" if isinstance(step, Create) else "remove"
