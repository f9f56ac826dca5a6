"""Replaces attributes of moto's classes and modules, and puts back what was there."""

from collections.abc import Callable
from typing import Any, TypeAlias

Moto: TypeAlias = Any
"""Something of moto's: moto is outside mypy's reach (`follow_imports = "skip"`)."""

_ABSENT = object()


class Patches:
    """A stack of replaced attributes; `undo` restores them, the newest first."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Moto, str, object]] = []

    def replace(self, owner: Moto, name: str, new: object) -> None:
        """Set `owner.name` to `new`; `owner` is a class or a module."""
        self._replaced.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, new)

    def wrap(self, owner: Moto, name: str, correction: Callable[[Moto], Moto]) -> None:
        """Set `owner.name` to `correction(what it is now)`. AttributeError if moto has no such."""
        self.replace(owner, name, correction(getattr(owner, name)))

    def undo(self) -> None:
        """Put everything back as it was found."""
        while self._replaced:
            owner, name, old = self._replaced.pop()
            if old is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, old)
