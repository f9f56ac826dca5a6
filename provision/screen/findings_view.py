"""Findings as people and as machines read them. Pure."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from provision.core.finding import Finding, Level
from provision.core.resource import Json

COLOURS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "bold red"}

WIDTHS: Final = (7, 28, 20)


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return a row a finding; what to do about it stands below what was seen."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for width in WIDTHS:  # the same in every table: findings are printed as they come
        table.add_column(min_width=width)
    for each in findings:
        detail = Text(each.detail)
        if each.hint:
            detail.append(f"\n→ {each.hint}", style="italic")
        table.add_row(Text(each.level, style=COLOURS[each.level]), Text(each.subject), detail)
    return table


def findings_document(findings: Sequence[Finding]) -> Json:
    """Return the findings as a JSON document."""
    return [
        {
            "level": str(each.level),
            "subject": each.subject,
            "detail": each.detail,
            "hint": each.hint,
        }
        for each in findings
    ]
