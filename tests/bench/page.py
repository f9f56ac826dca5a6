"""Writes the tables of docs/performance.md and draws its plots, from the records beside it.

`PYTHONPATH=tests python -m bench.page`: the records are those that `bench.run` and `bench.curves`
keep with `--into docs/performance`. A part whose record is missing stays as it is.
"""

import re
from collections.abc import Iterator
from typing import Any

from bench.curves import LATENCY
from bench.goals import goals_table
from bench.plots import plot_concurrency, plot_memory
from bench.records import CEILING, peers_table, read
from bench.turn import ROOT

PAGE = ROOT / "docs" / "performance.md"
RECORDS = ROOT / "docs" / "performance"
PART = re.compile(r"(<!-- bench: (?P<name>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)

THROUGHPUT = f"""\
![objects per second over CONCURRENCY](performance/throughput.svg)

S3 answers after {LATENCY.s3_seconds * 1000:g} ms here, SQS after {LATENCY.sqs_seconds * 1000:g}.
On one of the curves S3 says SlowDown to every copy beyond {CEILING:,} a second, the dotted line."""


def main() -> None:
    """Write the page anew, and the pictures."""
    peers, alone = (
        read(RECORDS / name) if (RECORDS / name).exists() else {}
        for name in ("peers.json", "alone.json")
    )
    parts = dict(_parts(peers, alone))

    def anew(part: re.Match[str]) -> str:
        text = parts.get(part["name"])
        return f"{part[1]}{text}\n{part[3]}" if text else part[0]

    PAGE.write_text(PART.sub(anew, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    if "concurrency" in alone:
        plot_concurrency(alone["concurrency"], RECORDS / "throughput.svg")
    if "memory" in alone:
        plot_memory(alone["memory"], RECORDS / "memory.svg")


def _parts(peers: dict[str, Any], alone: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names of the page's parts, and their texts."""
    for latency_ms, turns in peers.get("latencies", {}).items():
        yield f"peers {latency_ms} ms", "\n".join(peers_table(turns))
    if peers:
        yield "machine", f"{peers['machine']}."
    if "concurrency" in alone:
        yield "throughput", THROUGHPUT
    if peers and {"one-file", "idle", "concurrency"} <= set(alone):
        yield "goals", "\n".join(goals_table(peers, alone))


if __name__ == "__main__":
    main()
