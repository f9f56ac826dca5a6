"""The errors that end a command of `provision`, each with its exit code and what to do next."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """How `provision` ends. Click itself uses 2 for a command line that it does not understand."""

    DONE = 0  # done; for `plan`: nothing would change
    FAILED = 1  # nothing was changed, or what was asked for is not true
    CHANGES = 2  # `plan`: there are changes; also: a command line or stack file that cannot work
    PARTIAL = 3  # only part of it happened; the same command again goes on


class ProvisionError(Exception):
    """Raised when a command cannot go on: where, what, and the next thing to do (`hint`)."""

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(what)


class StackFileError(ProvisionError):
    """Raised when the stack file is missing or cannot work; `faults` names every fault."""

    exit_code = ExitCode.CHANGES

    def __init__(self, path: str, faults: Sequence[str], hint: str) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join([f"{path}:", *(f"  {fault}" for fault in faults)]), hint)


class RefusedError(ProvisionError):
    """Raised when a plan meets resources that it must not touch, or the preflight a fault."""


class PartialError(ProvisionError):
    """Raised when only part of a plan was carried out."""

    exit_code = ExitCode.PARTIAL
