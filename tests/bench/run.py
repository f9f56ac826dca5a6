"""Runs the contenders in turn against a constant-time S3 and SQS, and prints one table.

`PYTHONPATH=tests python -m bench.run [--rounds 3] [--objects 10000] [--latency-ms 0 15]`.
Compare within one run only, and never assert a time.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench.contenders import (
    CONTENDERS,
    PLAIN_LOOP,
    RCLONE,
    S5CMD,
    SQS_CONSUMER,
    Contender,
    install_node_packages,
)
from bench.nginx_stub import Traits, missing
from bench.turn import Figures, TurnError, is_supported, take_turn

SQS_SHARE = 0.4
"""SQS answers a bit sooner than S3 copies."""

Turns = dict[str, list[Figures]]


def main() -> None:
    """Run all rounds, then print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[0.0, 15.0])
    parser.add_argument("--json", type=Path, help="also write every turn's figures there")
    asked = parser.parse_args()
    if not is_supported() or missing():
        sys.exit(f"make bench: {missing() or 'Linux is needed: CPU times are read from /proc'}")
    present = tuple(_present())
    print(f"{asked.rounds} rounds, up to {asked.objects} objects a turn", file=sys.stderr)
    everything = {}
    for latency_ms in asked.latency_ms:
        seconds = latency_ms / 1000
        traits = Traits(s3_seconds=seconds, sqs_seconds=seconds * SQS_SHARE)
        turns = _play(present, asked.rounds, asked.objects, traits)
        everything[str(latency_ms)] = {
            name: [asdict(each) for each in figures] for name, figures in turns.items()
        }
        print("\n".join(_table(turns, latency_ms)), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(everything, indent=1), encoding="utf-8")


def _present() -> Iterator[Contender]:
    for contender in CONTENDERS:
        lacking = contender.missing()
        if contender is SQS_CONSUMER and not lacking:
            lacking = install_node_packages()
        if lacking:
            print(f"left out: {contender.name}; {lacking}", file=sys.stderr)
        else:
            yield contender


def _play(present: tuple[Contender, ...], rounds: int, objects: int, traits: Traits) -> Turns:
    turns: Turns = {each.name: [] for each in present}
    for number in range(rounds):
        for contender in present:
            share = contender.share
            try:
                figures = take_turn(contender, max(1, int(objects * share)), traits)
            except TurnError as error:
                print(f"round {number + 1}: {error}", file=sys.stderr)
                continue
            turns[contender.name].append(figures)
            print(f"round {number + 1}, {contender.name}: {figures}", file=sys.stderr)
    return {name: figures for name, figures in turns.items() if figures}


def _table(turns: Turns, latency_ms: float) -> Iterator[str]:
    """Yield the table's lines, in Markdown; the ratios are of CPU times."""
    cpu = {name: median(each.cpu_ms for each in figures) for name, figures in turns.items()}
    movers = [cpu[each.name] for each in (S5CMD, RCLONE) if each.name in cpu]
    plain = cpu.get(PLAIN_LOOP.name)
    yield f"\nS3 answers after {latency_ms:g} ms; medians\n"
    yield (
        "| | objects/s | CPU ms/object | of the best mover's | of the plain loop's"
        " | requests/object | RSS MiB |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, figures in turns.items():
        cells = (
            f"{median(each.objects_per_second for each in figures):,.0f}",
            f"{cpu[name]:.2f}",
            f"{cpu[name] / min(movers):.2f}" if movers else "",
            f"{cpu[name] / plain:.3f}" if plain else "",
            f"{median(each.requests for each in figures):.2f}",
            f"{median(each.rss_mib for each in figures):.0f}",
        )
        yield f"| {name} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
