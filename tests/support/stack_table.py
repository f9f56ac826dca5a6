"""docs/stack-file.md: a table a section, written from the settings' own descriptions."""

import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from provision.spec.stack import Section, Stack

PAGE = Path(__file__).resolve().parents[2] / "docs" / "stack-file.md"

OPENING = """\
# The stack file

`provision init` writes it with every setting explained; `provision plan` reports all of its faults
at once. Only the settings marked *needed* have no default.
"""


def page() -> str:
    """Return the whole page."""
    lines = [OPENING, "## At the top", "", *_table(Stack)]
    for name, field in Stack.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            what = " ".join((section.__doc__ or "").split()).partition(": ")[2]
            lines += [
                "",
                f"## [{field.alias or name}]",
                "",
                what[:1].upper() + what[1:],
                "",
                *_table(section),
            ]
    return "\n".join(lines) + "\n"


def _table(section: type[Section]) -> Iterator[str]:
    yield from ("| setting | default | what it does |", "| --- | --- | --- |")
    for name, field in section.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section)):
            yield f"| `{name}` | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "*needed*"
    if isinstance(value, Enum):
        value = value.value
    if value in ("", (), {}):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
