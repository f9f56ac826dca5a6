"""Every S3 port there is, each in a world of its own, for one contract.

Another executor joins in with one line in `PORTS`.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import botocore.credentials

from support.aws_process import REGION, connect, embedded_aws
from support.conditions import AWS
from support.loop_thread import LoopThread
from support.store import Pairs
from support.twin import S3Twin
from worker.aws.http.credentials import Credentials
from worker.aws.http.s3 import LoopS3
from worker.aws.http.senders import Senders
from worker.aws.s3 import BotoS3
from worker.core.port import (
    CopyObject,
    HeadObject,
    Location,
    NotFound,
    ObjectInfo,
    Reply,
    Request,
    S3Port,
)

BUCKET = "files"
MEBIBYTE = 1024**2
PART_BYTES = 5 * MEBIBYTE


class Put(Protocol):
    """Uploads a file as its owner does; returns its ETag."""

    def __call__(
        self,
        location: Location,
        label: str = "x",
        size: int = 3,
        headers: Pairs = (),
        metadata: Pairs = (),
        tags: Pairs = (),
    ) -> str:
        """Upload it, in one piece."""


@dataclass(frozen=True, slots=True)
class World:
    """A port, and a way to put files past it."""

    port: S3Port
    put: Put

    def ask(self, request: Request) -> Reply:
        """Carry a request out."""
        return self.port.submit(request).result(timeout=60)

    def head(self, location: Location) -> ObjectInfo:
        """Look at an object that is there."""
        info = self.ask(HeadObject(location))
        assert isinstance(info, ObjectInfo)
        return info

    def is_there(self, location: Location) -> bool:
        """Tell whether an object is there."""
        return self.ask(HeadObject(location)) != NotFound()


@contextmanager
def twin() -> Iterator[World]:
    """Give the in-memory twin."""
    s3 = S3Twin(lambda: 1_000.0, replace(AWS, buckets=frozenset({BUCKET})))

    def put(location: Location, label: str = "x", size: int = 3, **sides: Pairs) -> str:
        return s3.put(location, label, size, **sides).etag

    yield World(s3, put)  # type: ignore[arg-type]  # the sides by name


@contextmanager
def boto3_on_the_embedded_aws() -> Iterator[World]:
    """Give boto3 on a server of this module's own."""
    with embedded_aws() as endpoint, ThreadPoolExecutor(16) as pool:
        client = connect("s3", endpoint, max_pool_connections=16)
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield World(BotoS3(client, pool, never), putting(client))
        client.close()


@contextmanager
def asyncio_on_the_embedded_aws() -> Iterator[World]:
    """Give the event loop's own executor, likewise."""
    with embedded_aws() as endpoint, ThreadPoolExecutor(16) as pool, LoopThread() as loop:
        client = connect("s3", endpoint, max_pool_connections=16)
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        senders = Senders(client, loop.run(make_credentials), None, 16)
        s3 = LoopS3(senders.of_bucket, BotoS3(client, pool, never), never_async)
        yield World(loop.port(s3), putting(client))
        loop.run(senders.close)
        client.close()


def make_credentials() -> Credentials:
    """Make the credentials that `connect` uses."""
    return Credentials(botocore.credentials.Credentials("testing", "testing"), time.monotonic)


def putting(client: Any) -> Put:  # noqa: ANN401 - a client of boto3
    """Make the owner's hand."""

    def put(
        location: Location,
        label: str = "x",
        size: int = 3,
        headers: Pairs = (),
        metadata: Pairs = (),
        tags: Pairs = (),
    ) -> str:
        etag: str = client.put_object(
            Bucket=location.bucket,
            Key=location.key,
            Body=(label.encode() * size)[:size],
            Metadata=dict(metadata),
            Tagging="&".join(f"{name}={value}" for name, value in tags),
            **dict(headers),
        )["ETag"]
        return etag.strip('"')

    return put


def never(seconds: float) -> None:
    """Stand in for a sleep where nothing should be tried again."""
    raise AssertionError(f"waited {seconds} s for another try")


async def never_async(seconds: float) -> None:
    """Stand in for the event loop's sleep."""
    never(seconds)


PORTS: dict[str, Callable[[], Any]] = {
    "twin": twin,
    "boto3": boto3_on_the_embedded_aws,
    "asyncio": asyncio_on_the_embedded_aws,
}


def copy_of(
    here: Location,
    etag: str,
    there: Location,
    over: str | None = None,
    **more: Any,  # noqa: ANN401 - two kinds
) -> CopyObject:
    """Ask for a copy."""
    return CopyObject(here, etag, there, over, **more)
