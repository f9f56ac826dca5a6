"""How a stack is doing, for people at one glance, and as a document for machines. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Final, cast

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from provision.core.group import GroupFacts, InstanceFacts
from provision.core.refresh import Refresh
from provision.core.resource import Json
from provision.core.status import ActivityFacts, StackFacts, consumers, judge
from provision.screen.findings_view import findings_document, findings_table
from provision.spec.blueprint import Consumer

ALARM_COLOURS: Final = {"OK": "green", "ALARM": "bold red"}
FAILED: Final = "bold red"
DIM: Final = "dim"
NOTHING: Final = "-"
TOLD_ONCE: Final = 2
"""Type and AMI, when every instance has the same."""


def status_view(stack: str, facts: StackFacts) -> RenderableType:
    """Return the whole screen: what is wrong, then what waits and who works on it."""
    screen = Table.grid(padding=(0, 2, 0, 0))
    screen.add_column(style="bold")
    screen.add_column(overflow="fold")
    screen.add_row("queue", _flow(facts))
    screen.add_row("EC2", _ec2(facts))
    screen.add_row("Lambda", _lambda(facts))
    screen.add_row("alarms", _alarms(facts))
    return Group(
        Text(f"{stack}  {facts.at:%Y-%m-%d %H:%M:%S} UTC", style="bold"),
        findings_table(judge(facts)),
        Text(),
        screen,
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
        parts.append(_refresh(facts.refresh))
    if group.instances:
        parts.append(_instances(group))
    if facts.activities:
        parts.append(_activities(facts.activities, facts.at))
    return Group(*parts)


def _sizes(group: GroupFacts) -> Text:
    told = (
        f"{len(group.in_service)} in service of {group.desired} desired"
        f" (minimum {group.minimum}, maximum {group.maximum}){', ' * bool(group.status)}"
        f"{group.status}\ntemplate version {group.template_version or NOTHING}"
    )
    return Text(", ".join((told, *_alike(group.instances))))


def _alike(instances: Sequence[InstanceFacts]) -> list[str]:
    """Return the type and the AMI that every instance has."""
    kinds = ({each.type for each in instances}, {each.image for each in instances})
    return [one for kind in kinds if len(kind) == 1 for one in kind if one]


def _refresh(refresh: Refresh) -> Text:
    return Text(f"instance {refresh.told()}", style="yellow" if refresh.under_way else DIM)


def _instances(group: GroupFacts) -> Table:
    """Return a row an instance, with type and AMI only where they are not all the same."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=DIM)
    for column in ("instance", "zone", "state", "health", "version"):
        table.add_column(column, overflow="fold")
    differing = len(_alike(group.instances)) < TOLD_ONCE
    if differing:
        table.add_column("type, AMI", overflow="fold")
    for each in group.instances:
        more = (Text(f"{each.type} {each.image}"),) if differing else ()
        table.add_row(*_instance(each, group.template_version), *more)
    return table


def _instance(seen: InstanceFacts, current_version: str) -> Iterator[Text]:
    state_colour = "green" if seen.in_service else "yellow"
    yield Text(seen.id)
    yield Text(seen.zone)
    yield Text(seen.lifecycle_state, style=state_colour)
    yield Text(seen.health, style="green" if seen.health.lower() == "healthy" else FAILED)
    yield Text(
        seen.template_version, style="" if seen.template_version == current_version else "yellow"
    )


def _activities(activities: Sequence[ActivityFacts], now: datetime) -> Table:
    """Return a row an activity; the same one several times in a row is told once."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=DIM)
    for column in ("ago", "activity", ""):
        table.add_column(column, overflow="fold")
    for (status, told), same in groupby(activities, key=_told):
        latest, *before = same
        style = FAILED if latest.failed else DIM
        times = f" ({len(before) + 1} times)" if before else ""
        table.add_row(
            ago(latest.started, now), Text(status, style=style), Text(told + times, style=style)
        )
    return table


def _told(activity: ActivityFacts) -> tuple[str, str]:
    return activity.status, activity.message or activity.description


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
    table = Table.grid(padding=(0, 3, 0, 0))
    for each in sorted(facts.alarms, key=lambda alarm: alarm.state):  # ALARM comes first
        since = "" if each.since is None else f"for {ago(each.since, facts.at)}"
        colour = ALARM_COLOURS.get(each.state, "yellow")
        table.add_row(Text(each.name), Text(each.state, style=colour), Text(since, style=DIM))
    return table


def _figure(label: str, value: object, style: str = "") -> Text:
    return Text.assemble((f"{label} ", DIM), (str(value), style or "bold"))


def _not_there(what: str) -> Text:
    return Text(f"no {what} yet", style=DIM)


def status_document(stack: str, facts: StackFacts) -> Json:
    """Return the status as a JSON document: everything observed, and the findings."""
    return {
        "stack": stack,
        "consumers": sorted(each.value for each in consumers(facts)),
        "cut_over_to": facts.declared.value,
        "findings": findings_document(judge(facts)),
        "observed": _plain(asdict(facts)),
    }


def _plain(value: object) -> Json:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else cast("Json", value)
