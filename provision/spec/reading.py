"""stack.toml's text → Stack, or every fault of it at once. Pure."""

import difflib
import tomllib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from provision.errors import StackFileError
from provision.spec.stack import Section, Stack

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

HINT = "`provision init` writes a stack file that explains every setting"


def read_stack(text: str, path: str = "stack.toml") -> Stack:
    """Read and validate a stack file; raises StackFileError that names every fault."""
    try:
        return Stack.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
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
    return f"{where}: {what}, not {error['input']!r}" if _is_plain(error) else f"{where}: {what}"


def _is_plain(error: "ErrorDetails") -> bool:
    return isinstance(error["input"], str | int | float | bool) and error["type"] != "value_error"


def _nearest(error: "ErrorDetails") -> str:
    *sections, name = [str(part) for part in error["loc"]]
    model: type[Section] = Stack
    for section in sections:
        field = model.model_fields[f"{section}_" if section == "lambda" else section]
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section)):
            return ""
        model = field.annotation
    known = [field.alias or key for key, field in model.model_fields.items()]
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""
