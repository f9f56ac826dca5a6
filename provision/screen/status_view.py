"""How a stack is doing, for people at one glance, and as a document for machines. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from provision.core.group import GroupFacts, InstanceFacts
from provision.core.resource import Json
from provision.core.status import ActivityFacts, StackFacts, consumers, judge
from provision.screen.findings_view import findings_document, findings_table
from provision.spec.blueprint import Consumer

ALARM_COLOURS: Final = {"OK": "green", "ALARM": "bold red"}
FAILED: Final = "bold red"
DIM: Final = "dim"
NOTHING: Final = "-"


def status_view(stack: str, facts: StackFacts) -> RenderableType:
    """Return the whole screen."""
    return Group(
        Text(f"{stack}  {facts.at:%Y-%m-%d %H:%M:%S} UTC", style="bold"),
        findings_table(judge(facts)),
        Panel(_flow(facts), title="queue", title_align="left"),
        Panel(_ec2(facts), title="EC2", title_align="left"),
        Panel(_lambda(facts), title="Lambda", title_align="left"),
        Panel(_alarms(facts), title="alarms", title_align="left"),
    )


def _flow(facts: StackFacts) -> RenderableType:
    if facts.queue is None:
        return _not_there("queue")
    table = Table.grid(padding=(0, 4))
    oldest = facts.queue.oldest_seconds
    dead = facts.dead_letters
    table.add_row(
        _figure("waiting", facts.queue.waiting),
        _figure("in flight", facts.queue.in_flight),
        _figure("oldest", NOTHING if oldest is None else f"{oldest:.0f} s"),
        _figure("dead letters", NOTHING if dead is None else dead, FAILED if dead else ""),
    )
    return table


def _ec2(facts: StackFacts) -> RenderableType:
    group = facts.group
    if group is None:
        return _not_there("group")
    parts: list[RenderableType] = [_sizes(group)]
    if facts.refresh is not None:
        parts.append(_refresh(facts))
    if group.instances:
        parts.append(_instances(group))
    if facts.activities:
        parts.append(_activities(facts.activities, facts.at))
    return Group(*parts)


def _sizes(group: GroupFacts) -> Text:
    told = (
        f"{len(group.in_service)} in service of {group.desired} desired"
        f" (minimum {group.minimum}, maximum {group.maximum}), template version"
        f" {group.template_version or NOTHING}"
    )
    return Text(told + (f", {group.status}" if group.status else ""))


def _refresh(facts: StackFacts) -> Text:
    refresh = facts.refresh
    assert refresh is not None  # noqa: S101 # the caller looked
    text = Text(f"instance refresh: {refresh.status}, {refresh.percentage} %")
    text.stylize("yellow" if refresh.under_way else DIM)
    return text.append(f"  {refresh.reason}", style=DIM) if refresh.reason else text


def _instances(group: GroupFacts) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=DIM)
    for column in ("instance", "zone", "state", "health", "type", "version", "image"):
        table.add_column(column)
    for each in group.instances:
        table.add_row(*_instance(each, group.template_version))
    return table


def _instance(seen: InstanceFacts, current_version: str) -> Iterator[Text]:
    state_colour = "green" if seen.in_service else "yellow"
    yield Text(seen.id)
    yield Text(seen.zone)
    yield Text(seen.lifecycle_state, style=state_colour)
    yield Text(seen.health, style="green" if seen.health.lower() == "healthy" else FAILED)
    yield Text(seen.type)
    yield Text(
        seen.template_version, style="" if seen.template_version == current_version else "yellow"
    )
    yield Text(seen.image)


def _activities(activities: tuple[ActivityFacts, ...], now: datetime) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=DIM)
    for column in ("ago", "activity", ""):
        table.add_column(column)
    for each in activities:
        style = FAILED if each.failed else DIM
        told = each.message or each.description
        table.add_row(
            ago(each.started, now), Text(each.status, style=style), Text(told, style=style)
        )
    return table


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago something was, in the unit that people would use."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _lambda(facts: StackFacts) -> RenderableType:
    if facts.twin is None:
        return _not_there("function")
    mapping = facts.twin.mapping_state or "none"
    style = "green" if Consumer.LAMBDA in consumers(facts) else DIM
    return Text(f"function {facts.twin.function_state}, mapping ").append(mapping, style=style)


def _alarms(facts: StackFacts) -> RenderableType:
    if not facts.alarms:
        return _not_there("alarm")
    table = Table.grid(padding=(0, 3))
    for each in facts.alarms:
        since = "" if each.since is None else f"for {ago(each.since, facts.at)}"
        colour = ALARM_COLOURS.get(each.state, "yellow")
        table.add_row(Text(each.name), Text(each.state, style=colour), Text(since, style=DIM))
    return table


def _figure(label: str, value: object, style: str = "") -> Text:
    return Text(f"{label} ", style=DIM).append(str(value), style=style or "bold")


def _not_there(what: str) -> Text:
    return Text(f"no {what} yet", style=DIM)


def status_document(stack: str, facts: StackFacts) -> Json:
    """Return the status as a JSON document: everything observed, and the findings."""
    observed: Any = asdict(facts)
    seen: Json = _plain(observed)
    return {
        "stack": stack,
        "consumers": sorted(each.value for each in consumers(facts)),
        "cut_over_to": facts.declared.value,
        "findings": findings_document(judge(facts)),
        "observed": seen,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 # whatever the facts hold
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value
