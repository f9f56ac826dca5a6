"""Waits for what happens in its own time, and says what was waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from region.lab.machines import Machine
from region.lab.region import Region

T = TypeVar("T")

LOOK_SECONDS = 0.2

BOOT_SECONDS = 90
"""A boot takes 3 s; two cores that others use as well take longer."""

END_SECONDS = 180
"""A shutdown waits for the worker's drain."""


def wait_until(look: Callable[[], T], what: str, seconds: float) -> T:
    """Return the first truthy look; raises AssertionError, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(LOOK_SECONDS)
    return found


def ready(region: Region, instance_id: str) -> Machine:
    """Return an instance that has done what it was told so far, and booted to the end."""
    machine = region.machines.named(instance_id)
    machine.tasks.submit(lambda: None).result(BOOT_SECONDS)
    done = machine.container.run("cloud-init", "status", "--wait", seconds=BOOT_SECONDS)
    assert done.status == 0, done
    wait_until(
        lambda: "starting" not in machine.container.run("systemctl", "is-system-running").stdout,
        f"the boot of {instance_id}",
        BOOT_SECONDS,
    )
    return machine


def gone(region: Region, instance_id: str) -> None:
    """Wait until nothing is left of an instance."""
    left = region.machines.ids
    wait_until(lambda: instance_id not in left(), f"the end of {instance_id}", END_SECONDS)
