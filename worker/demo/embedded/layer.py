"""What all corrections of moto share while one server runs."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from worker.demo.embedded.clock import Clock
from worker.demo.embedded.iam.propagation import Propagation
from worker.demo.embedded.patches import Patches

COPY_LIMIT_BYTES: Final = 5 * 1024**3
"""What one CopyObject or UploadPartCopy carries at most: 5 GiB."""

_REMEMBERED_LOSSES: Final = 100
"""Enough to explain a test's failure, and never a leak in a long demo."""


@dataclass(slots=True)
class Layer:
    """What the corrections share while one server runs."""

    clock: Clock = field(default_factory=Clock)
    copy_limit_bytes: int = COPY_LIMIT_BYTES
    patches: Patches = field(default_factory=Patches)
    propagation: Propagation = field(default_factory=Propagation)
    """How long other services do not know a new role."""
    s3_lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by every S3 request while it looks and writes: what makes conditions atomic."""
    outbox: list[Callable[[], None]] = field(default_factory=list)
    """Deliveries of S3 events that the current S3 request owes, carried out after the lock."""
    closing: threading.Event = field(default_factory=threading.Event)
    """Set when the server stops: every thread of a correction ends then."""
    undelivered: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_LOSSES))
    """Why a message went nowhere: AWS only counts it; here a test can read it."""
