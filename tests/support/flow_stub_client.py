"""How a test or a benchmark fills the cheap S3 and SQS, and reads their counters."""

import json
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

BUCKET = "stub-files"


@dataclass(frozen=True, slots=True)
class StubCounts:
    """What the stub holds and has been asked, at one moment."""

    requests: Counter[str]
    messages: int
    leased: int
    most_receipts: int
    uploads: int
    processed: int


@dataclass(frozen=True, slots=True)
class StubClient:
    """Speaks to a running stub."""

    url: str

    def seed(self, objects: int) -> StubCounts:
        """Put so many objects and their messages there, all at once."""
        return self._ask(f"seed?objects={objects}")

    def counts(self) -> StubCounts:
        """Read the counters."""
        return self._ask("counts")

    def environment(self, **settings: str) -> Mapping[str, str]:
        """Return the environment of a worker that works here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-2",
            "AWS_EC2_METADATA_DISABLED": "true",
            "QUEUE_URL": f"{self.url}/123456789012/stub",
            "BUCKET": BUCKET,
            **settings,
        }

    def _ask(self, what: str) -> StubCounts:
        with urllib.request.urlopen(f"{self.url}/_stub/{what}", timeout=60) as answer:  # noqa: S310 - ours
            told = json.load(answer)
        return StubCounts(**{**told, "requests": Counter(told["requests"])})
