"""What should be, what is, and exactly where the two differ. Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SHOWN_CHARS = 120
"""Of a name or a message in a list of faults: enough to know it by, and a line stays a line."""

NOBODY = "nobody uploaded it"


@dataclass(frozen=True, slots=True)
class Content:
    """An object as far as a move must keep it. `size` in bytes, `headers` as boto3 names them."""

    size: int
    sha256: str
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue holds: to be had, in somebody's hand, and not to be had yet."""

    waiting: int = 0
    in_hand: int = 0
    delayed: int = 0

    @property
    def total(self) -> int:
        """All messages of the queue."""
        return self.waiting + self.in_hand + self.delayed


@dataclass(frozen=True, slots=True)
class State:
    """What is at rest, by name below the destination prefix; what is left; what was rejected."""

    moved: Mapping[str, Content]
    left: tuple[str, ...] = ()
    queue: Depth = Depth()
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and everything that breaks it: nothing, when it was kept."""

    promise: str
    wrong: tuple[str, ...] = ()


def content(
    body: bytes,
    headers: Mapping[str, str],
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
) -> Content:
    """Describe an object by its bytes and what comes with them."""
    return Content(len(body), hashlib.sha256(body).hexdigest(), headers, metadata, tags)


def verify(should: State, found: State) -> tuple[Check, ...]:
    """Compare; every single difference is named, in the order of the names."""
    return (
        Check(
            f"{len(should.moved)} files at rest: every byte, header, metadata entry and tag",
            tuple(_files(should.moved, found.moved)),
        ),
        Check("nothing is left in the source prefix", tuple(_left(should.left, found.left))),
        Check("the queue is empty", tuple(_queue(should.queue, found.queue))),
        Check(
            f"the dead-letter queue holds exactly the {len(should.rejected)} garbage messages",
            tuple(_messages(should.rejected, found.rejected)),
        ),
    )


def shown(text: str) -> str:
    """Return a name in quotes, on one line, and cut where it is very long."""
    cut = text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."
    return repr(cut)


def _files(should: Mapping[str, Content], found: Mapping[str, Content]) -> Iterator[str]:
    for name in sorted(should.keys() | found.keys()):
        if name not in found:
            yield f"{shown(name)} is missing"
        elif name not in should:
            yield f"{shown(name)} is there, but {NOBODY}"
        else:
            for fault in _contents(should[name], found[name]):
                yield f"{shown(name)}: {fault}"


def _contents(should: Content, found: Content) -> Iterator[str]:
    if should.size != found.size:
        yield f"{found.size} bytes instead of {should.size}"
    elif should.sha256 != found.sha256:
        yield "other bytes than were uploaded last"
    yield from _entries("header", should.headers, found.headers)
    yield from _entries("metadata", should.metadata, found.metadata)
    yield from _entries("tag", should.tags, found.tags)


def _entries(kind: str, should: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(should.keys() | found.keys()):
        if name not in found:
            yield f"{kind} {name} is lost"
        elif name not in should:
            yield f"{kind} {name} is there, but {NOBODY}"
        elif should[name] != found[name]:
            yield f"{kind} {name} is {shown(found[name])} instead of {shown(should[name])}"


def _left(should: tuple[str, ...], found: tuple[str, ...]) -> Iterator[str]:
    for name in sorted(set(found) - set(should)):
        yield f"{shown(name)} is still there"
    for name in sorted(set(should) - set(found)):
        yield f"{shown(name)} is gone"


def _queue(should: Depth, found: Depth) -> Iterator[str]:
    if should != found:
        yield (
            f"{found.waiting} messages wait in it, {found.in_hand} are in hand,"
            f" {found.delayed} are delayed"
        )


def _messages(should: tuple[str, ...], found: tuple[str, ...]) -> Iterator[str]:
    wanted, there = Counter(should), Counter(found)
    for body in sorted((wanted - there).elements()):
        yield f"the message {shown(body)} is missing"
    for body in sorted((there - wanted).elements()):
        yield f"the message {shown(body)} does not belong there"
