"""What was promised, beside what was measured. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from bench.contenders import WORKER_ASYNCIO, WORKER_PAIR, WORKER_PINNED
from bench.records import CEILING, CEILING_CURVE, Turns, best_mover, middle, plain_loop

Row: TypeAlias = tuple[str, str, bool]
"""A goal, what was measured, whether that meets it."""

COPIES_PER_SECOND = 3_500
"""What S3 gives one prefix ("Best practices design patterns" in the S3 user guide)."""


def goals_table(peers: Mapping[str, Any], alone: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table's lines, in Markdown, from the two records."""
    yield "| goal | measured | |\n| --- | --- | --- |"
    latencies: dict[str, Turns] = peers["latencies"]
    rows = (
        *_beside_peers(latencies),
        *_one_file(alone["one-file"]),
        _idle(alone["idle"]),
        _ceiling(alone["concurrency"]),
        *_memory(alone.get("memory", ())),
    )
    for goal, measured, is_met in rows:
        yield f"| {goal} | {measured} | {'met' if is_met else '**not met** here'} |"


def _beside_peers(latencies: Mapping[str, Turns]) -> Iterator[Row]:
    ours = [turns[WORKER_ASYNCIO.name] for turns in latencies.values()]
    cpu = [middle(each, "cpu_ms") for each in ours]
    movers = [
        a / (best_mover(turns) or a) for a, turns in zip(cpu, latencies.values(), strict=True)
    ]
    loops = [a / (plain_loop(turns) or a) for a, turns in zip(cpu, latencies.values(), strict=True)]
    yield "half of the best mover's CPU per object", _all(movers, ".2f"), max(movers) <= 0.5
    yield "a tenth of the plain loop's", _all(loops, ".3f"), max(loops) <= 0.1
    yield _speed(latencies)
    requests = [middle(each, "requests") for each in ours]
    yield (
        "at most 1.25 requests per object under backlog",
        f"{max(requests):.2f}; `tests/flow/test_backlog.py` holds it",
        max(requests) <= 1.25,
    )


def _speed(latencies: Mapping[str, Turns]) -> Row:
    most = {
        how: max(
            (
                middle(turns[each.name], "objects_per_second")
                for turns in latencies.values()
                if each.name in turns
            ),
            default=0.0,
        )
        for how, each in (
            ("one process", WORKER_ASYNCIO),
            ("one on a core", WORKER_PINNED),
            ("two", WORKER_PAIR),
        )
    }
    cpu = [middle(each[WORKER_ASYNCIO.name], "cpu_ms") for each in latencies.values()]
    cores = _all([each * COPIES_PER_SECOND / 1000 for each in cpu], ".2f")
    told = ", ".join(f"{speed:,.0f} by {how}" for how, speed in most.items())
    told += f", the stub on the same two cores; 3,500 take {cores} of a core, by its CPU per object"
    is_met = max(most.values()) >= COPIES_PER_SECOND
    return "3,500 objects a second from two cores", told, is_met


def _one_file(found: Mapping[str, float]) -> Iterator[Row]:
    told = f"{found['ratio']:.3f}: {found['median_ms']:.0f} ms for {found['requests_ms']:.0f}"
    yield (
        "one file on an idle worker: 1.05 of its requests' latencies",
        told,
        found["ratio"] <= 1.05,
    )
    first = found["start_to_first_move_seconds"]
    yield "start to first move below 1.5 s", f"{first:.1f} s", first < 1.5


def _idle(found: Mapping[str, float]) -> Row:
    """Judge by the plain loop's minute: the milliseconds themselves tell of the machine.

    The bar, a quarter above that loop, is ours: nobody can poll for less than what polls cost.
    """
    cpu, plain = found["cpu_ms"], found["plain_loop_cpu_ms"]
    told = f"{found['polls']:.0f} polls, {found['wakes']:.0f} wakes, {cpu:.0f} ms of CPU"
    told += f" in the minute; a plain loop's three polls took {plain:.0f} beside it"
    goal = "three polls a minute while idle, and about the CPU of a plain loop's"
    return goal, told, found["polls"] <= 3 and cpu <= 1.25 * plain


def _ceiling(curves: Mapping[str, list[Mapping[str, float]]]) -> Row:
    """Judge the points that met the ceiling."""
    throttled = [each for each in curves[CEILING_CURVE] if each["slow_downs"]]
    if not throttled:
        return "holding S3's ceiling", "it was never reached", False
    held = [each["objects_per_second"] for each in throttled]
    releases = sum(each["releases"] for each in throttled)
    speeds = f"{min(held):,.0f} to {max(held):,.0f} of {CEILING:,} a second"
    told = f"{speeds}; {releases:.0f} messages released"
    is_met = min(held) >= 0.75 * CEILING and not releases
    goal = "three quarters of S3's ceiling while it says SlowDown, at no message's cost"
    return goal, told, is_met


def _memory(points: Sequence[tuple[int, float]]) -> Iterator[Row]:
    if points:
        early, (objects, late) = points[len(points) // 10][1], points[-1]
        told = f"{late:.1f} MiB at most over {objects:,} objects; {early:.1f} after the first tenth"
        yield "flat memory, below 120 MB", told, late < 114 and late - early < 5


def _all(figures: list[float], form: str) -> str:
    return " and ".join(format(each, form) for each in figures)
