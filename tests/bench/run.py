"""Runs the contenders in turn against a constant-time S3 and SQS, and prints one table.

`PYTHONPATH=tests python -m bench.run [--rounds 3] [--objects 10000] [--latency-ms 0 15]
[--into docs/performance]`; the record is `peers.json`, from which `bench.page` writes.
Compare within one run only, and never assert a time.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench.contenders import CONTENDERS, SQS_CONSUMER, Contender, install_node_packages
from bench.nginx_stub import Traits, missing
from bench.records import Turns, keep, peers_table
from bench.turn import SQS_SHARE, TurnError, is_supported, machine, take_turn


def main() -> None:
    """Run all rounds, keep every turn's figures, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[0.0, 15.0])
    parser.add_argument("--into", type=Path, default=Path(".bench"))
    asked = parser.parse_args()
    if not is_supported() or missing():
        sys.exit(f"make bench: {missing() or 'Linux is needed: CPU times are read from /proc'}")
    present = tuple(_present())
    what = f"{asked.rounds} rounds, up to {asked.objects:,} objects a turn"
    print(what, file=sys.stderr)
    latencies: dict[str, Turns] = {}
    for latency_ms in asked.latency_ms:
        seconds = latency_ms / 1000
        traits = Traits(s3_seconds=seconds, sqs_seconds=seconds * SQS_SHARE)
        turns = _play(present, asked.rounds, asked.objects, traits)
        latencies[f"{latency_ms:g}"] = turns
        print(f"\nS3 answers after {latency_ms:g} ms; medians\n")
        print("\n".join(peers_table(turns)), flush=True)
    keep(asked.into / "peers.json", {"machine": f"{what}; {machine()}", "latencies": latencies})


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
            turns[contender.name].append(asdict(figures))
            print(f"round {number + 1}, {contender.name}: {figures}", file=sys.stderr)
    return {name: figures for name, figures in turns.items() if figures}


if __name__ == "__main__":
    main()
