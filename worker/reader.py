"""Reads single settings by name and kind, and collects what is wrong with them. Pure."""

import difflib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

Choice = TypeVar("Choice", bound=StrEnum)

SIZE = re.compile(r"(\d{1,15})\s*(|KiB|MiB|GiB)", re.IGNORECASE | re.ASCII)
SIZE_UNITS = {"": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


class Reader:
    """Settings by name, from the environment first and then from a file; `faults` grows."""

    def __init__(self, environment: Mapping[str, str], file: Mapping[str, object]) -> None:
        self._environment = environment
        self._file = {name.upper(): value for name, value in file.items()}
        self._asked: set[str] = set()
        self.faults: list[str] = []

    def fault(self, name: str, what: str) -> None:
        """Note that a setting is wrong, and how."""
        self.faults.append(f"{name}: {what}")

    def unknown(self) -> tuple[str, ...]:
        """Name the settings of the file that nothing asked for, each a likely slip of the pen."""
        return tuple(
            name + (f" (did you mean {near[0]}?)" if near else "")
            for name in sorted(self._file.keys() - self._asked)
            for near in [difflib.get_close_matches(name, self._asked, 1)]
        )

    def text(self, name: str, default: str = "", *, empty_counts: bool = False) -> str:
        """Return a setting as it stands; an empty one is as good as none unless `empty_counts`."""
        self._asked.add(name)
        value = self._environment.get(name)
        if value is None or (not value and not empty_counts):
            value = self._from_file(name)
        return default if value is None or (not value and not empty_counts) else value

    def _from_file(self, name: str) -> str | None:
        value = self._file.get(name)
        if value is None:
            return None
        if isinstance(value, bool | dict | float):
            self.fault(name, f"{value!r} is not a text or a whole number")
            return None
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    def matching(self, name: str, pattern: re.Pattern[str], what: str, *, needed: bool) -> str:
        """Return a setting that looks as it must."""
        value = self.text(name)
        if not value and needed:
            self.fault(name, f"missing; it must be {what}")
        if value and not pattern.fullmatch(value):
            self.fault(name, f"{value!r} is not {what}")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number within its bounds."""
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
            self.fault(name, f"{value!r} is not a whole number")
            return default
        if not least <= int(value) <= most:
            self.fault(name, f"{value} is out of range; {least} to {most} would do")
            return default
        return int(value)

    def size(self, name: str, default: int, least: int, most: int) -> int:
        """Return a size in bytes; `64MiB` and the like are understood."""
        value = self.text(name)
        if not value:
            return default
        match = SIZE.fullmatch(value)
        if not match:
            self.fault(name, f"{value!r} is not a size; bytes or something like 64MiB would do")
            return default
        size = int(match.group(1)) * SIZE_UNITS[match.group(2).lower()]
        if not least <= size <= most:
            self.fault(name, f"{value} is out of range; {least} to {most} bytes would do")
            return default
        return size

    def choice(self, name: str, choices: Sequence[str], default: str = "") -> str:
        """Return one of the choices; the first is the default unless another is named."""
        value = self.text(name, default or choices[0])
        if value not in choices:
            self.fault(name, f"{value!r} is not one of {', '.join(choices)}")
            return default or choices[0]
        return value

    def member(self, name: str, choices: type[Choice]) -> Choice:
        """Return one of an enumeration's members; the first is the default."""
        return choices(self.choice(name, [choice.value for choice in choices]))

    def several(self, name: str, choices: Sequence[str]) -> frozenset[str]:
        """Return any number of the choices, which stand separated by commas."""
        values = {part.strip() for part in self.text(name).split(",") if part.strip()}
        for wrong in sorted(values - set(choices)):
            self.fault(name, f"{wrong!r} is not one of {', '.join(choices)}")
        return frozenset(values & set(choices))
