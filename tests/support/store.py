"""What an S3 holds at one moment: immutable, hashable, and cheap to branch from."""

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

from worker.core.port import Encryption, Location

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that are never spelt out: runs of (label, first, last) of made-up files."""

    runs: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, label: str, size: int) -> "Content":
        """Make the content of a file of `size` bytes; another label means other bytes."""
        return cls(((label, 0, size - 1),) if size else ())

    @property
    def size(self) -> int:
        """Count the bytes."""
        return sum(last - first + 1 for _, first, last in self.runs)

    @property
    def digest(self) -> str:
        """Return a stand-in for the MD5 sum: the same for the same bytes only."""
        return _digest(self.runs)

    def part(self, first: int, last: int) -> "Content":
        """Cut out the bytes from `first` to `last`, both inclusive, of a file in one run."""
        ((label, start, _),) = self.runs
        return Content(((label, start + first, start + last),))

    def joined(self, other: "Content") -> "Content":
        """Append; parts of one file in their order grow together again."""
        if self.runs and other.runs:
            (label, first, last), (next_label, next_first, next_last) = self.runs[-1], other.runs[0]
            if (label, last + 1) == (next_label, next_first):
                return Content((*self.runs[:-1], (label, first, next_last), *other.runs[1:]))
        return Content(self.runs + other.runs)


@cache
def _digest(runs: tuple[tuple[str, int, int], ...]) -> str:
    return hashlib.md5(repr(runs).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object at rest. `last_modified` in whole seconds."""

    content: Content
    etag: str
    last_modified: int
    headers: Pairs = ()
    metadata: Pairs = ()
    tags: Pairs = ()
    storage_class: str = "STANDARD"
    encryption: Encryption | None = None


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload under way; `draft` is the object without its bytes."""

    destination: Location
    draft: StoredObject
    parts: tuple[tuple[int, str, Content], ...] = ()


@dataclass(frozen=True, slots=True)
class Store:
    """All that S3 holds at one moment; `serial` makes fresh upload ids and KMS's fresh ETags."""

    objects: tuple[tuple[Location, StoredObject], ...] = ()
    uploads: tuple[tuple[str, OpenUpload], ...] = ()
    serial: int = 0

    def get(self, location: Location) -> StoredObject | None:
        """Return the object at a place, if there is one."""
        return next((found for place, found in self.objects if place == location), None)

    def upload(self, upload_id: str, destination: Location) -> OpenUpload | None:
        """Return an open multipart upload to that very destination."""
        found = next((upload for name, upload in self.uploads if name == upload_id), None)
        return found if found and found.destination == destination else None

    def with_object(self, location: Location, stored: StoredObject | None) -> "Store":
        """Put an object, or with None take it away."""
        rest = [pair for pair in self.objects if pair[0] != location]
        added = [(location, stored)] if stored else []
        return replace(self, objects=tuple(sorted([*rest, *added], key=lambda pair: pair[0])))

    def with_upload(self, upload_id: str, upload: OpenUpload | None) -> "Store":
        """Keep a multipart upload, or with None forget it."""
        rest = tuple(pair for pair in self.uploads if pair[0] != upload_id)
        return replace(self, uploads=rest + (((upload_id, upload),) if upload else ()))
