"""The benchmark's page claims no goal that its figures do not meet."""

import pytest
from bench.contenders import PLAIN_LOOP, RCLONE, S5CMD, WORKER_ASYNCIO
from bench.goals import goals_table
from bench.records import CEILING_CURVE, Turns, peers_table


def turn(cpu_ms: float, objects_per_second: float = 1_000.0) -> dict[str, float]:
    """Return one turn's figures."""
    return {
        "objects_per_second": objects_per_second,
        "cpu_ms": cpu_ms,
        "requests": 1.21,
        "rss_mib": 68.0,
        "stub_cpu_ms": 0.08,
    }


def turns(ours: float, speed: float = 4_000.0) -> Turns:
    """Return a round in which the worker takes so many milliseconds an object."""
    return {
        PLAIN_LOOP.name: [turn(3.0)],
        S5CMD.name: [turn(0.5)],
        RCLONE.name: [turn(0.6)],
        WORKER_ASYNCIO.name: [turn(ours, speed)],
    }


def alone(
    ratio: float = 1.02, held: float = 900.0, late: float = 71.0, idle_cpu: float = 20.0
) -> dict[str, object]:
    """Return what `bench.curves` keeps."""
    one_file = {
        "ratio": ratio,
        "median_ms": 61,
        "requests_ms": 60,
        "start_to_first_move_seconds": 0.9,
    }
    return {
        "one-file": one_file,
        "idle": {"polls": 3, "cpu_ms": idle_cpu, "wakes": 13, "plain_loop_cpu_ms": 25.0},
        "concurrency": {
            CEILING_CURVE: [{"objects_per_second": held, "slow_downs": 9, "releases": 0}]
        },
        "memory": [(1_000, 70.0), (1_000_000, late)],
    }


def unmet(peers: Turns, found: dict[str, object]) -> list[str]:
    """Return the goals that the table calls not met."""
    rows = "\n".join(goals_table({"latencies": {"0": peers}}, found)).splitlines()
    return [row.split(" | ")[0].removeprefix("| ") for row in rows if "**not met**" in row]


def test_figures_that_meet_every_goal_leave_none_unmet() -> None:
    """A fast worker beside slow peers."""
    assert unmet(turns(0.17), alone()) == []


@pytest.mark.parametrize(
    ("peers", "found", "goal"),
    [
        (turns(0.26), alone(), "half of the best mover's CPU per object"),
        (turns(0.17, 3_400.0), alone(), "3,500 objects a second from two cores"),
        (turns(0.17), alone(ratio=1.06), "one file on an idle worker"),
        (turns(0.17), alone(idle_cpu=32.0), "three polls a minute while idle"),
        (turns(0.17), alone(held=700.0), "three quarters of S3's ceiling"),
        (turns(0.17), alone(late=80.0), "flat memory, below 120 MB"),
    ],
)
def test_a_goal_that_is_missed_is_said_to_be(
    peers: Turns, found: dict[str, object], goal: str
) -> None:
    """One figure beyond its goal: that goal, and no other."""
    (said,) = unmet(peers, found)
    assert said.startswith(goal)


def test_ratios_are_taken_of_the_mover_that_needs_least() -> None:
    """s5cmd's 0.5 ms, not rclone's 0.6."""
    line = list(peers_table(turns(0.2)))[-1]
    assert line.startswith("| **worker** | 4,000 | 0.20 | 0.40 | 0.067 | 1.21 |")
