"""A plan as people read it, property by property, and as machines do. Pure."""

import json
from collections.abc import Iterator
from typing import Final

from rich.text import Text

from provision.core.plan import Create, Plan, Remove, Step, Update
from provision.core.resource import Json

MARKS: Final = {Create: ("+", "green"), Update: ("~", "yellow"), Remove: ("-", "red")}
VALUE_WIDTH: Final = 60
"""Longer values are cut on the screen; --json has them whole."""


def plan_text(plan: Plan) -> Text:
    """Return the plan as styled lines; a created resource shows what it will be, and why."""
    lines = [line for step in plan.steps for line in _step_lines(step)]
    for refusal in plan.refusals:
        lines.append(Text(f"! {refusal.key}", style="bold red").append(f"  {refusal.why}"))
        lines.append(Text(f"    → {refusal.hint}", style="red"))
    lines.append(Text(summary(plan), style="bold"))
    return Text("\n").join(lines)


def summary(plan: Plan) -> str:
    """Return the plan in one sentence."""
    if not plan.steps and not plan.refusals:
        return "Nothing to change: everything is as the stack file says."
    counts = [
        f"{sum(isinstance(step, kind) for step in plan.steps)} to {verb}"
        for kind, verb in ((Create, "create"), (Update, "change"), (Remove, "remove"))
    ]
    refused = f"; {len(plan.refusals)} must not be touched" if plan.refusals else ""
    return f"{', '.join(counts)}{refused}."


def plan_document(plan: Plan) -> Json:
    """Return the plan as a JSON document; values are whole."""
    return {
        "steps": [_step_document(step) for step in plan.steps],
        "refusals": [
            {"resource": str(each.key), "why": each.why, "hint": each.hint}
            for each in plan.refusals
        ],
    }


def _step_lines(step: Step) -> Iterator[Text]:
    mark, colour = MARKS[type(step)]
    yield Text(f"{mark} {step.key}", style=f"bold {colour}")
    for name, before, after, why, disrupts in _rows(step):
        line = Text(f"    {name:<30} ")
        if before is not None:
            line.append(f"{before} → ", style="red")
        line.append(after, style="green")
        if why:
            line.append(f"   {why}", style="dim")
        yield line
        if disrupts:
            yield Text(f"      disrupts: {disrupts}", style="bold yellow")


def _rows(step: Step) -> Iterator[tuple[str, str | None, str, str, str]]:
    if isinstance(step, Create):
        for each in step.wanted.properties:
            yield each.name, None, shown(each.value), each.why, ""
    if isinstance(step, Update):
        for change in step.changes:
            before, after = shown(change.before), shown(change.after)
            yield change.name, before, after, change.why, change.disrupts


def shown(value: Json) -> str:
    """Return a value as it fits on a line."""
    text = "(none)" if value is None else value if isinstance(value, str) else json.dumps(value)
    text = text or '""'
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"


def _step_document(step: Step) -> Json:
    document: dict[str, Json] = {"resource": str(step.key), "action": _action(step)}
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


def _action(step: Step) -> str:
    return {Create: "create", Update: "change", Remove: "remove"}[type(step)]
