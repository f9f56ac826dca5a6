"""Measures the worker alone: over concurrency, over a million objects, while idle, and one file.

`PYTHONPATH=tests python -m bench.curves [--objects 1000000] [--into docs/performance]` prints what
it found and draws two plots. Nothing is asserted.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from subprocess import Popen

from bench.contenders import WORKER_ASYNCIO, WORKER_BOTO3, Contender
from bench.nginx_stub import BUCKET, NginxStub, Traits
from bench.plots import plot_concurrency, plot_memory
from bench.turn import cpu_seconds, is_done, rss_mib, start, take_turn, wait_for

CONCURRENCIES = (1, 4, 16, 64, 128, 256, 512)
LATENCY_SECONDS = 0.015
IDLE_SECONDS = 60.0
SINGLE_FILES = 30


@dataclass(frozen=True, slots=True)
class Running:
    """A worker, the stub it works on, and its log."""

    stub: NginxStub
    process: Popen[bytes]
    log: Path

    def until_moved(self, objects: int) -> None:
        """Wait until so many objects are moved and acknowledged."""
        wait_for(lambda: is_done(self.stub.counts(), objects), self.process)


@contextmanager
def running(contender: Contender, traits: Traits) -> Iterator[Running]:
    """Start a worker and its stub; both end with the block."""
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "log"
        with NginxStub(Path(name), traits) as stub, log.open("wb") as output:
            process = start(contender, stub, output.fileno())
            try:
                yield Running(stub, process, log)
            finally:
                process.kill()
                process.wait()


def over_concurrency(contender: Contender, objects: int) -> list[tuple[int, float]]:
    """Return (CONCURRENCY, objects per second) pairs, at S3-like latency."""
    traits = Traits(LATENCY_SECONDS, LATENCY_SECONDS)
    pairs = []
    for at_a_time in CONCURRENCIES:
        settings = {**contender.settings, "CONCURRENCY": str(at_a_time)}
        count = min(objects, 60 * at_a_time)
        figures = take_turn(replace(contender, settings=settings), count, traits)
        pairs.append((at_a_time, figures.objects_per_second))
        print(f"{contender.name}, CONCURRENCY={at_a_time}: {figures}", flush=True)
    return pairs


def over_objects(objects: int) -> list[tuple[int, float]]:
    """Return (objects moved so far, peak resident MiB) pairs."""
    quiet = replace(WORKER_ASYNCIO, settings={"LOG_LEVEL": "warning"})
    pairs: list[tuple[int, float]] = []
    with running(quiet, Traits()) as run:
        run.stub.seed(objects)
        while not pairs or pairs[-1][0] < objects:
            time.sleep(0.5)
            moved = run.stub.counts().get("acknowledged", 0)
            pairs.append((moved, rss_mib(run.process.pid)))
    return pairs


def at_rest() -> dict[str, float]:
    """Return what an idle minute costs: polls, CPU in milliseconds."""
    with running(WORKER_ASYNCIO, Traits()) as run:
        run.stub.seed(100)
        run.until_moved(100)
        time.sleep(21)  # the polls of the backlog have come home
        polls, cpu = run.stub.counts()["ReceiveMessage"], cpu_seconds(run.process.pid)
        time.sleep(IDLE_SECONDS)
        return {
            "polls": run.stub.counts()["ReceiveMessage"] - polls,
            "cpu_ms": round(1000 * (cpu_seconds(run.process.pid) - cpu), 1),
        }


def one_file() -> dict[str, float]:
    """Return a single file's milliseconds, copy and delete, beside a bare connection's for both.

    The two take turns, so that whatever else the machine does is in both.
    """
    traits = Traits(LATENCY_SECONDS, LATENCY_SECONDS)
    with running(WORKER_ASYNCIO, traits) as run:
        began = time.monotonic()
        run.stub.seed(1)
        run.until_moved(1)
        first = time.monotonic() - began
        connection, bare = HTTPConnection("127.0.0.1", run.stub.port), list[float]()
        for number in range(SINGLE_FILES):
            run.stub.seed(1)
            run.until_moved(number + 2)
            bare.append(_bare_milliseconds(connection))
        connection.close()
        lines = [json.loads(line) for line in run.log.read_text().splitlines() if line[:1] == "{"]
    took = [1000 * each["seconds"] for each in lines if each["event"] == "object"][1:]
    alone = median(bare)
    return {
        "start_to_first_move_seconds": round(first, 2),
        "median_ms": round(median(took), 1),
        "s3_alone_ms": round(alone, 1),
        "ratio": round(median(took) / alone, 3),
    }


def _bare_milliseconds(connection: HTTPConnection) -> float:
    """Copy and delete over one connection, unsigned, with nothing around it."""
    began = time.monotonic()
    source = {"x-amz-copy-source": f"{BUCKET}/uploads/file-00000000.txt"}
    for method, headers in (("PUT", source), ("DELETE", {})):
        connection.request(method, f"/{BUCKET}/bare/file", headers=headers)
        connection.getresponse().read()
    return 1000 * (time.monotonic() - began)


def main() -> None:
    """Measure everything, print it, draw the plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--into", type=Path, default=Path("docs/performance"))
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    print("one file on an idle worker:", one_file(), flush=True)
    print("an idle minute:", at_rest(), flush=True)
    series = {
        "worker": over_concurrency(WORKER_ASYNCIO, 8_000),
        "worker, EXECUTOR=boto3": over_concurrency(WORKER_BOTO3, 1_500),
    }
    plot_concurrency(series, asked.into / "throughput.svg")
    memory = over_objects(asked.objects)
    print(f"memory: {memory[len(memory) // 10]} early, {memory[-1]} late", flush=True)
    plot_memory(memory, asked.into / "memory.svg")


if __name__ == "__main__":
    main()
