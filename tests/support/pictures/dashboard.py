"""The CloudWatch dashboard as its own document lays it out: widgets, titles, series."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from textwrap import wrap
from typing import Any, Final, cast

from provision.resources.dashboard import GREEN, WIDTH, body
from support.stacks import a_blueprint

COLUMN: Final = 50
"""Pixels of the grid's column; a row is as high."""

ROW: Final = 32
GAP: Final = 6
TEXT, DIM, LINE, PAPER, CARD = "#16191f", "#5f6b7a", "#d1d5db", "#f2f3f3", "#ffffff"
SHAPE: Final = (0, 9, 4, 16, 11, 20, 8)


def dashboard_drawing() -> str:
    """Return the SVG of the stack `files`' dashboard."""
    blueprint = a_blueprint("files", pipeline={"bucket": "acme-files"})
    document = cast("Mapping[str, Any]", body(blueprint))
    widgets: Sequence[Mapping[str, Any]] = document["widgets"]
    height = max(each["y"] + each["height"] for each in widgets) * ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * COLUMN} {height}"',
        'role="img" font-family="Helvetica, Arial, sans-serif" font-size="14">',
        "<title>The dashboard: alarms, queue, consumers, outcomes</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
    ]
    for widget in widgets:
        lines += _card(widget)
    return "\n".join([*lines, "</svg>\n"])


def _card(widget: Mapping[str, Any]) -> Iterator[str]:
    x, y = widget["x"] * COLUMN + GAP, widget["y"] * ROW + GAP
    width, height = widget["width"] * COLUMN - 2 * GAP, widget["height"] * ROW - 2 * GAP
    yield f'<g transform="translate({x} {y})">'
    yield f'<rect width="{width}" height="{height}" rx="6" fill="{CARD}" stroke="{LINE}"/>'
    yield from DRAWN[widget["type"]](widget["properties"], width, height)
    yield "</g>"


def _text(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    del width, height
    title, _, rest = properties["markdown"].partition("\n")
    yield _line(12, 21, title.lstrip("# "), "bold")
    yield _line(12, 40, rest.replace("`", ""), colour=DIM, size=12)


def _alarm(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    del height
    names = [each.rpartition(":")[2].removeprefix("files-") for each in properties["alarms"]]
    yield _line(12, 19, properties["title"], "bold")
    each_width = (width - 24) / len(names)
    for number, name in enumerate(names):
        x = 12 + number * each_width
        yield _box(x, 26, each_width - 6, 16, GREEN)
        yield _line(x + 6, 38, name, colour=CARD, size=min(11, each_width / len(name) * 1.7))


def _metric(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    yield _line(12, 22, properties["title"], "bold")
    foot = height - 30
    yield f'<path d="M12 {foot}H{width - 12}M12 36V{foot}" fill="none" stroke="{LINE}"/>'
    for limit in properties.get("annotations", {}).get("horizontal", []):
        colour = limit["color"]
        yield f'<path d="M12 52H{width - 12}" stroke="{colour}" stroke-dasharray="5 4"/>'
        yield _line(18, 48, f"{limit['label']} at {limit['value']}", colour=colour, size=11)
    x = 12.0
    for number, metric in enumerate(properties["metrics"]):
        shown = metric[-1]
        yield _curve(number, width, foot, shown["color"])
        yield _box(x, height - 19, 10, 10, shown["color"])
        yield _line(x + 14, height - 10, shown["label"], colour=DIM, size=11)
        x += 30 + 6.3 * len(shown["label"])


def _curve(number: int, width: int, foot: int, colour: str) -> str:
    """Draw a line that stands for a series; its shape means nothing."""
    step, low = (width - 24) / 6, foot - 10 - 17 * number
    points = " ".join(
        f"{12 + step * each:.0f},{low - SHAPE[(each + 2 * number) % 7] / (number + 1):.0f}"
        for each in range(7)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} rx="2" fill="{colour}"/>'


def _log(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    yield _line(12, 22, properties["title"], "bold")
    query = properties["query"].rpartition("SOURCE ")[2].partition(" | ")[2]
    lines = wrap("\n| ".join(query.split(" | ")), width // 7, replace_whitespace=False)
    lines = [line for block in lines for line in block.splitlines()]
    for number, line in enumerate(lines):
        yield _line(12, 42 + 15 * number, line, colour=DIM, size=11)
    for y in range(46 + 15 * len(lines), height - 8, 16):
        yield f'<path d="M12 {y}H{width - 12}" stroke="{LINE}" stroke-dasharray="1 3"/>'


def _line(
    x: float, y: float, text: str, weight: str = "normal", colour: str = TEXT, size: float = 14
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" font-weight="{weight}" font-size="{size:g}">'
        f"{escape(text, quote=False)}</text>"
    )


DRAWN: Final = {"text": _text, "alarm": _alarm, "metric": _metric, "log": _log}
