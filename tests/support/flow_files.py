"""The files that the flows upload: names odd and plain, sizes 0 to 200 KB, metadata and tags."""

import random
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

LARGEST_BYTES = 200_000

IN_PARTS_BYTES = 6 * 1024 * 1024
"""One byte range of 5 MiB, the least that S3 takes as a part, and a last one."""

ODD_NAMES = (
    "with space.txt",
    " leading and trailing ",
    "plus+plus.txt",
    "100%.txt",
    "%2F is no slash",
    "a&b=c;d,e:f@g$h!i*j'k(l)m.txt",
    'quotes " and <angles>.xml',
    "ünïcode ÄÖÜ ß.txt",
    "日本語/ファイル.txt",
    "emoji-🐟.jpg",
    "deep/er/and/deeper/file.tar.gz",
    "double//slash",
    "~tilde^caret`tick|pipe\\backslash",
    "no-suffix",
    ".hidden",
    "{brace}[bracket]#hash?question",
    "e\u0301-decomposed",
    "x" * 900 + "-long.bin",
)


@dataclass(frozen=True, slots=True)
class File:
    """One upload; `name` is the key below the prefix."""

    name: str
    body: bytes = field(repr=False)
    metadata: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def tagging(self) -> str:
        """The tags as PutObject takes them."""
        return urlencode(self.tags)

    def next_version(self) -> "File":
        """Return another upload of the same name, with other bytes and other metadata."""
        version = int(dict(self.metadata)["version"]) + 1
        metadata = (("version", str(version)), ("name-length", str(len(self.name))))
        return replace(self, body=b"version %d of " % version + self.body, metadata=metadata)


def make_files(count: int, seed: int) -> list[File]:
    """Make so many files, the odd names first; every fourth one has tags, every 25th is empty."""
    dice = random.Random(seed)  # noqa: S311 - a game of dice, not a secret
    names = [*ODD_NAMES, *(f"folder-{number % 7}/file-{number:05d}.txt" for number in range(count))]
    files = []
    for number, name in enumerate(names[:count]):
        size = 0 if number % 25 == 24 else int(dice.uniform(0, LARGEST_BYTES**0.5) ** 2)
        tags = (("batch", f"b {number % 3}"), ("n", str(number))) if number % 4 == 0 else ()
        metadata = (("version", "1"), ("name-length", str(len(name))))
        files.append(File(name, dice.randbytes(size), metadata, tags))
    return files


def big_file(*, tagged: bool) -> File:
    """Make one that is moved in parts."""
    body = random.Random(1).randbytes(IN_PARTS_BYTES)  # noqa: S311 - likewise
    tags = (("kind", "big"),) if tagged else ()
    return File("big.bin", body, (("version", "1"),), tags)
