"""What the demo uploads: real files of a folder, and the awkward ones."""

import mimetypes
import os
import random
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import worker

AWKWARD_FOLDER = "awkward names & contents/"

PARTS_ABOVE_BYTES = 6 * 1024**2
"""The demo's MULTIPART_THRESHOLD: lowered from S3's 5 GiB, and above the smallest part, 5 MiB."""

LONG_NAME_BYTES = 1_000
"""Near S3's 1,024 for a whole key, with room for either prefix."""

MOST_BYTES = 256 * 1024**2
"""Of real files together: the embedded AWS keeps them in this process's memory."""

REWRITTEN = tuple(
    f"{AWKWARD_FOLDER}written again/{name}" for name in ("one.txt", "t w o.csv", "drei+ß.json")
)
"""Names that get new content again and again while earlier content of theirs is being moved."""

GARBAGE = (
    "this is no S3 event",
    '{"Records": "not a list"}',
    '{"Type": "Notification", "Message": "an envelope with nothing of use in it"}',
)
"""Messages that no worker can make sense of."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to upload: its name below the source prefix, its bytes, and what comes with them."""

    name: str
    read: Callable[[], bytes]
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    more_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """The content headers, as boto3 names them; there is always a type."""
        guessed = mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        return {"ContentType": guessed, **self.more_headers}


@dataclass(frozen=True, slots=True)
class Folder:
    """The real files of a folder, and how many were left out for their number or size."""

    path: Path
    uploads: tuple[Upload, ...]
    left_out: int = 0


def own_folder() -> Path:
    """Return the repository that this is run from; once installed, the package itself."""
    package = Path(worker.__file__).parent
    return package.parent if (package.parent / "pyproject.toml").exists() else package


def real_files(path: Path, most: int) -> Folder:
    """Find the files below a folder, in the order of their names; at most so many.

    Folders that begin with a dot (.git, .venv) and Python's caches are none of them, nor is what
    cannot be read. Names that cannot be keys, or are the demo's own, are left out.
    """
    uploads: list[Upload] = []
    found = size = 0
    for file in _walk(path):
        found += 1
        name, bytes_of_file = file.relative_to(path).as_posix(), file.stat().st_size
        has_room = len(uploads) < most and size + bytes_of_file <= MOST_BYTES
        if has_room and _may_be_key(name):
            uploads.append(Upload(name, file.read_bytes))
            size += bytes_of_file
    return Folder(path, tuple(uploads), found - len(uploads))


def _walk(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name != "__pycache__"
        )
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file() and os.access(file, os.R_OK):
                yield file


def _may_be_key(name: str) -> bool:
    """Tell whether a name is text, prints, and fits; S3 would take some of the others, too."""
    fits = len(name.encode(errors="replace")) <= LONG_NAME_BYTES
    return fits and name.isprintable() and not name.startswith(AWKWARD_FOLDER)


def awkward_files() -> tuple[Upload, ...]:
    """Return the files that break naive movers: by name, by size, by what they carry."""
    return (*_awkward_names(), *_awkward_contents())


def _awkward_names() -> Iterator[Upload]:
    names = (
        "a name with  spaces .txt",
        "1+1=2 & more.txt",
        "100% sure.txt",
        "%41 is no A, %2F no slash, + no space.txt",
        "quotes ' \" <tags>; #hash?query=no.txt",
        "back\\slash, 'comma', {braces}, [brackets], ~tilde^.txt",
        "日本語/ファイル名 😀.txt",
        unicodedata.normalize("NFC", "café, composed.txt"),
        unicodedata.normalize("NFD", "café, composed.txt"),
        "no extension",
        ".hidden",
        _long_name(),
    )
    for name in names:
        yield Upload(AWKWARD_FOLDER + name, f"The content of {name}\n".encode)


def _long_name() -> str:
    """Return a name that fills the folder's up to exactly 1,000 bytes, two of them to a letter."""
    room = LONG_NAME_BYTES - len(AWKWARD_FOLDER) - len("1000 bytes ") - len(".txt")
    return f"1000 bytes {'x' * (room % 2)}{'ä' * (room // 2)}.txt"


def _awkward_contents() -> Iterator[Upload]:
    carried = {
        "metadata": {"owner": "accounts, payable", "checked-by": "a+b=c & 50%"},
        "tags": {"project": "a b+c=d", "größe": "sehr groß", "empty": ""},
        "more_headers": {
            "ContentType": "text/csv; charset=utf-8",
            "CacheControl": "private, max-age=60",
            "ContentDisposition": 'attachment; filename="report.csv"',
            "ContentLanguage": "de-CH",
        },
    }
    yield Upload(AWKWARD_FOLDER + "empty.txt", bytes)
    full = AWKWARD_FOLDER + "with all that a file can carry.csv"
    yield Upload(full, lambda: b"a,b\n1,2\n", **carried)
    noise = random.Random(1)  # noqa: S311 - the same bytes each time, and no secret
    big = noise.randbytes(2 * PARTS_ABOVE_BYTES + 1)
    yield Upload(AWKWARD_FOLDER + "copied in parts.bin", lambda: big, **carried)
