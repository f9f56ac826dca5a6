"""All pictures, and the folder that they hang in."""

from collections.abc import Collection, Iterator
from pathlib import Path

from support.pictures.dashboard import dashboard_drawing
from support.pictures.scenes import explained, scenes
from support.pictures.stage import Stage
from support.pictures.terminal import drawn

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "pictures"


def played() -> Iterator[tuple[str, str]]:
    """Play every scene, and yield each picture's name and SVG."""
    with Stage() as stage:
        for scene in scenes(stage):
            yield scene.name, drawn(scene.command, scene.printed, scene.name)


def still() -> Iterator[tuple[str, str]]:
    """Yield the pictures that need no AWS, and are the same wherever they are drawn."""
    scene = explained()
    yield scene.name, drawn(scene.command, scene.printed, scene.name)
    yield "dashboard", dashboard_drawing()


def draw(wanted: Collection[str] = ()) -> None:
    """Write the pictures, or those that are named."""
    for pictures in (still(), played()):
        for name, svg in pictures:
            if not wanted or name in wanted:
                (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
                print(f"docs/pictures/{name}.svg")
