"""Findings as people and as machines read them. Pure."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from provision.core.finding import Finding, Level
from provision.core.resource import Json

COLOURS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "bold red"}

LEVEL_WIDTH: Final = max(len(each) for each in Level)
"""The same in every table: findings are printed as they come."""


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return a row a finding; what to do about it stands below what was seen."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=LEVEL_WIDTH)
    table.add_column(overflow="fold")
    for each in findings:
        told = Text.assemble((each.subject, "bold"), f": {each.detail}")
        if each.hint:
            told.append(f"\n→ {each.hint}", style="italic")
        table.add_row(Text(each.level, style=COLOURS[each.level]), told)
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
