"""What all corrections of moto share while one server runs."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from worker.demo.embedded.clock import Clock
from worker.demo.embedded.ec2.machines import Machines, NoMachines
from worker.demo.embedded.iam.propagation import Propagation
from worker.demo.embedded.patches import Patches
from worker.demo.embedded.ssm import NoShell, Shell

COPY_LIMIT_BYTES: Final = 5 * 1024**3
"""What one CopyObject or UploadPartCopy carries at most: 5 GiB."""

_REMEMBERED_LOSSES: Final = 100
"""Enough to explain a test's failure, and never a leak in a long demo."""


@dataclass(frozen=True, slots=True)
class Delays:
    """How long EC2, Auto Scaling and Lambda take, in seconds of the embedded clock.

    All of them are zero for a region in real time that has machines of its own pace.
    """

    launch_seconds: float = 20
    """From a group's launch of an instance to the end of `Pending`."""
    terminate_seconds: float = 20
    """From a group's termination of an instance to its leaving the group."""
    image_seconds: float = 60
    """How long a new image is `pending`."""
    lambda_seconds: float = 2
    """How long a change of a function or of an event source mapping takes."""

    @classmethod
    def none(cls) -> "Delays":
        """Everything holds at once."""
        return cls(0, 0, 0, 0)


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
    shell: Shell = field(default_factory=NoShell)
    """What runs the commands of Systems Manager."""
    machines: Machines = field(default_factory=NoMachines)
    """What stands behind the instances."""
    delays: Delays = field(default_factory=Delays)
    region_lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by every EC2 and Auto Scaling request, and by whatever looks at their state."""
    state_machines: list[Callable[[], None]] = field(default_factory=list)
    """Each brings what it keeps to the clock's now; called with the region locked."""

    def pass_time(self) -> None:
        """Let every state machine go on to the clock's now."""
        for go_on in self.state_machines:
            go_on()
