"""What was measured, kept as JSON, and the tables that are written from it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from bench.contenders import PLAIN_LOOP, RCLONE, S5CMD, WORKER_ASYNCIO

CEILING = 1_000
"""Copies a second from where on the stub says SlowDown: well below what the worker could do."""

CEILING_CURVE = "worker, under SlowDown"

Turn: TypeAlias = Mapping[str, float]
"""The fields of `bench.turn.Figures`."""

Turns: TypeAlias = dict[str, list[Turn]]
"""Of each contender, in the order of the table."""

HEADS = (
    *("objects/s", "CPU ms/object", "of the best mover's", "of the plain loop's"),
    *("requests/object", "RSS MiB", "the stub's CPU ms"),
)


def keep(record: Path, found: Mapping[str, object]) -> None:
    """Write figures into a record, beside others that are there."""
    record.parent.mkdir(parents=True, exist_ok=True)
    known = read(record) if record.exists() else {}
    record.write_text(json.dumps({**known, **found}, indent=1) + "\n", encoding="utf-8")


def read(record: Path) -> dict[str, Any]:
    """Read a record."""
    found: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    return found


def middle(turns: Sequence[Turn], name: str) -> float:
    """Return the median of one figure."""
    return median(each[name] for each in turns)


def best_mover(turns: Turns) -> float | None:
    """Return the least CPU time of a mover; None if there was none."""
    movers = [turns[each.name] for each in (S5CMD, RCLONE) if turns.get(each.name)]
    return min((middle(each, "cpu_ms") for each in movers), default=None)


def plain_loop(turns: Turns) -> float | None:
    """Return the plain loop's CPU time; None if it did not take part."""
    found = turns.get(PLAIN_LOOP.name)
    return middle(found, "cpu_ms") if found else None


def peers_table(turns: Turns) -> Iterator[str]:
    """Yield the lines of the medians, in Markdown; the ratios are of CPU times."""
    best, plain = best_mover(turns), plain_loop(turns)
    yield f"| | {' | '.join(HEADS)} |"
    yield f"| --- |{' ---: |' * len(HEADS)}"
    for name, each in turns.items():
        cpu = middle(each, "cpu_ms")
        cells = (
            f"{middle(each, 'objects_per_second'):,.0f}",
            f"{cpu:.2f}",
            f"{cpu / best:.2f}" if best else "",
            f"{cpu / plain:.3f}" if plain else "",
            f"{middle(each, 'requests'):.2f}",
            f"{middle(each, 'rss_mib'):.0f}",
            f"{middle(each, 'stub_cpu_ms'):.3f}",
        )
        shown = f"**{name}**" if name == WORKER_ASYNCIO.name else name
        yield f"| {shown} | {' | '.join(cells)} |"
