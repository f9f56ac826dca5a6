"""Takes away whatever an earlier lab left on this machine, by the lab's own names only."""

import shutil
from pathlib import Path

from region.lab import network
from region.lab.container import groups, leftovers, remove_group
from region.lab.host import run
from region.lab.place import Place


def sweep(place: Place) -> None:
    """End containers, unmount, and remove namespaces, control groups and disks. Raises LabError.

    Whoever calls this holds the place: everything of its names is a dead lab's.
    """
    for group in groups(place):
        remove_group(group)
    for mount in mounts(place):
        run("umount", "--lazy", mount)
    for folder in leftovers(place):
        folder.rmdir()
    for namespace in network.namespaces(place):
        network.remove_namespace(namespace)
    if place.work.exists():
        shutil.rmtree(place.work)


def mounts(place: Place) -> list[str]:
    """List what is mounted below a place's folder, the innermost first."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split()[1] for line in lines]
    ours = [point for point in points if Path(point).is_relative_to(place.work)]
    return sorted(ours, reverse=True)
