"""Runs the contenders in turn against the cheap S3 and SQS, and prints one table.

`python tests/bench/run.py [--rounds 3] [--objects 3000] [--latency-ms 0 15]`. Linux: the CPU time
of a child while it runs is read from /proc. Compare within one run only, and never assert a time.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/, where support/ is

from support.flow_process import Child, Server, wait_until
from support.flow_stub_client import StubClient, StubCounts

SEED_LOOP = str(Path(__file__).with_name("seed_loop.py"))

WARM_UP_OBJECTS = 100
"""Moved before the clock starts: connections stand, and all that is loaded late is loaded."""

LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that empties the queue; `share` of the objects keeps a slow one's turn short."""

    name: str
    command: tuple[str, ...]
    share: float = 1.0


CONTENDERS = (
    Contender("plain loop", (sys.executable, SEED_LOOP), share=0.1),
    Contender("worker", (sys.executable, "-m", "worker", "run")),
    # A peer is one more line here; README.md says what it needs.
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one turn took."""

    objects_per_second: float
    cpu_ms_per_object: float
    requests_per_object: float
    rss_mib: float


def main() -> None:
    """Run all rounds, then print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--objects", type=int, default=3000)
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[0.0, 15.0])
    asked = parser.parse_args()
    print(f"{asked.rounds} rounds, up to {asked.objects} objects a turn", file=sys.stderr)
    for latency_ms in asked.latency_ms:
        turns: dict[str, list[Figures]] = {each.name: [] for each in CONTENDERS}
        for number in range(asked.rounds):
            for contender in CONTENDERS:
                objects = max(1, int(asked.objects * contender.share))
                figures = _take_turn(contender, objects, latency_ms)
                turns[contender.name].append(figures)
                print(f"round {number + 1}, {contender.name}: {figures}", file=sys.stderr)
        for line in _table(turns, latency_ms):
            print(line, flush=True)


def _take_turn(contender: Contender, objects: int, latency_ms: float) -> Figures:
    """Let one contender work off a backlog, on a server of its own."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        latency = ("--s3-latency-ms", str(latency_ms))
        server = Server("support.flow_stub", *latency, log=folder / "stub.log")
        stub = StubClient(running.enter_context(server).url)
        environment = stub.environment(LOG_FORMAT="json")
        child = Child(contender.command, environment, folder / "contender.log")
        running.enter_context(child)
        stub.seed(WARM_UP_OBJECTS)
        _wait_until_done(stub, child)
        requests, cpu = stub.counts().requests, _cpu_seconds(child.pid)
        stub.seed(objects)
        began = time.perf_counter()
        counts = _wait_until_done(stub, child)
        took = time.perf_counter() - began
        return Figures(
            objects / took,
            1000 * (_cpu_seconds(child.pid) - cpu) / objects,
            (counts.requests - requests).total() / objects,
            child.rss_kib() / 1024,
        )


def _wait_until_done(stub: StubClient, child: Child) -> StubCounts:
    def done() -> bool:
        counts = stub.counts()
        return not counts.messages and not counts.uploads

    wait_until(done, "the end", LONGEST_SECONDS, lambda: f"{stub.counts()}\n{child.picture()}")
    return stub.counts()


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _table(turns: dict[str, list[Figures]], latency_ms: float) -> Iterator[str]:
    """Yield the table's lines; the ratios are to the first contender."""
    yield f"\nS3 answers after {latency_ms:g} ms; medians (in brackets: times the first line's)"
    yield f"{'':12}{'objects/s':>18}{'CPU ms/object':>18}{'requests/object':>18}{'RSS MiB':>18}"
    first = _medians(next(iter(turns.values())))
    for name, figures in turns.items():
        cells = zip(_medians(figures), first, strict=True)
        yield f"{name:12}" + "".join(f"{f'{m:.2f} ({m / base:.2f})':>18}" for m, base in cells)


def _medians(figures: list[Figures]) -> list[float]:
    return [
        median(figure.objects_per_second for figure in figures),
        median(figure.cpu_ms_per_object for figure in figures),
        median(figure.requests_per_object for figure in figures),
        median(figure.rss_mib for figure in figures),
    ]


if __name__ == "__main__":
    main()
