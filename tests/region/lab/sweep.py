"""Takes away whatever an earlier lab left on this machine, by the lab's own names only."""

import shutil
from pathlib import Path

from region.lab import network
from region.lab.container import groups, leftovers, remove_group
from region.lab.host import WORK, run


def sweep() -> None:
    """End containers, unmount, and remove namespaces, control groups and disks. Raises LabError.

    Whoever calls this holds the lab's lock: everything of that name is a dead lab's.
    """
    for group in groups():
        remove_group(group)
    for mount in mounts():
        run("umount", "--lazy", mount)
    for folder in leftovers():
        folder.rmdir()
    for namespace in network.namespaces():
        network.remove_namespace(namespace)
    if WORK.exists():
        shutil.rmtree(WORK)


def mounts() -> list[str]:
    """List what is mounted below the lab's folder, the innermost first."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split()[1] for line in lines]
    return sorted((point for point in points if Path(point).is_relative_to(WORK)), reverse=True)
