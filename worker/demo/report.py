"""What the demo found, as a value, as rows for a table and as JSON. Pure."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from worker.demo.pipeline import DESTINATION_PREFIX, SOURCE_PREFIX, Pipeline
from worker.demo.verify import Check

OPERATIONS_SHOWN = 3
"""The table names the most frequent; the JSON has them all."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is, while it runs."""

    files: int
    uploaded: int
    moved: int
    superseded: int
    waiting: int
    in_hand: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process and how it ended: killed, drained, or running still."""

    pid: int
    ended: str
    log: str


@dataclass(frozen=True, slots=True)
class Requests:
    """What the worker asked of S3 and of SQS, by operation, without its checks at its starts."""

    s3: Mapping[str, int]
    sqs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """The whole demo's outcome. Times in seconds; `abandoned` messages were in the killed hand."""

    files: int
    uploads: int
    bytes: int
    moved: int
    superseded: int
    already_moved: int
    abandoned: int
    rejected: int
    garbage: int
    moving_seconds: float
    seconds: float
    requests: Requests
    workers: tuple[Worker, ...]
    checks: tuple[Check, ...]

    @property
    def is_verified(self) -> bool:
        """Whether every promise was kept."""
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        """All that is not as it should be."""
        return [fault for check in self.checks for fault in check.wrong]

    def per_upload(self, requests: Mapping[str, int]) -> float:
        """Return requests per upload: each upload is one event, hence one piece of work."""
        return round(sum(requests.values()) / max(1, self.uploads), 2)


def rows(result: Result) -> list[tuple[str, str, str]]:
    """Return the table: name, number, what it means."""
    s3, sqs = result.requests.s3, result.requests.sqs
    again = result.uploads - result.files
    return [
        (
            "uploaded",
            f"{result.uploads}",
            f"{result.files} files, {megabytes(result.bytes)}; {again} contents replaced",
        ),
        ("moved", f"{result.moved}", "files at rest in processed/"),
        ("superseded", f"{result.superseded}", "older contents passed over for a newer one"),
        (
            "abandoned",
            f"{result.abandoned}",
            "messages in the killed worker's hand, taken up by the next",
        ),
        (
            "found done",
            f"{result.already_moved}",
            "messages whose file had already been moved",
        ),
        (
            "rejected",
            f"{result.rejected}",
            f"of {result.garbage} garbage messages, now in the dead-letter queue",
        ),
        ("seconds", f"{result.seconds:.1f}", f"{result.moving_seconds:.1f} of them for the moves"),
        ("S3 requests", f"{result.per_upload(s3)}", f"per upload, all told: {_operations(s3)}"),
        ("SQS requests", f"{result.per_upload(sqs)}", f"per upload: {_operations(sqs)}"),
    ]


def as_json(result: Result) -> dict[str, object]:
    """Return the result as JSON's kinds."""
    return {
        "verified": result.is_verified,
        "wrong": result.wrong,
        "checks": [{"promise": check.promise, "kept": not check.wrong} for check in result.checks],
        "files": result.files,
        "uploaded": result.uploads,
        "bytes": result.bytes,
        "moved": result.moved,
        "superseded": result.superseded,
        "already_moved": result.already_moved,
        "abandoned": result.abandoned,
        "rejected": result.rejected,
        "seconds": round(result.seconds, 2),
        "moving_seconds": round(result.moving_seconds, 2),
        "requests": {
            "s3": dict(result.requests.s3),
            "sqs": dict(result.requests.sqs),
            "s3_per_upload": result.per_upload(result.requests.s3),
            "sqs_per_upload": result.per_upload(result.requests.sqs),
        },
        "workers": [
            {"pid": worker.pid, "ended": worker.ended, "log": worker.log}
            for worker in result.workers
        ],
    }


def lines_to_play_with(
    environment: Mapping[str, str], endpoint: str, pipeline: Pipeline
) -> list[str]:
    """Return the shell lines with which one uses what `--keep` left running."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    aws, bucket = f"aws --endpoint-url {endpoint}", f"s3://{pipeline.bucket}"
    rejected = shlex.quote(pipeline.dead_letter_queue_url)
    return [
        *(f"export {name}={environment[name]}" for name in names),
        f"{aws} s3 cp README.md {bucket}/{SOURCE_PREFIX}",
        f"{aws} s3 ls --recursive {bucket}/{DESTINATION_PREFIX}",
        f"{aws} s3 cp {bucket}/{DESTINATION_PREFIX}README.md -",
        f"{aws} sqs receive-message --queue-url {rejected}",
    ]


def object_in_words(told: Mapping[str, object]) -> str:
    """Return what the worker's log told of one object, as a person reads it."""
    words = [str(told.get("outcome")), str(told.get("source", told.get("detail", "")))]
    if "destination" in told:
        words += ["->", str(told["destination"])]
    return " ".join(words)


def megabytes(count: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{count / 1e6:.1f} MB"


def _operations(requests: Mapping[str, int]) -> str:
    most_first = sorted(requests.items(), key=lambda item: (-item[1], item[0]))
    others = sum(count for _, count in most_first[OPERATIONS_SHOWN:])
    shown = [f"{count} {name}" for name, count in most_first[:OPERATIONS_SHOWN]]
    return ", ".join([*shown, f"{others} others"] if others else shown)
