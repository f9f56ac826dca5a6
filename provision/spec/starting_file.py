"""The stack file that `provision init` writes, in which every setting is explained. Pure."""

import json
import textwrap
from collections.abc import Iterator
from enum import Enum
from typing import Final

from pydantic.fields import FieldInfo

from provision.spec.stack import Section, Stack

WIDTH: Final = 100

OPENING: Final = """\
# The whole system, in one file. Settings that are commented out stand at their defaults.
#   provision plan     what would change, and why
#   provision apply    make it so
"""


def starting_file(*, name: str, region: str, bucket: str) -> str:
    """Return a stack file that works as it stands, with the three values that it cannot guess."""
    given = {"name": name, "region": region, "bucket": bucket}
    lines = [OPENING, *_settings(Stack, given)]
    for key, field in Stack.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            lines += ["", f"[{field.alias or key}]", *_settings(section, given)]
    lines += ["", "# [tags]", '# Project = "uploads"', ""]
    return "\n".join(lines)


def _settings(section: type[Section], given: dict[str, str]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        if name == "tags" or _is_section(field):
            continue
        value = given.get(name)
        line = f"{name} = {_toml(field.default if value is None else value)}"
        line = line if value is not None else f"# {line}"
        yield from textwrap.wrap(f"# {field.description}", WIDTH, subsequent_indent="# ")
        yield line


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)


def _toml(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(value)
