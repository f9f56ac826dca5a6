"""A plan as people read it, property by property, and as machines do. Pure."""

import json
from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from provision.core.plan import Create, Plan, Refusal, Remove, Step, Update
from provision.core.resource import Change, Json
from provision.screen.differences import differences

MARKS: Final = {Create: ("+", "green"), Update: ("~", "yellow"), Remove: ("-", "red")}
ACTIONS: Final = {Create: "create", Update: "change", Remove: "remove"}

VALUE_LETTERS: Final = 120
"""Longer values are cut on the screen; --json has them whole."""

RATIOS: Final = (27, 28, 23)
"""Of the columns for name, value and reason, so that they stand below each other in every step."""

WIDEST: Final = 120
"""On a wider terminal the eye would lose the line."""


def plan_view(plan: Plan) -> RenderableType:
    """Return the plan for the screen: each property with its value and the reason for it."""
    parts: list[RenderableType] = []
    for step in plan.steps:
        parts += [_heading(step), _properties(step)]
    parts += [_refusal(each) for each in plan.refusals]
    parts += [Text(f"… {each.key}  waits for {each.waits_for}") for each in plan.notes]
    return Group(*parts, Text(summary(plan), style="bold"))


def summary(plan: Plan) -> str:
    """Return the plan in one sentence."""
    if not plan.steps and not plan.refusals:
        return "Nothing to change: everything is as the stack file says."
    counts = [
        f"{sum(isinstance(step, kind) for step in plan.steps)} to {verb}"
        for kind, verb in ACTIONS.items()
    ]
    refused = f"; {len(plan.refusals)} must not be touched" if plan.refusals else ""
    return f"{', '.join(counts)}{refused}."


def plan_document(plan: Plan) -> dict[str, Json]:
    """Return the plan as a JSON document; values are whole."""
    return {
        "steps": [_step_document(step) for step in plan.steps],
        "refusals": [
            {"resource": str(each.key), "why": each.why, "hint": each.hint}
            for each in plan.refusals
        ],
        "notes": [{"resource": str(each.key), "waits_for": each.waits_for} for each in plan.notes],
    }


def shown(value: Json) -> str:
    """Return a value as it fits on the screen."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # AWS tells 300.0 where it was given 300
    text = value if isinstance(value, str) else json.dumps(value)
    text = "(none)" if value is None else text or '""'
    return text if len(text) <= VALUE_LETTERS else f"{text[: VALUE_LETTERS - 1]}…"


def _heading(step: Step) -> Text:
    mark, colour = MARKS[type(step)]
    return Text(f"{mark} {step.key}", style=f"bold {colour}")


def _refusal(refusal: Refusal) -> Text:
    heading = Text(f"! {refusal.key}", style="bold red").append(f"  {refusal.why}\n", style="red")
    return heading.append(f"  → {refusal.hint}")


def _properties(step: Step) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    for ratio in RATIOS:
        table.add_column(ratio=ratio, overflow="fold")
    for name, value, why in _rows(step):
        table.add_row(Padding(name, (0, 0, 0, 2)), value, why)
    return Constrain(table, WIDEST)


def _rows(step: Step) -> Iterator[tuple[str, Text, Text]]:
    if isinstance(step, Create):
        for each in step.wanted.properties:
            yield each.name, Text(shown(each.value), style="green"), Text(each.why, style="dim")
    if isinstance(step, Update):
        for change in step.changes:
            yield from _change_rows(change)


def _change_rows(change: Change) -> Iterator[tuple[str, Text, Text]]:
    """Yield a row for each leaf that changes; the first one gives the reason."""
    why = Text(change.why, style="dim")
    if change.disrupts:
        why = Text.assemble(why, ("\ndisrupts: " + change.disrupts, "bold yellow"))
    for name, before, after in differences(change.name, change.before, change.after):
        yield name, Text.assemble((shown(before), "red"), " → ", (shown(after), "green")), why
        why = Text()


def _step_document(step: Step) -> Json:
    document: dict[str, Json] = {"resource": str(step.key), "action": ACTIONS[type(step)]}
    if isinstance(step, Create):
        document["properties"] = step.wanted.values()
    if isinstance(step, Update):
        document["changes"] = [
            {
                "property": each.name,
                "before": each.before,
                "after": each.after,
                "why": each.why,
                "disrupts": each.disrupts,
            }
            for each in step.changes
        ]
    return document
