"""The stack's AMIs for people and for machines. Pure."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from provision.core.image import Pruning, StackImage, Users, latest_of
from provision.core.resource import Json

DATE_LETTERS = 16
"""Of 2026-01-02T03:04:05.000Z: to the minute."""


def images_table(images: Sequence[StackImage], users: Users) -> Table:
    """Return a row an AMI, the newest first; the one that `latest` means is marked."""
    latest = latest_of(images)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", "id", "name", "created", "architecture", "state", "used by"):
        table.add_column(name, no_wrap=name != "used by", overflow="fold")
    for each in images:
        table.add_row(
            Text("latest" if each is latest else "", style="green"),
            each.id,
            Text(each.name),
            each.created[:DATE_LETTERS].replace("T", " "),
            each.image.architecture,
            "withdrawn" if each.withdrawn else each.state,
            Text("\n".join(users.get(each.id, ()))),
        )
    return table


def images_document(images: Sequence[StackImage], users: Users) -> Json:
    """Return the AMIs as a JSON document, the newest first."""
    latest = latest_of(images)
    return [
        {**image_document(each), "latest": each is latest, "used_by": list(users.get(each.id, ()))}
        for each in images
    ]


def image_document(image: StackImage) -> dict[str, Json]:
    """Return one AMI as a JSON document."""
    return {
        "id": image.id,
        "name": image.name,
        "created": image.created,
        "architecture": image.image.architecture,
        "state": image.state,
        "withdrawn": image.withdrawn,
        "snapshots": list(image.snapshots),
        "tags": dict(image.tags),
    }


def pruning_lines(pruning: Pruning) -> list[str]:
    """Return what stays and why, then what goes."""
    return [
        *(f"  {each.image.id} ({each.image.name}) stays: {each.why}" for each in pruning.kept),
        *(removal_line(each) for each in pruning.doomed),
    ]


def removal_line(image: StackImage) -> str:
    """Return the line of an AMI that goes."""
    snapshots = f", with {', '.join(image.snapshots)}" if image.snapshots else ""
    return f"- {image.id} ({image.name}){snapshots}"
