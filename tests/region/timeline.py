"""Draws the time line of one run as SVG: `python tests/region/timeline.py RECORDS TARGET`. Pure.

RECORDS is what `make region-test` leaves: a line of JSON a record.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from pathlib import Path
from typing import Any, Final

WIDTH: Final = 1180
LEFT: Final = 250
LANE: Final = 26
TOP: Final = 46
PLOT: Final = WIDTH - LEFT - 20
TICK_SECONDS: Final = 60
FONT: Final = 'font-family="sans-serif" font-size="11"'
COLOURS: Final = ("#4c78a8", "#59a14f", "#e8923a", "#a173b0")
"""Of images, in the order of their first launch; the published one is the first."""

MARKS: Final = ("SIGSTOP", "kill -9", "restarted", "damaged", "given-up", "spot-notice", "imaged")
UNNAMED: Final = ("restarted",)
"""Follows so soon upon what it mends that there is no room for its name."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasted from `begin` to `end`, in seconds."""

    lane: str
    begin: float
    end: float
    colour: str


def main(arguments: Sequence[str]) -> None:
    """Read, draw, write."""
    source, target = map(Path, arguments)
    lines = source.read_text(encoding="utf-8").splitlines()
    target.write_text(drawing([json.loads(line) for line in lines]), encoding="utf-8")


def drawing(records: Sequence[Record]) -> str:
    """Return the picture of a run: the operator's steps, then a lane for each instance."""
    end = max(record["seconds"] for record in records)
    bars = [*steps(records), *lives(records, end)]
    lanes = list(dict.fromkeys(bar.lane for bar in bars))
    height = TOP + LANE * (len(lanes) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT}>',
        "<title>One run of make region-test, minute by minute</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *axis(end, height),
        *(name(lane, row) for row, lane in enumerate(lanes)),
        *(rectangle(bar, lanes.index(bar.lane), end) for bar in bars),
        *marks(records, lanes, end),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def steps(records: Sequence[Record]) -> Iterator[Bar]:
    """Yield what the operator did, each step in a lane of its own."""
    numbers, begun = count(1), dict[str, tuple[str, float]]()
    for record in records:
        if record["subject"] == "operator":
            step, _, done = record["event"].partition(": done")
            done = record["event"].endswith(": done")
            if done and step in begun:
                lane, begin = begun.pop(step)
                yield Bar(lane, begin, record["seconds"], "#5b6470")
            elif not done:
                begun[step] = (f"{next(numbers)}. {shortened(step)}", record["seconds"])


def lives(records: Sequence[Record], end: float) -> Iterator[Bar]:
    """Yield each instance's life: launched, booted, powered off; its colour is its image."""
    colours: dict[str, str] = {}
    for launch in (record for record in records if record["event"] == "launched"):
        image = launch["facts"]["image"]
        colour = colours.setdefault(image, COLOURS[len(colours) % len(COLOURS)])
        lane = lane_of(launch)
        own = [record for record in records if record["subject"] == launch["subject"]]
        begin: float | None = None
        for record in own:
            if record["event"] == "boots":
                begin = record["seconds"]
            elif record["event"] == "off" and begin is not None:
                yield Bar(lane, begin, record["seconds"], colour)
                begin = None
        if begin is not None:
            yield Bar(lane, begin, end, colour)


def lane_of(launch: Record) -> str:
    """Name an instance and the image that it booted, as far as there is room."""
    return f"{launch['subject'][:12]} from {launch['facts']['image'][:12]}"


def marks(records: Sequence[Record], lanes: Sequence[str], end: float) -> Iterator[str]:
    """Yield what befell an instance, as a stroke with its name."""
    launches = (record for record in records if record["event"] == "launched")
    places = {launch["subject"]: lane_of(launch) for launch in launches}
    for record in records:
        if record["event"] in MARKS and places[record["subject"]] in lanes:
            x, y = at(record["seconds"], end), TOP + LANE * lanes.index(places[record["subject"]])
            word = "" if record["event"] in UNNAMED else record["event"]
            yield f'<path d="M{x:.1f} {y - 2}v{LANE - 2}" stroke="#20242a" stroke-width="2"/>'
            yield f'<text x="{x - 4:.1f}" y="{y + 14}" text-anchor="end">{word}</text>'


def axis(end: float, height: float) -> Iterator[str]:
    """Yield a line a minute."""
    for second in range(0, int(end) + 1, TICK_SECONDS):
        x = at(second, end)
        yield f'<path d="M{x:.1f} {TOP - 12}V{height}" stroke="#e3e6ea"/>'
        yield f'<text x="{x:.1f}" y="{TOP - 18}" fill="#5b6470">{second // 60} min</text>'


def name(lane: str, row: int) -> str:
    """Write a lane's name."""
    return f'<text x="8" y="{TOP + LANE * row + 15}" fill="#20242a">{escape(lane)}</text>'


def rectangle(bar: Bar, row: int, end: float) -> str:
    """Draw a bar."""
    x, width = at(bar.begin, end), max(at(bar.end, end) - at(bar.begin, end), 2)
    y = TOP + LANE * row
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{LANE - 6}" rx="3"'
        f' fill="{bar.colour}"/>'
    )


def at(second: float, end: float) -> float:
    """Return where a second stands."""
    return LEFT + PLOT * second / end


def shortened(step: str) -> str:
    """Leave out a command's options and ids."""
    words = [word for word in step.split() if not word.startswith(("-", "ami-"))]
    return " ".join(words)[:38]


if __name__ == "__main__":
    main(sys.argv[1:])
