"""The demo's smaller parts: what it uploads, and how it reads the worker's log."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from worker.core.events import Malformed, parse
from worker.demo.files import AWKWARD_FOLDER, GARBAGE, awkward_files, own_folder, real_files
from worker.demo.tally import Tally


def test_one_awkward_name_has_exactly_a_thousand_bytes() -> None:
    """The longest name, with the folder it is in, and some of its letters two bytes long."""
    longest = max((upload.name for upload in awkward_files()), key=lambda name: len(name.encode()))
    assert len(longest.encode()) == 1000
    assert len(longest) < 1000


def test_awkward_names_are_all_different_and_uploaded_the_same_each_time() -> None:
    """Two names may look alike (one composed, one not), and none replaces another."""
    first, second = awkward_files(), awkward_files()
    assert len({upload.name for upload in first}) == len(first)
    assert [upload.read() for upload in first] == [upload.read() for upload in second]


def test_garbage_is_garbage_to_the_worker() -> None:
    """Each garbage message is one that the worker's own parser makes nothing of."""
    assert all(isinstance(entry, Malformed) for body in GARBAGE for entry in parse(body))


def test_a_folders_files_are_found_but_for_hidden_folders(tmp_path: Path) -> None:
    """Files at any depth; nothing of .git or of Python's caches."""
    for name in ("b.txt", "a/c.txt", ".git/config", "__pycache__/x.pyc", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = real_files(tmp_path, most=10)
    assert {upload.name: upload.read() for upload in found.uploads} == {
        name: name.encode() for name in ("b.txt", "a/c.txt", ".hidden")
    }
    assert found.left_out == 0


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """Too many files, a name that no terminal shows, and one that is the demo's own."""
    for name in ("1", "2", "3", "line\nbreak", AWKWARD_FOLDER + "x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = real_files(tmp_path, most=2)
    assert len(found.uploads) == 2
    assert found.left_out == 3


def test_without_a_folder_the_projects_own_files_are_uploaded() -> None:
    """Run from the repository, this very test is one of the files."""
    names = {upload.name for upload in real_files(own_folder(), most=10_000).uploads}
    assert "tests/unit/test_demo_parts.py" in names


@given(st.lists(st.text()))
def test_no_log_line_makes_the_tally_fail(lines: list[str]) -> None:
    """Whatever a worker writes, it is read or passed over; and counts nothing by mistake."""
    tally = Tally()
    tally.add(lines)
    assert not tally.outcomes


def test_a_file_counts_as_moved_once() -> None:
    """Moved by one worker and found moved by the next is one file; each outcome is counted."""
    tally = Tally()
    for outcome in ("moved", "already-moved", "superseded"):
        tally.add([json.dumps({"event": "object", "outcome": outcome, "source": "s3://b/k"})])
    assert tally.moved == {"s3://b/k"}
    assert tally.outcomes == {"moved": 1, "already-moved": 1, "superseded": 1}
