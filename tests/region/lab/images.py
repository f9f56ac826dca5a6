"""AMIs as stacks of folders: CreateImage keeps what an instance wrote over the image it booted."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from region.lab.host import LabError, run

SNAPSHOT_SECONDS: Final = 120


class Images:
    """The layers of every AMI, topmost first. An AMI that nobody made here is the base alone."""

    def __init__(self, base: tuple[Path, ...], folder: Path) -> None:
        self._base, self._folder = base, folder
        self._made: dict[str, Future[tuple[Path, ...]]] = {}
        self._lock = threading.Lock()

    def layers(self, image_id: str) -> tuple[Path, ...]:
        """Return an image's layers; waits for a snapshot that is being taken. Raises LabError."""
        made = self._made.get(image_id)
        return made.result(SNAPSHOT_SECONDS) if made else self._base

    def announce(self, image_id: str) -> None:
        """Say that a snapshot is about to be taken, so that nobody boots the base instead."""
        with self._lock:
            self._made.setdefault(image_id, Future())

    def snapshot(self, image_id: str, upper: Path, below: tuple[Path, ...]) -> None:
        """Keep a copy of what was written over `below`, with its whiteouts and attributes."""
        layer = self._folder / image_id
        made = self._made[image_id]
        try:
            layer.parent.mkdir(parents=True, exist_ok=True)
            run("cp", "--archive", "--reflink=auto", upper, layer)
        except LabError as error:
            made.set_exception(error)
            raise
        made.set_result((layer, *below))
