"""Who may import whom, and how long files and functions may be: read from the source itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("worker", "provision", "packer/files", "tests")
    for path in (ROOT / folder).rglob("*.py")
)

MAY_IMPORT = {
    "worker/core": {"worker.core"},
    "worker/operator": {"worker.core", "worker.operator", "worker.settings"},
    "provision/policies": {
        "provision.core",
        "provision.policies",
        "provision.resources",
        "provision.spec",
    },
}
"""Rooms that decide, and do no I/O: what they may import of ours."""

EXCEPTION = re.compile(r"#\s*(noqa|type: ignore|pragma: no cover|ruff: noqa|mypy:)")
REASONED = re.compile(r"# (noqa: [A-Z]+\d+(, [A-Z]+\d+)*|type: ignore\[[\w-]+\]) +[-#] \w")

PACKAGES = [path for path in SOURCES if path.match("*/__init__.py") and "tests" not in path.parts]
PROGRAMS = {"worker", "provision"}

FILE_LINES, FUNCTION_LINES = 300, 40

DEMO, DEMO_ENTRANCE = "worker/demo", "worker/commands/demo.py"


def test_nobody_imports_the_demo_but_its_command() -> None:
    """What runs in production needs neither moto nor an AWS of its own."""
    guests = {
        told(path)
        for path in SOURCES
        if not told(path).startswith((DEMO, "tests/")) and "worker.demo" in rooms(path)
    }
    assert guests == {DEMO_ENTRANCE}


def test_the_worker_does_without_provision() -> None:
    """Its wheel runs on instances and in Lambda, where no operator's tools are."""
    guests = {
        told(path)
        for path in SOURCES
        if told(path).startswith("worker/") and any(r.startswith("provision") for r in rooms(path))
    }
    assert {each for each in guests if not each.startswith(DEMO)} == set()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_pure_room_imports_only_what_is_pure(room: str) -> None:
    """Deciding needs no client: a room beside it that talks to AWS would come along."""
    imported = {
        each for path in SOURCES if told(path).startswith(f"{room}/") for each in rooms(path)
    }
    assert imported
    assert imported <= MAY_IMPORT[room]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: told(path.parent))
def test_a_packages_map_names_what_is_there(package: Path) -> None:
    """Each name in backticks in its docstring is a module or a package beside it."""
    words = ast.get_docstring(ast.parse(text(package))) or ""
    named = set(re.findall(r"`([a-z][a-z0-9_]*)(?:\.py)?`", words)) - PROGRAMS
    there = {path.stem for path in package.parent.iterdir()}
    assert named <= there


def test_no_file_has_300_lines_and_no_function_40() -> None:
    """Tests, too; a docstring is not counted, for a command's is its whole help text."""
    long = [told(path) for path in SOURCES if len(text(path).splitlines()) >= FILE_LINES]
    long += [
        f"{told(path)}: {function.name}"
        for path in SOURCES
        for function in ast.walk(ast.parse(text(path)))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and lines_of(function) >= FUNCTION_LINES
    ]
    assert long == []


def test_every_exception_from_a_check_carries_its_reason() -> None:
    """On its own line, behind the check's name, so that it goes when the reason does."""
    bare = [
        f"{told(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(text(path).splitlines(), 1)
        if EXCEPTION.search(line) and not REASONED.search(line)
    ]
    assert bare == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines, from its `def` on, without the docstring's."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return lines
    return lines - ((first.end_lineno or 0) - first.lineno + 1)


def text(path: Path) -> str:
    """Return a file's text."""
    return path.read_text(encoding="utf-8")


def told(path: Path) -> str:
    """Return a file's path below the root."""
    return path.relative_to(ROOT).as_posix()


def rooms(path: Path) -> set[str]:
    """Return the packages of ours, two names deep ("worker.aws"), that a file imports anywhere."""
    return {
        ".".join(each.split(".")[:2])
        for each in _imported(path)
        if each.split(".")[0] in {"worker", "provision"}
    }


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            deeper = "." not in node.module
            yield from (f"{node.module}.{e.name}" if deeper else node.module for e in node.names)
