"""What the pages name is there: every link, command, option, make target and file."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from provision.cli import main as provision
from worker.cli import main as worker
from worker.core.move import Result
from worker.core.plan import SkipReason

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "packer" / "README.md",
    ROOT / "tests" / "bench" / "README.md",
]
OUTCOMES = ROOT / "docs" / "outcomes.md"
PROGRAMS: dict[str, click.Command] = {"provision": provision, "worker": worker}

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:.*\| )?(provision|worker) ([a-z][\w-]*.*)")
TARGET = re.compile(r"^make ([a-z][a-z-]*)")
MADE = re.compile(r"^([a-z-]+):", re.MULTILINE)
FILE = re.compile(r"`((?:worker|provision|packer|systemd|tests|docs)/[\w./*-]+)`")
OPTION = re.compile(r"(?:^|\s)(--?[a-z][\w-]*)")

a_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@a_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file or folder of the repository, and to a heading that the page has."""
    dead = [
        link
        for link in LINK.findall(text(page))
        if not link.startswith(("https://", "http://")) and not leads_somewhere(page, link)
    ]
    assert dead == []


@a_page
def test_every_command_that_is_shown_exists_with_its_options(page: Path) -> None:
    """As its own `--help` has it."""
    assert [fault for line in shown(page) for fault in faults(line)] == []


@a_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    """By its path from the root, `*` standing for some of them."""
    assert [each for each in FILE.findall(text(page)) if not list(ROOT.glob(each))] == []


@a_page
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    """In the Makefile."""
    targets = set(MADE.findall(text(ROOT / "Makefile")))
    named = {target for line in shown(page) for target in TARGET.findall(line)}
    assert named <= targets


def test_every_outcome_has_its_row_and_every_reason_to_skip_is_named() -> None:
    """What the log says is looked up there."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*?) \|", text(OUTCOMES), re.MULTILINE))
    assert rows.keys() == set(Result)
    assert set(QUOTED.findall(rows["skipped"])) == {*SkipReason, "test-event"}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("provision frobnicate", "provision frobnicate"),
        ("provision apply --frobnicate", "provision apply --frobnicate"),
        ("A=b worker sweep --moved", "worker sweep --moved"),
        ("provision dlq list --live", None),
        ("provision plan [--json]", None),
        ("systemctl reload s3-event-worker run", None),
    ],
)
def test_a_wrong_command_is_noticed(line: str, fault: str | None) -> None:
    """The test above has something to find."""
    assert faults(line) == ([] if fault is None else [fault])


def text(page: Path) -> str:
    """Return a page's text."""
    return page.read_text(encoding="utf-8")


def leads_somewhere(page: Path, link: str) -> bool:
    """Say whether a relative link's file is there, and has the heading that it names."""
    path, _, heading = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not heading or heading in headings(target))


def headings(page: Path) -> set[str]:
    """Return a page's headings, as links name them."""
    found = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


def shown(page: Path) -> Iterator[str]:
    """Yield the lines of a page's shell blocks, its prompts', and all that is quoted as code."""
    for language, block in FENCE.findall(text(page)):
        for line in block.splitlines():
            if language == "sh" or line.startswith("$ "):
                yield line.removeprefix("$ ").partition("  #")[0]
    yield from QUOTED.findall(FENCE.sub("", text(page)))


def faults(line: str) -> list[str]:
    """Return what of a line is no command of ours, or no option of the command."""
    match = COMMAND.search(line)
    if match is None:
        return []
    command, named, words = PROGRAMS[match[1]], match[1], match[2].split()
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][\w-]*", words[0]):
        word = words.pop(0)
        if word not in command.commands:
            return [f"{named} {word}"]
        command, named = command.commands[word], f"{named} {word}"
    known = {each for option in command.params for each in (*option.opts, *option.secondary_opts)}
    given = OPTION.findall(" " + " ".join(words).replace("[", " "))
    return [f"{named} {each}" for each in given if each not in known | {"--help", "-h"}]
