"""A terminal's text with its colours, as an SVG that is the same at each run."""

from html import escape
from io import StringIO
from typing import Final

from rich.console import Console, RenderableType
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from support.pictures.settling import Settling

COLUMNS: Final = 88

THEME: Final = TerminalTheme(
    (24, 26, 31),
    (214, 218, 224),
    [
        (24, 26, 31),
        (240, 113, 120),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (171, 178, 191),
    ],
)

FORMAT: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{ font: {char_height}px Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
<rect fill="#181a1f" width="{width}" height="{height}" rx="8" />
<g transform="translate(10, 20)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Without fonts from elsewhere: a picture must not ask the network for anything."""


def drawn(command: str, printed: str, name: str) -> str:
    """Return the SVG of a terminal in which this command printed this (with ANSI's colours)."""
    console = Console(
        file=StringIO(), record=True, width=COLUMNS, force_terminal=True, color_system="truecolor"
    )
    settle = Settling()
    console.print(Text(f"$ {command}", style="bold"))
    for line in (*printed.rstrip().splitlines(), ""):  # the clip would cut into the last one
        text = Text.from_ansi(line)
        text.plain = settle(text.plain)
        console.print(text, overflow="fold", highlight=False)
    svg = console.export_svg(title="", theme=THEME, code_format=FORMAT, unique_id=name)
    described = f"<title>{escape(command)}</title>"
    return svg.replace("<style>", f"{described}\n<style>", 1)


def rendered(*things: RenderableType) -> str:
    """Return what a terminal gets of these, with ANSI's colours."""
    console = Console(
        file=StringIO(),
        width=COLUMNS,
        force_terminal=True,
        color_system="standard",
        highlight=False,
    )
    with console.capture() as captured:
        console.print(*things, sep="\n")
    return captured.get()
