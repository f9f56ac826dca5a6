"""Object event + route -> what to do with the object: Move, Skip or Refuse. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from worker.core.events import ObjectEvent
from worker.core.port import Location

MAX_KEY_BYTES = 1024
"""S3's limit on a key, in bytes of UTF-8 ("Naming Amazon S3 objects"); rule 23b."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where objects come from and where they go: `bucket`/`prefix` to `bucket`/`prefix`."""

    source: Location
    destination: Location

    def destination_of(self, key: str) -> Location:
        """Return the place an object of the source prefix goes to."""
        suffix = key.removeprefix(self.source.key)
        return Location(self.destination.bucket, self.destination.key + suffix)


@dataclass(frozen=True, slots=True)
class Move:
    """Bring `source`, as it was when it had `etag`, to `destination`.

    `etag` None: the event did not tell; whatever is there now is meant. `size` in bytes.
    """

    source: Location
    destination: Location
    etag: str | None = None
    size: int | None = None
    version_id: str | None = None
    sequencer: str | None = None


class SkipReason(StrEnum):
    """Why an event is none of ours."""

    NOT_CREATED = "not-created"
    OTHER_BUCKET = "other-bucket"
    OTHER_PREFIX = "other-prefix"
    FOLDER_MARKER = "folder-marker"


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to do: the event is not about a file of ours."""

    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Refuse:
    """A file of ours that can never be moved as things stand; the source stays."""

    source: Location
    destination: Location
    reason: str


Plan: TypeAlias = Move | Skip | Refuse


def plan(event: ObjectEvent, route: Route) -> Plan:
    """Decide what to do about one object event."""
    source = event.location
    if not event.name.startswith("ObjectCreated"):
        return Skip(SkipReason.NOT_CREATED)
    if source.bucket != route.source.bucket:
        return Skip(SkipReason.OTHER_BUCKET)
    if not source.key.startswith(route.source.key):
        return Skip(SkipReason.OTHER_PREFIX)
    # The console's "create folder" puts an empty object; one with content is somebody's file, also
    # at the prefix itself: there a forgotten file name puts it.
    if source.key.endswith("/") and not event.size:
        return Skip(SkipReason.FOLDER_MARKER)
    destination = route.destination_of(source.key)
    if fault := unusable(destination, route):
        return Refuse(source, destination, fault)
    return Move(source, destination, event.etag, event.size, event.version_id, event.sequencer)


def unusable(destination: Location, route: Route) -> str | None:
    """Say why an object cannot be put at `destination`; None if it can."""
    length = len(destination.key.encode())
    if length > MAX_KEY_BYTES:
        return f"the destination key has {length} bytes, more than S3's {MAX_KEY_BYTES}"
    if not destination.key:
        return "the destination key is empty"
    if destination.bucket == route.source.bucket and destination.key.startswith(route.source.key):
        return "the destination is inside the source prefix, and would be moved again"
    return None
