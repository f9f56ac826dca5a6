"""A file of our own goes the whole way: proof that the system works, and how fast."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from provision.aws.calls import unless_gone, words_of_refusal
from provision.core.judge_canary import CanaryFacts, diagnose
from provision.errors import ProvisionError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CORNER: Final = ".canary/"
"""Below the source prefix, so that it goes the way of every file; the worker does not know it."""

NAME: Final = re.compile(rf".*/{re.escape(CORNER)}[0-9a-f]{{32}}")
"""A canary's whole key, below whichever prefix."""

STRAY: Final = timedelta(hours=1)
"""No canary flies so long: whoever sent one so much older was cut off before it cleared up."""

LOOK_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 120.0
"""S3's events take seconds, at times a minute (rule 18)."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a canary flies: bucket, prefixes, and the URLs of the queue and of its DLQ."""

    bucket: str
    source_prefix: str
    destination_prefix: str
    queue_url: str
    dead_letter_queue_url: str


@dataclass(frozen=True, slots=True)
class Flight:
    """Canaries that arrived, by what stands behind either prefix, and how long the last took."""

    names: tuple[str, ...]
    seconds: float


class CanaryError(ProvisionError):
    """Raised when a canary did not arrive; says where it is stuck and what to do."""


class Canaries:
    """Sends canaries along one route. `clock` in seconds; `sleep` waits for so many."""

    def __init__(
        self,
        s3: "S3Client",
        sqs: "SQSClient",
        route: Route,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._s3 = s3
        self._sqs = sqs
        self._route = route
        self._sleep = sleep
        self._clock = clock
        self.kept = ""
        """Why versions of canaries stay, in S3's words (rule 23d); empty: none do."""

    def fly(self, patience_seconds: float = PATIENCE_SECONDS) -> float:
        """Send one, wait until it rests at the destination byte for byte; returns the seconds.

        Raises CanaryError when it does not arrive. Nothing of it stays behind in either case, but
        what Object Lock keeps: that is not seen any more, and `kept` tells of it. What a run that
        was cut off could not clear up, a later flight does.
        """
        return self.flock(1, patience_seconds).seconds

    def flock(self, count: int, patience_seconds: float = PATIENCE_SECONDS) -> Flight:
        """Send several at once, and wait for all of them, as `fly` does for one."""
        began = self._clock()
        before = self._depth(self._route.dead_letter_queue_url)[0]
        with ExitStack() as cleared:
            names = tuple(cleared.enter_context(self.sent()) for _ in range(count))
            flying = list(names)
            while flying := [name for name in flying if not self.arrived(name)]:
                if self._clock() - began >= patience_seconds:
                    raise self._stuck(flying[0], before, patience_seconds)
                self._sleep(LOOK_SECONDS)
            seconds = self._clock() - began
            self._clear_strays()
            return Flight(names, seconds)

    def _clear_strays(self) -> None:
        """Clear what earlier canaries left whose run was cut off; those that just arrived date it.

        An hour on S3's own clock: whatever another operator sends at the same time is younger.
        """
        prefixes = (self._route.source_prefix, self._route.destination_prefix)
        listed = [
            each
            for prefix in prefixes
            for each in self._s3.list_objects_v2(
                Bucket=self._route.bucket, Prefix=prefix + CORNER
            ).get("Contents", [])
            if NAME.fullmatch(each["Key"])
        ]
        now = max((each["LastModified"] for each in listed), default=None)
        for each in listed:
            if now is not None and now - each["LastModified"] >= STRAY:
                self._remove(each["Key"])

    def _stuck(self, name: str, dead_letters_before: int, seconds: float) -> CanaryError:
        stuck = diagnose(self._facts(name, dead_letters_before))
        return CanaryError(
            f"the canary did not arrive within {seconds:g} s: {stuck.where}", stuck.hint
        )

    @contextmanager
    def sent(self) -> Iterator[str]:
        """Put a canary under the source prefix, give its name, and clear it away at the end."""
        name = f"{CORNER}{uuid4().hex}"
        self._s3.put_object(
            Bucket=self._route.bucket, Key=self._route.source_prefix + name, Body=name.encode()
        )
        try:
            yield name
        finally:
            for prefix in (self._route.source_prefix, self._route.destination_prefix):
                self._remove(prefix + name)

    def arrived(self, name: str) -> bool:
        """Say whether the canary rests at the destination; raises CanaryError if it changed."""
        key = self._route.destination_prefix + name
        found = unless_gone(
            lambda: self._s3.get_object(Bucket=self._route.bucket, Key=key), ("NoSuchKey", "404")
        )
        if found is None:
            return False
        if found["Body"].read() != name.encode():
            raise CanaryError(
                f"{key} holds other bytes than were sent", "`worker explain` its event"
            )
        return True

    def _facts(self, name: str, dead_letters_before: int) -> CanaryFacts:
        key = self._route.source_prefix + name
        at_source = unless_gone(lambda: self._s3.head_object(Bucket=self._route.bucket, Key=key))
        waiting, in_hand = self._depth(self._route.queue_url)
        dead_letters, _ = self._depth(self._route.dead_letter_queue_url)
        return CanaryFacts(
            at_source is not None, waiting, in_hand, dead_letters, dead_letters_before
        )

    def _depth(self, url: str) -> tuple[int, int]:
        told = self._sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        return (
            int(told["ApproximateNumberOfMessages"]),
            int(told["ApproximateNumberOfMessagesNotVisible"]),
        )

    def _remove(self, key: str) -> None:
        """Delete all of it; a version that has to stay keeps a delete marker above (rule 23d)."""
        bucket = self._route.bucket
        listed = self._s3.list_object_versions(Bucket=bucket, Prefix=key)
        versions = [each["VersionId"] for each in listed.get("Versions", [])]
        stays = [each for each in versions if not self._is_deleted(key, each)]
        markers = listed.get("DeleteMarkers", [])
        if not stays:
            for each in markers:
                self._s3.delete_object(Bucket=bucket, Key=key, VersionId=each["VersionId"])
        elif not any(each["IsLatest"] for each in markers):
            self._s3.delete_object(Bucket=bucket, Key=key)

    def _is_deleted(self, key: str, version: str) -> bool:
        """Delete a version; False if S3 refuses. Whoever may not delete at all hears it later."""
        bucket, s3 = self._route.bucket, self._s3
        words = words_of_refusal(
            lambda: s3.delete_object(Bucket=bucket, Key=key, VersionId=version), "AccessDenied"
        )
        self.kept = words or self.kept
        return not words
