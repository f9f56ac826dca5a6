"""One object of 20 GiB: copied in parts by the worker, by `aws s3 mv` and by `rclone move`.

`PYTHONPATH=tests python -m bench.big [--rounds 3]`. The stub takes its time for each part, as S3
does: 50 ms, and a second for every 200 MB.
"""

import argparse
import sys
from dataclasses import replace
from statistics import median

from bench.contenders import RCLONE, WORKER_ASYNCIO, WORKER_BOTO3, Contender
from bench.nginx_stub import BUCKET, Traits, missing
from bench.turn import TurnError, take_turn

TRAITS = Traits(s3_seconds=0.05, object_bytes=20 * 1024**3, copy_bytes_per_second=200_000_000)
AWS_CLI = Contender(
    "aws s3 mv (no queue)",
    (
        *("aws", "--endpoint-url", "{url}", "s3", "mv", "--only-show-errors"),
        *(f"s3://{BUCKET}/uploads/file-00000000.txt", f"s3://{BUCKET}/processed/"),
    ),
    waits=False,
    needs=("aws", "pip install awscli, in an environment of its own"),
)
CONTENDERS = (AWS_CLI, RCLONE, WORKER_BOTO3, WORKER_ASYNCIO)


def main() -> None:
    """Run all rounds, and print the medians of the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    if missing():
        sys.exit(missing())
    print("| one object of 20 GiB | seconds | requests |\n| --- | ---: | ---: |")
    for contender in CONTENDERS:
        if lacking := contender.missing():
            print(f"left out: {contender.name}; {lacking}", file=sys.stderr)
            continue
        try:
            figures = [take_turn(replace(contender, warm_up=0), 1, TRAITS) for _ in range(rounds)]
        except TurnError as error:
            print(error, file=sys.stderr)
            continue
        seconds = median(1 / each.objects_per_second for each in figures)
        asked = median(each.requests for each in figures)
        print(f"| {contender.name} | {seconds:.1f} | {asked:.0f} |", flush=True)


if __name__ == "__main__":
    main()
