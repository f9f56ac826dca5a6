"""What to explore: who uploads what, what may go wrong, and how S3 behaves meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from support.conditions import AWS, Behaviour
from support.store import Content, Store, StoredObject
from support.twin import put
from worker.core.move import MoveRules, Outcome, move
from worker.core.plan import Move
from worker.core.port import Location, Steps

Mover: TypeAlias = Callable[[Move, MoveRules], Steps[Outcome]]

SOURCE = Location("in", "uploads/f.txt")
DESTINATION = Location("out", "processed/f.txt")


class Clock(StrEnum):
    """How S3's whole seconds pass: all within one, or another for every write."""

    TIES = "ties"
    INCREASING = "increasing"


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload of the file: its bytes by a letter, and what else it brings."""

    label: str
    metadata: str = ""
    tag: str = ""
    storage_class: str = "STANDARD"

    def __str__(self) -> str:
        """Show the short name that `uploads` reads."""
        return f"{self.label}{self.metadata}{self.tag}"


@dataclass(frozen=True, slots=True)
class Case:
    """What to explore. `takings`: how often a consumer may take the file from the destination.

    `etags` False: the events do not tell the ETag. `size` in bytes, of every upload.
    """

    uploads: tuple[Upload, ...]
    initial: Upload | None = None
    workers: int = 2
    mishaps: int = 2
    takings: int = 0
    clock: Clock = Clock.INCREASING
    rules: MoveRules = field(default_factory=MoveRules)
    behaviour: Behaviour = AWS
    size: int = 1
    etags: bool = True
    mover: Mover = move
    note: str = ""

    def __str__(self) -> str:
        """Describe the case in a few words, as a test's name and a table's row."""
        words = [
            "-".join(map(str, self.uploads)),
            f"over-{self.initial}" if self.initial else "",
            f"{self.workers}-workers",
            f"{self.mishaps}-mishaps",
            f"{self.takings}-takings" if self.takings else "",
            self.clock.value,
            self.note,
        ]
        return " ".join(word for word in words if word)

    def put(self, store: Store, location: Location, upload: Upload, now: int) -> Store:
        """Upload to the store as the case's S3 does it."""
        return put(
            store,
            location,
            Content.of(upload.label, self.size),
            now,
            self.behaviour,
            metadata=(("version", upload.metadata),),
            tags=(("tag", upload.tag),),
            storage_class=upload.storage_class,
        )

    def task(self, number: int) -> Move:
        """Return what the event of the upload with that number asks for."""
        stored = self.put(Store(), SOURCE, self.uploads[number], 0).get(SOURCE)
        assert stored
        etag = stored.etag if self.etags else None
        return Move(SOURCE, DESTINATION, etag, stored.content.size, None, f"{number:016X}")

    def own_name(self, number: int) -> Location:
        """Return where keep-both puts that upload if its name is taken."""
        return Location(DESTINATION.bucket, f"processed/f.{number:016X}.txt")

    def is_like(self, stored: StoredObject | None, upload: Upload) -> bool:
        """Tell whether an object is that upload: its bytes, its metadata and its tags."""
        return (
            stored is not None
            and stored.content == Content.of(upload.label, self.size)
            and stored.metadata == (("version", upload.metadata),)
            and stored.tags == (("tag", upload.tag),)
            and (
                stored.storage_class == upload.storage_class
                or not self.rules.preserve_storage_class
            )
        )

    def uploads_like(self, stored: StoredObject | None) -> frozenset[int]:
        """Return the numbers of the uploads that an object may be."""
        return frozenset(
            number for number, upload in enumerate(self.uploads) if self.is_like(stored, upload)
        )


def uploads(names: str) -> tuple[Upload, ...]:
    """Read uploads from short names, bytes first, then metadata, then tag: `a b1 c1x`."""
    return tuple(Upload(name[0], name[1:2], name[2:3]) for name in names.split())
