"""stack.toml's text → Stack, or every fault of it at once. Pure."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError

from provision.errors import StackFileError
from provision.spec.stack import Section, Stack

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

HINT = "`provision init` writes a stack file that explains every setting"


def read_stack(text: str, path: str = "stack.toml") -> Stack:
    """Read and validate a stack file; raises StackFileError that names every fault."""
    try:
        return Stack.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise StackFileError(path, [f"not TOML: {error}"], HINT) from error
    except ValidationError as error:
        faults = [_fault(each) for each in error.errors()]
        raise StackFileError(path, faults, HINT) from error


def _fault(error: "ErrorDetails") -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the file"
    what = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{where}: no such setting{_nearest(error)}"
    if error["type"] == "missing":
        return f"{where}: missing"
    if error["type"] == "string_pattern_mismatch" and (example := _example(error)):
        pattern = error["ctx"]["pattern"]
        return f"{where}: {error['input']!r} is not like {example!r}, which is to say {pattern}"
    return f"{where}: {what}, not {error['input']!r}" if _is_plain(error) else f"{where}: {what}"


def _is_plain(error: "ErrorDetails") -> bool:
    return isinstance(error["input"], str | int | float | bool) and error["type"] != "value_error"


def _nearest(error: "ErrorDetails") -> str:
    *sections, name = [str(part) for part in error["loc"]]
    known = _fields(sections)
    near = [each for each in known if each.startswith(name)] or difflib.get_close_matches(
        name, known, 1
    )
    return f"; did you mean {near[0]}?" if near else ""


def _example(error: "ErrorDetails") -> str:
    """Return a value that a setting could have; empty for what is inside of a setting."""
    *sections, name = [str(part) for part in error["loc"]]
    field = _fields(sections).get(name)
    return str(field.examples[0]) if field and field.examples else ""


def _fields(sections: Sequence[str]) -> Mapping[str, "FieldInfo"]:
    """Return the settings of a section by their names in the file; none where it is no section."""
    model: type[Section] = Stack
    for section in sections:
        inner = _named(model)[section].annotation
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            return {}
        model = inner
    return _named(model)


def _named(model: type[Section]) -> Mapping[str, "FieldInfo"]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
