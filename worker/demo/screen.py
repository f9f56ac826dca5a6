"""What one sees: the acts as they happen, live bars or a line a second, table and verdict."""

import time
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.demo.report import Progress, Result, rows

PLAIN_SECONDS = 1.0
"""Between two lines of progress where nobody watches a terminal."""

PLAIN_WIDTH = 100
"""Of the table in a file or a CI log."""

WIDEST = 110
"""Longer lines are hard to read, however wide the terminal."""

BAR_WIDTH = 36
LABEL_WIDTH = 10
MOST_FAULTS_SHOWN = 20

LABEL_STYLES = {"kill -9": "bold red", "settled": "green", "verify": "cyan", "ended": "bold red"}


class Screen:
    """Shows the demo on a stream: with live bars on a terminal, in plain lines elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_live = stream.isatty()
        self._console = _console(stream)
        self._is_live = self._is_live and not self._console.is_dumb_terminal
        self._began = time.monotonic()
        self._shown_at = 0.0
        self._live: Live | None = None

    def act(self, label: str, text: str) -> None:
        """Tell something that happened, with the seconds since the beginning."""
        seconds = f"{time.monotonic() - self._began:5.1f} s"
        if not self._is_live:
            print(f"{seconds}  {label:<{LABEL_WIDTH}}{text}", file=self._stream, flush=True)
            return
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(style="dim")
        line.add_column(width=LABEL_WIDTH - 2, style=LABEL_STYLES.get(label, "bold"))
        line.add_column(overflow="fold")
        line.add_row(seconds, label, Text(text))
        self._console.print(line)

    def progress(self, progress: Progress) -> None:
        """Show how far it is."""
        if self._is_live:
            if self._live is None:
                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(_bars(progress), refresh=True)
        elif time.monotonic() - self._shown_at >= PLAIN_SECONDS:
            self._shown_at = time.monotonic()
            self.act("progress", _in_words(progress))

    def close(self) -> None:
        """Take the live bars away; what was told stays."""
        if self._live:
            self._live.stop()
            self._live = None

    def result(self, result: Result, tail: Sequence[str], logs: str) -> None:
        """Show the table, each promise with its verdict and, where one is broken, all about it."""
        self.close()
        self._console.print()
        self._print(_table(result))
        self._console.print()
        for check in result.checks:
            mark, style = ("ok", "green") if not check.wrong else ("WRONG", "bold red")
            self._print(_marked(mark, style, check.promise))
            for fault in check.wrong[:MOST_FAULTS_SHOWN]:
                self._print(_marked("", "", fault))
            more = len(check.wrong) - MOST_FAULTS_SHOWN
            if more > 0:
                self._print(_marked("", "", f"... and {more} more (--json has all)"))
        self._console.print()
        if result.is_verified:
            self._console.print(Text("Verified: nothing was lost.", style="bold green"))
            return
        told = f"NOT verified: {len(result.wrong)} things are wrong, as listed above."
        self._console.print(Text(told, style="bold red"))
        self.tail(tail, logs)

    def _print(self, renderable: RenderableType) -> None:
        """Print; into a file without the blanks that fill a column."""
        if self._is_live:
            self._console.print(renderable)
            return
        with self._console.capture() as captured:
            self._console.print(renderable)
        lines = [line.rstrip() for line in captured.get().splitlines()]
        print("\n".join(lines), file=self._stream, flush=True)

    def tail(self, tail: Sequence[str], logs: str) -> None:
        """Show the end of the worker's log, and where all of it is."""
        self.close()
        self._console.print(Text(f"\nThe end of the worker's log (all of it in {logs}):"))
        for line in tail:
            self._console.print(Text(f"  {line}", style="dim"), soft_wrap=True)

    def lines(self, heading: str, lines: Sequence[str]) -> None:
        """Show lines that one may copy: never wrapped by us."""
        self.close()
        self._console.print(Text(f"\n{heading}\n"))
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)
        self._console.print()


def _console(stream: TextIO) -> Console:
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    width = min(console.width, WIDEST) if stream.isatty() else PLAIN_WIDTH
    return Console(
        file=stream,
        width=width,
        force_terminal=stream.isatty(),
        highlight=False,
        markup=False,
        emoji=False,
    )


def _bars(progress: Progress) -> RenderableType:
    bars = Table.grid(padding=(0, 2, 0, 0))
    bars.add_column(width=7)
    bars.add_column(width=LABEL_WIDTH - 2)
    bars.add_column(width=BAR_WIDTH)
    bars.add_column()
    for label, count in (("uploaded", progress.uploaded), ("moved", progress.moved)):
        bar = ProgressBar(progress.files, count, width=BAR_WIDTH, finished_style="green")
        bars.add_row("", label, bar, f"{count} of {progress.files}")
    words = Table.grid(padding=(0, 2, 0, 0))
    words.add_column(width=7)
    words.add_column(width=LABEL_WIDTH - 2)
    words.add_column()
    words.add_row("", "in queue", Text(_queue_in_words(progress)))
    return Group(Text(""), bars, words)


def _in_words(progress: Progress) -> str:
    return (
        f"uploaded {progress.uploaded} of {progress.files}, moved {progress.moved},"
        f" in queue {_queue_in_words(progress)}"
    )


def _queue_in_words(progress: Progress) -> str:
    return (
        f"{progress.waiting} waiting, {progress.in_hand} in hand;"
        f" superseded {progress.superseded}, rejected {progress.rejected}"
    )


def _table(result: Result) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    for name, number, meaning in rows(result):
        table.add_row(name, number, Text(meaning))
    return table


def _marked(mark: str, style: str, text: str) -> Table:
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(width=5, style=style)
    line.add_column(overflow="fold")
    line.add_row(mark, Text(text))
    return line
