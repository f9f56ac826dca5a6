"""Measures the worker alone: one file, while idle, over concurrency, under a ceiling, over objects.

`PYTHONPATH=tests python -m bench.curves [WHAT ...] [--into docs/performance]` prints what it found
and keeps it there in `alone.json`, from which `bench.page` draws. Nothing is asserted.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from subprocess import Popen

from bench.contenders import PLAIN_LOOP, WORKER_ASYNCIO, WORKER_BOTO3, Contender
from bench.nginx_stub import NginxStub, Traits
from bench.records import CEILING, CEILING_CURVE, keep
from bench.turn import (
    SQS_SHARE,
    cpu_seconds,
    is_done,
    machine,
    rss_mib,
    start,
    take_turn,
    wait_for,
    wakes,
)

LATENCY = Traits(s3_seconds=0.025, sqs_seconds=0.025 * SQS_SHARE)
CONCURRENCIES = (8, 16, 32, 64, 128, 256, 512)
IDLE_SECONDS = 60.0
BACKLOG_ENDS_SECONDS = 21.0
"""A long poll's length, and a bit: the polls of the backlog have come home."""

SINGLE_FILES = 50


@dataclass(frozen=True, slots=True)
class Running:
    """A worker, and the stub it works on."""

    stub: NginxStub
    process: Popen[bytes]

    def until_moved(self, objects: int) -> None:
        """Wait until so many objects are moved and acknowledged."""
        wait_for(lambda: is_done(self.stub.counts(), objects), self.process)


@contextmanager
def running(contender: Contender, traits: Traits) -> Iterator[Running]:
    """Start a worker and its stub; both end with the block."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with NginxStub(folder, traits) as stub, (folder / "log").open("wb") as log:
            process = start(contender, stub, log.fileno())
            try:
                yield Running(stub, process)
            finally:
                process.kill()
                process.wait()


def one_file() -> dict[str, float]:
    """Return a single file's milliseconds, beside the sum of its own requests'.

    The stub's clock tells both: from the answer that carried the message to the answer of its
    acknowledgement, and how long the copy, the delete and the acknowledgement took in it.
    """
    with running(WORKER_ASYNCIO, LATENCY) as run:
        began = time.monotonic()
        run.stub.seed(1)
        run.until_moved(1)
        first = time.monotonic() - began
        pairs = [_one_more(run, number) for number in range(2, SINGLE_FILES + 2)]
    return {
        "start_to_first_move_seconds": round(first, 2),
        "median_ms": median(took for took, _ in pairs),
        "requests_ms": median(asked for _, asked in pairs),
        "ratio": round(median(took / asked for took, asked in pairs), 3),
    }


def _one_more(run: Running, number: int) -> tuple[int, int]:
    time.sleep(0.05)
    before = run.stub.counts()["busy_ms"]
    run.stub.seed(1)
    run.until_moved(number)
    after = run.stub.counts()
    return after["settled_ms"] - after["handed_ms"], after["busy_ms"] - before


def at_rest() -> dict[str, float]:
    """Return what an idle minute costs: polls, CPU in milliseconds, how often it woke.

    A machine that rested makes whoever wakes pay for cold caches: many times what the same work
    costs in a loop. So the plain loop has its minute beside it, the same one.
    """
    with running(WORKER_ASYNCIO, Traits()) as run, running(PLAIN_LOOP, Traits()) as plain:
        for each in (run, plain):
            each.stub.seed(100)
            each.until_moved(100)
        time.sleep(BACKLOG_ENDS_SECONDS)
        polls, pid = run.stub.counts()["ReceiveMessage"], run.process.pid
        cpu, plain_cpu, woken = cpu_seconds(pid), cpu_seconds(plain.process.pid), wakes(pid)
        time.sleep(IDLE_SECONDS)
        return {
            "polls": run.stub.counts()["ReceiveMessage"] - polls,
            "cpu_ms": round(1000 * (cpu_seconds(pid) - cpu), 1),
            "wakes": wakes(pid) - woken,
            "plain_loop_cpu_ms": round(1000 * (cpu_seconds(plain.process.pid) - plain_cpu), 1),
        }


def over_concurrency(
    contender: Contender, traits: Traits, seconds_of_work: float
) -> list[dict[str, float]]:
    """Return a turn's figures for each CONCURRENCY.

    A point gets as many objects as so many latencies allow in `seconds_of_work`, or as the ceiling.
    """
    points = []
    for at_a_time in CONCURRENCIES:
        rate = min(at_a_time / traits.s3_seconds, traits.copies_per_second or 2_500)
        settings = {**contender.settings, "CONCURRENCY": str(at_a_time)}
        figures = take_turn(
            replace(contender, settings=settings), int(rate * seconds_of_work), traits
        )
        points.append({"concurrency": at_a_time, **asdict(figures)})
        print(f"{contender.name}, {traits.copies_per_second=}: {points[-1]}", flush=True)
    return points


def concurrency() -> dict[str, list[dict[str, float]]]:
    """Return the curves: without a ceiling over either executor, and with one."""
    return {
        "worker": over_concurrency(WORKER_ASYNCIO, LATENCY, 4),
        "worker, EXECUTOR=boto3": over_concurrency(WORKER_BOTO3, LATENCY, 0.6),
        CEILING_CURVE: over_concurrency(
            WORKER_ASYNCIO, replace(LATENCY, copies_per_second=CEILING), 16
        ),
    }


def over_objects(objects: int) -> list[tuple[int, float]]:
    """Return (objects moved so far, peak resident MiB) pairs, about two hundred of them."""
    quiet = replace(WORKER_ASYNCIO, settings={"LOG_LEVEL": "warning"})
    pairs: list[tuple[int, float]] = []
    with running(quiet, Traits()) as run:
        run.stub.seed(objects)
        while not pairs or pairs[-1][0] < objects:
            time.sleep(0.2)
            moved = run.stub.counts().get("acknowledged", 0)
            if not pairs or moved - pairs[-1][0] >= objects / 200 or moved >= objects:
                pairs.append((moved, round(rss_mib(run.process.pid), 1)))
    return pairs


def main() -> None:
    """Measure what is asked for; what was measured before and is not asked for is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    everything: dict[str, Callable[[], object]] = {
        "one-file": one_file,
        "idle": at_rest,
        "concurrency": concurrency,
        "memory": lambda: over_objects(asked.objects),
    }
    parser.add_argument("what", nargs="*", help=f"of {', '.join(everything)}; all by default")
    parser.add_argument("--objects", type=int, default=1_000_000, help="of `memory`")
    parser.add_argument("--into", type=Path, default=Path(".bench"))
    asked = parser.parse_args()
    if unknown := set(asked.what) - set(everything):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(everything)}")
    for name in asked.what or everything:
        found = everything[name]()
        if name != "memory":
            print(f"{name}: {found}", flush=True)
        keep(asked.into / "alone.json", {name: found, "machine": machine()})


if __name__ == "__main__":
    main()
