"""Environment (and an optional TOML file) -> one frozen, validated Settings. Pure.

Every fault is reported at once. The environment wins over the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from worker.core.move import SINGLE_COPY_MAX_BYTES, MoveRules, OnConflict
from worker.core.multipart import MEBIBYTE, PART_MIN_BYTES
from worker.core.pipeline import Rules
from worker.core.plan import Route
from worker.core.port import Location
from worker.core.verdict import OnMalformed, OnMissing, VerdictRules
from worker.errors import SettingsError
from worker.reader import Reader

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
QUEUE_ADDRESS = re.compile(r"https?://[^/\s]+/\d+/[A-Za-z0-9_-]{1,80}(?:\.fifo)?")
QUEUE_REGION = re.compile(r"https?://(?:sqs\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.")

SMALLEST_PART_BYTES = 5 * MEBIBYTE
"""S3 refuses smaller parts, but for the last ("Amazon S3 multipart upload limits")."""

LARGEST_PART_BYTES = SINGLE_COPY_MAX_BYTES

MAX_VISIBILITY_SECONDS = 43_200
"""SQS's limit, 12 hours; rule 20."""

GUARDS = ("required", "best-effort")
EXECUTORS = ("auto", "boto3")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("auto", "json", "console")
PRESERVABLE = ("storage-class", "encryption")

RELOADABLE = frozenset(
    {
        "DRAIN_SECONDS",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "MULTIPART_THRESHOLD",
        "ON_CONFLICT",
        "ON_MALFORMED",
        "ON_MISSING",
        "PART_SIZE",
        "PRESERVE",
        "SUMMARY_SECONDS",
        "VISIBILITY_TIMEOUT",
        "WAIT_TIME_SECONDS",
    }
)
"""What SIGHUP may change: nothing that the preflight looked at, or that a connection rests on."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that an operator may set; times in seconds, sizes in bytes."""

    queue_url: str
    region: str
    rules: Rules
    concurrency: int = 0  # as many as suit the executor
    executor: str = "auto"
    visibility_timeout: int = 120
    wait_time_seconds: int = 20
    drain_seconds: int = 90
    guards_required: bool = True
    log_level: str = "info"
    log_format: str = "auto"
    summary_seconds: int = 60
    lifecycle_hook: str = "s3-event-worker-drain"
    unknown: tuple[str, ...] = field(default=())

    def named(self) -> dict[str, str]:
        """Return every setting as text, by the name that an operator sets it by."""
        moves, verdicts = self.rules.moves, self.rules.verdicts
        kept = (moves.preserve_storage_class, moves.preserve_encryption)
        return {
            "QUEUE_URL": self.queue_url,
            "REGION": self.region,
            "BUCKET": self.source.bucket,
            "SRC_PREFIX": self.source.key,
            "DST_BUCKET": self.destination.bucket,
            "DST_PREFIX": self.destination.key,
            "ON_CONFLICT": moves.on_conflict.value,
            "ON_MISSING": verdicts.on_missing.value,
            "ON_MALFORMED": verdicts.on_malformed.value,
            "PRESERVE": ",".join(
                name for name, keep in zip(PRESERVABLE, kept, strict=True) if keep
            ),
            "MULTIPART_THRESHOLD": str(moves.multipart_threshold),
            "PART_SIZE": str(moves.part_size),
            "CONCURRENCY": str(self.concurrency or ""),
            "EXECUTOR": self.executor,
            "VISIBILITY_TIMEOUT": str(self.visibility_timeout),
            "WAIT_TIME_SECONDS": str(self.wait_time_seconds),
            "DRAIN_SECONDS": str(self.drain_seconds),
            "GUARDS": GUARDS[0] if self.guards_required else GUARDS[1],
            "LOG_LEVEL": self.log_level,
            "LOG_FORMAT": self.log_format,
            "SUMMARY_SECONDS": str(self.summary_seconds),
            "LIFECYCLE_HOOK": self.lifecycle_hook,
        }

    def with_reloadable(self, new: "Settings") -> "Settings":
        """Return these settings with what may change while running taken from `new`."""
        return replace(
            self,
            rules=replace(self.rules, moves=new.rules.moves, verdicts=new.rules.verdicts),
            visibility_timeout=new.visibility_timeout,
            wait_time_seconds=new.wait_time_seconds,
            drain_seconds=new.drain_seconds,
            log_level=new.log_level,
            log_format=new.log_format,
            summary_seconds=new.summary_seconds,
        )

    @property
    def source(self) -> Location:
        """The bucket and prefix that objects are moved from."""
        return self.rules.route.source

    @property
    def destination(self) -> Location:
        """The bucket and prefix that objects are moved to."""
        return self.rules.route.destination


