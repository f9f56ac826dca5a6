"""A canary on the embedded AWS: it arrives, or says where it is stuck; nothing of it stays."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.s3.models import s3_backends

from provision.aws.session import Aws
from provision.canary import Canaries, CanaryError, Route
from worker.demo.embedded.server import REGION, EmbeddedAws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "canaries"


@dataclass
class Valley:
    """A versioned bucket, two queues, and whatever happens while the canary's sender sleeps."""

    aws: Aws
    route: Route
    meanwhile: list[Callable[[], None]] = field(default_factory=list)
    now: float = 0.0

    @property
    def canaries(self) -> Canaries:
        """Whoever sends canaries here."""
        return Canaries(self.s3, self.aws.sqs, self.route, sleep=self.sleep, clock=lambda: self.now)

    @property
    def s3(self) -> "S3Client":
        """S3."""
        return self.aws.s3

    def sleep(self, seconds: float) -> None:
        """Let time pass, and the next thing happen."""
        self.now += seconds
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def move(self) -> None:
        """Move what lies there, as a worker does."""
        for key in self.keys("uploads/"):
            target = key.replace("uploads/", "processed/", 1)
            self.s3.copy_object(Bucket=BUCKET, Key=target, CopySource=f"{BUCKET}/{key}")
            self.s3.delete_object(Bucket=BUCKET, Key=key)

    def keys(self, prefix: str) -> list[str]:
        """List the current objects."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]

    def versions(self) -> int:
        """Count all that is in the bucket, delete markers as well."""
        listed = self.s3.list_object_versions(Bucket=BUCKET)
        return len(listed.get("Versions", [])) + len(listed.get("DeleteMarkers", []))


@pytest.fixture
def valley() -> Iterator[Valley]:
    """Give a bucket and queues on an AWS of their own; nothing consumes."""
    with EmbeddedAws() as embedded:
        session = boto3.Session("testing", "testing", region_name=REGION)
        aws = Aws(session, embedded.endpoint_url)
        aws.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-east-2"}
        )
        aws.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        urls = [aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("main", "dead")]
        route = Route(BUCKET, "uploads/", "processed/", *urls)
        yield Valley(aws, route)


@pytest.fixture
def locked(valley: Valley) -> Valley:
    """Have the bucket keep every version for a month."""
    rule: Any = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    lock: Any = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    valley.s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=lock)
    return valley


def test_a_canary_that_arrives_gives_its_time_and_leaves_nothing(valley: Valley) -> None:
    """Moved at the third look; every version of it is cleared away, and other files stay."""
    valley.s3.put_object(Bucket=BUCKET, Key="processed/of a user", Body=b"1")
    valley.meanwhile = [lambda: None, lambda: None, valley.move]
    assert valley.canaries.fly() == 1.5
    assert valley.keys("") == ["processed/of a user"]
    assert valley.versions() == 1


def test_what_a_run_that_was_cut_off_left_is_cleared_by_a_later_flight(valley: Valley) -> None:
    """An hour later; not another operator's canary, nor a file that only lies beside them."""
    old, young, theirs = f"{1:032x}", f"{2:032x}", "notes"
    for name in (old, young, theirs):
        for prefix in ("uploads/", "processed/"):
            valley.s3.put_object(Bucket=BUCKET, Key=f"{prefix}.canary/{name}", Body=b"1")
    keys = s3_backends["123456789012"]["aws"].buckets[BUCKET].keys
    for key in valley.keys(""):
        if young not in key:
            keys[key].last_modified -= timedelta(hours=1)
    before = valley.keys("")

    def arrive() -> None:
        [key] = {*valley.keys("uploads/")} - {*before}
        target = key.replace("uploads/", "processed/", 1)
        valley.s3.copy_object(Bucket=BUCKET, Key=target, CopySource=f"{BUCKET}/{key}")
        valley.s3.delete_object(Bucket=BUCKET, Key=key)

    valley.meanwhile = [arrive]
    valley.canaries.fly()
    assert valley.keys("") == [
        f"{prefix}.canary/{name}"
        for prefix in ("processed/", "uploads/")
        for name in (young, theirs)
    ]


def test_a_canary_that_nobody_takes_says_that_messages_wait(valley: Valley) -> None:
    """The time is bounded, and the place is told."""
    valley.aws.sqs.send_message(QueueUrl=valley.route.queue_url, MessageBody="{}")
    with pytest.raises(CanaryError, match="within 5 s: 1 messages wait") as caught:
        valley.canaries.fly(patience_seconds=5)
    assert "provision status" in caught.value.hint
    assert valley.versions() == 0


def test_a_dead_letter_of_the_canarys_own_time_is_told(valley: Valley) -> None:
    """A message that was set aside while we waited."""

    def set_aside() -> None:
        body = json.dumps({"Records": []})
        valley.aws.sqs.send_message(QueueUrl=valley.route.dead_letter_queue_url, MessageBody=body)

    valley.meanwhile = [set_aside]
    with pytest.raises(CanaryError, match="set aside") as caught:
        valley.canaries.fly(patience_seconds=5)
    assert "provision dlq list" in caught.value.hint


def test_a_canary_that_arrives_changed_is_no_success(valley: Valley) -> None:
    """Other bytes under its name: nothing may pass for a working system."""

    def tamper() -> None:
        (key,) = valley.keys("uploads/")
        target = key.replace("uploads/", "processed/", 1)
        valley.s3.put_object(Bucket=BUCKET, Key=target, Body=b"a cuckoo")

    valley.meanwhile = [tamper]
    with pytest.raises(CanaryError, match="other bytes"):
        valley.canaries.fly(patience_seconds=5)
    assert valley.versions() == 0


def test_rule_23d_what_object_lock_keeps_of_a_canary_is_told_and_not_seen(locked: Valley) -> None:
    """It arrived all the same; no marker is taken away, or a sweep would move it again."""
    locked.meanwhile = [lambda: None, locked.move]
    canaries = locked.canaries
    assert canaries.fly() == 1.0
    assert "object lock" in canaries.kept
    assert locked.keys("") == []
    assert locked.versions() == 4, "two versions, a marker above each"


def test_rule_23d_a_locked_canary_that_nobody_takes_is_not_left_to_be_moved(
    locked: Valley,
) -> None:
    """The place is told, as ever, and not the lock; it is hidden where it landed."""
    with pytest.raises(CanaryError, match="no message came"):
        locked.canaries.fly(patience_seconds=5)
    assert locked.keys("") == []
    assert locked.versions() == 2


def test_without_object_lock_nothing_is_kept(valley: Valley) -> None:
    """And nothing is told of it."""
    valley.meanwhile = [valley.move]
    canaries = valley.canaries
    canaries.fly()
    assert canaries.kept == ""
