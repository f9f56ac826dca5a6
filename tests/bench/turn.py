"""One contender's turn on a stub of its own: started, warmed up, timed, counted."""

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen

from bench.contenders import Contender
from bench.nginx_stub import NginxStub, Traits

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 900.0
POLL_SECONDS = 0.02
SQS_SHARE = 0.4
"""SQS answers a bit sooner than S3 copies."""

RELEASE = "ChangeMessageVisibilityBatch"
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one turn took; CPU in milliseconds an object, the stub's own beside it.

    Of several processes: the CPU of all, `rss_mib` of the largest. `slow_downs` and `releases`
    (calls that change a message's visibility) count; the stub delivers each message but once.
    """

    objects_per_second: float
    cpu_ms: float
    requests: float
    rss_mib: float
    stub_cpu_ms: float
    slow_downs: int = 0
    releases: int = 0


class TurnError(Exception):
    """Raised when a contender ended, or did not end its work; carries what it said last."""


def take_turn(contender: Contender, objects: int, traits: Traits) -> Figures:
    """Let a contender move so many objects; raises TurnError."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with NginxStub(folder, traits) as stub, (folder / "log").open("wb") as log:
            turn = _wait_turn if contender.waits else _one_shot
            try:
                return turn(contender, objects, stub, log.fileno())
            except TurnError as error:
                said = (folder / "log").read_text(errors="replace")[-1500:]
                raise TurnError(f"{contender.name}: {error}\n{stub.counts()}\n{said}") from error


def _wait_turn(contender: Contender, objects: int, stub: NginxStub, log: int) -> Figures:
    """Measure one that polls: from the moment a backlog is there until it is worked off."""
    with _polling(contender, stub, log) as processes:
        pids = [each.pid for each in processes]
        stub.seed(contender.warm_up)
        wait_for(lambda: is_done(stub.counts(), contender.warm_up), *processes)
        time.sleep(0.3)
        before, cpu, stub_cpu = stub.counts(), cpu_seconds(*pids), cpu_seconds(stub.pid)
        began = time.perf_counter()
        stub.seed(objects)
        wait_for(lambda: is_done(stub.counts(), contender.warm_up + objects), *processes)
        took = time.perf_counter() - began
        after = stub.counts()
        return Figures(
            objects / took,
            1000 * (cpu_seconds(*pids) - cpu) / objects,
            (requests(after) - requests(before)) / objects,
            max(map(rss_mib, pids)),
            1000 * (cpu_seconds(stub.pid) - stub_cpu) / objects,
            after.get("SlowDown", 0) - before.get("SlowDown", 0),
            after.get(RELEASE, 0) - before.get(RELEASE, 0),
        )


@contextmanager
def _polling(contender: Contender, stub: NginxStub, log: int) -> Iterator[list[Popen[bytes]]]:
    """Start its processes, each once the one before polls; they end with the block."""
    processes: list[Popen[bytes]] = []
    try:
        for _ in range(contender.processes):
            polls = stub.counts().get("ReceiveMessage", 0)
            processes.append(start(contender, stub, log))
            wait_for(partial(_polls_more_than, polls, stub), *processes)
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _polls_more_than(polls: int, stub: NginxStub) -> bool:
    return stub.counts().get("ReceiveMessage", 0) > polls


def _one_shot(contender: Contender, objects: int, stub: NginxStub, log: int) -> Figures:
    """Measure one that lists, moves and ends; its start is part of it, and weighs little."""
    stub.seed(objects)
    stub_cpu = cpu_seconds(stub.pid)
    began = time.perf_counter()
    process = start(contender, stub, log)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    counts = stub.counts()
    if process.returncode or counts.get("deleted", 0) < objects:
        raise TurnError(f"it ended with status {process.returncode}")
    return Figures(
        objects / took,
        1000 * (usage.ru_utime + usage.ru_stime) / objects,
        requests(counts) / objects,
        usage.ru_maxrss / 1024,
        1000 * (cpu_seconds(stub.pid) - stub_cpu) / objects,
        counts.get("SlowDown", 0),
    )


def start(contender: Contender, stub: NginxStub, log: int) -> Popen[bytes]:
    """Start a contender before a stub; `log` is the descriptor that its output goes to."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        **stub.environment(LOG_FORMAT="json", **contender.settings),
    }
    command = contender.command_for(stub.url)
    return Popen(command, env=environment, cwd=ROOT, stdin=DEVNULL, stdout=log, stderr=log)


def wait_for(reached: Callable[[], bool], *processes: Popen[bytes]) -> None:
    """Look again and again; raises TurnError if a process ends, or if it takes too long."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not reached():
        for process in processes:
            if process.poll() is not None:
                raise TurnError(f"it ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise TurnError(f"not done in {LONGEST_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def is_done(counts: Mapping[str, int], objects: int) -> bool:
    """Tell whether so many objects are moved and their messages acknowledged."""
    return min(counts.get("deleted", 0), counts.get("acknowledged", 0)) >= objects


def requests(counts: Mapping[str, int]) -> int:
    """Count the API requests: operations begin with a capital; SlowDown is an answer."""
    return sum(n for name, n in counts.items() if name[0].isupper() and name != "SlowDown")


def cpu_seconds(*pids: int) -> float:
    """Return the CPU time of processes so far, user and system."""
    return sum(map(_ticks, pids)) / TICK


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def wakes(pid: int) -> int:
    """Return how often a process's threads went to sleep, and so woke, so far."""
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    lines = (line for each in tasks for line in each.read_text(encoding="utf-8").splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))


def rss_mib(pid: int) -> float:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def machine() -> str:
    """Say where figures come from."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f} at the end"


def is_supported() -> bool:
    """Tell whether the figures can be read here: from /proc, of Linux."""
    return sys.platform == "linux"
