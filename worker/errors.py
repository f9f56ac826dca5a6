"""The errors that end a command, each with its exit code and what to do about it."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """How `worker` ends; a second signal ends it with 128 + the signal's number instead."""

    DONE = 0  # drained, or the command did what was asked
    UNEXPECTED = 1  # a fault of ours
    SETTINGS = 2  # settings that cannot work; restarting does not help
    PREFLIGHT = 3  # a permission or a queue that is needed is not there (yet)
    ACCESS_LOST = 4  # credentials or permissions went away while running
    DRAIN_CUT_SHORT = 5  # DRAIN_SECONDS ran out; what was not finished comes back by itself


class WorkerError(Exception):
    """Raised when a command cannot go on; its text says where, what, and what to do next."""

    exit_code = ExitCode.UNEXPECTED


class SettingsError(WorkerError):
    """Raised when settings are missing or wrong; `faults` names every one of them."""

    exit_code = ExitCode.SETTINGS

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["settings that cannot work:", *(f"  {f}" for f in faults)]))


class AwsSetupError(WorkerError):
    """Raised when botocore cannot work with what it was given, before any call; `why` it says."""

    exit_code = ExitCode.SETTINGS

    def __init__(self, why: object) -> None:
        super().__init__(
            f"AWS cannot be used like this: {why}\n"
            "see REGION, AWS_PROFILE, AWS_ENDPOINT_URL and AWS_CONFIG_FILE, then run `worker check`"
        )


class PreflightError(WorkerError):
    """Raised when a check that the worker needs has failed; it names the missing permission."""

    exit_code = ExitCode.PREFLIGHT


class AccessLostError(WorkerError):
    """Raised when SQS has refused us for minutes; a restart begins with fresh credentials."""

    exit_code = ExitCode.ACCESS_LOST
