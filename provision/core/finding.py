"""What a check found, as a value: preflight and verify speak this way. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: a failure stops an apply, and makes verify fail."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what about, what was seen, and what to do (`hint`)."""

    level: Level
    subject: str
    detail: str
    hint: str = ""


def ok(subject: str, detail: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Level.OK, subject, detail)


def warning(subject: str, detail: str, hint: str = "") -> Finding:
    """Return a finding to know of, which stops nothing."""
    return Finding(Level.WARNING, subject, detail, hint)


def failure(subject: str, detail: str, hint: str) -> Finding:
    """Return a finding that must be mended first; `hint` says how."""
    return Finding(Level.FAILURE, subject, detail, hint)


def failures(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those that are failures."""
    return tuple(each for each in findings if each.level is Level.FAILURE)