def read_settings(
    environment: Mapping[str, str],
    file: Mapping[str, object] | None = None,
    *,
    needs_queue: bool = True,
) -> Settings:
    """Validate everything; raises SettingsError naming every fault.

    `needs_queue` False: QUEUE_URL may be missing, and is then empty (explain, sweep, Lambda).
    """
    reader = Reader(environment, file or {})
    queue_url = reader.matching("QUEUE_URL", QUEUE_ADDRESS, "the queue's URL", needed=needs_queue)
    settings = Settings(
        queue_url=queue_url,
        region=_region(reader, queue_url),
        rules=_rules(reader),
        concurrency=reader.number("CONCURRENCY", 0, 1, 1024),
        executor=reader.choice("EXECUTOR", EXECUTORS),
        visibility_timeout=reader.number("VISIBILITY_TIMEOUT", 120, 1, MAX_VISIBILITY_SECONDS),
        wait_time_seconds=reader.number("WAIT_TIME_SECONDS", 20, 0, 20),
        drain_seconds=reader.number("DRAIN_SECONDS", 90, 1, 7200),
        guards_required=reader.choice("GUARDS", GUARDS) == "required",
        log_level=reader.choice("LOG_LEVEL", LOG_LEVELS, "info"),
        log_format=reader.choice("LOG_FORMAT", LOG_FORMATS),
        summary_seconds=reader.number("SUMMARY_SECONDS", 60, 1, 86_400),
        lifecycle_hook=reader.text("LIFECYCLE_HOOK", "s3-event-worker-drain"),
        unknown=reader.unknown(),
    )
    if settings.drain_seconds <= settings.wait_time_seconds:
        reader.fault(
            "DRAIN_SECONDS",
            f"{settings.drain_seconds} is not above WAIT_TIME_SECONDS"
            f" ({settings.wait_time_seconds}): an open poll could not come home in time",
        )
    if reader.faults:
        raise SettingsError(reader.faults)
    return settings


def _region(reader: Reader, queue_url: str) -> str:
    told = [reader.text(name) for name in ("REGION", "AWS_REGION", "AWS_DEFAULT_REGION")]
    in_url = QUEUE_REGION.match(queue_url)
    region = next(filter(None, told), in_url.group(1) if in_url else "")
    if not region:
        reader.fault("REGION", "missing; set REGION or AWS_REGION, such as us-east-2")
    return region


def _rules(reader: Reader) -> Rules:
    preserve = reader.several("PRESERVE", PRESERVABLE)
    return Rules(
        route=_route(reader),
        moves=MoveRules(
            on_conflict=reader.member("ON_CONFLICT", OnConflict),
            preserve_storage_class="storage-class" in preserve,
            preserve_encryption="encryption" in preserve,
            multipart_threshold=reader.size(
                "MULTIPART_THRESHOLD", SINGLE_COPY_MAX_BYTES, 1, SINGLE_COPY_MAX_BYTES
            ),
            part_size=reader.size(
                "PART_SIZE", PART_MIN_BYTES, SMALLEST_PART_BYTES, LARGEST_PART_BYTES
            ),
        ),
        verdicts=VerdictRules(
            on_missing=reader.member("ON_MISSING", OnMissing),
            on_malformed=reader.member("ON_MALFORMED", OnMalformed),
        ),
    )


def _route(reader: Reader) -> Route:
    bucket = reader.matching("BUCKET", BUCKET_NAME, "a bucket name", needed=True)
    other = reader.matching("DST_BUCKET", BUCKET_NAME, "a bucket name", needed=False)
    source = Location(bucket, _prefix(reader, "SRC_PREFIX", "uploads/"))
    destination = Location(other or bucket, _prefix(reader, "DST_PREFIX", "processed/"))
    if not source.key:
        reader.fault("SRC_PREFIX", "empty: every object of the bucket would be moved")
    elif source == destination:
        reader.fault("DST_PREFIX", f"the same place as the source ({source})")
    elif source.bucket == destination.bucket and destination.key.startswith(source.key):
        reader.fault(
            "DST_PREFIX", f"{destination} is inside the source ({source}): an endless loop"
        )
    return Route(source, destination)


def _prefix(reader: Reader, name: str, default: str) -> str:
    prefix = reader.text(name, default, empty_counts=True)
    if prefix and not prefix.endswith("/"):
        reader.fault(name, f"{prefix!r} does not end with /; did you mean {prefix + '/'!r}?")
    return prefix
