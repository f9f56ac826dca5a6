"""The objects of a prefix, page by page: a million of them take no more memory than a thousand."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from worker.aws.asking import Asking, as_fault
from worker.core.port import Location
from worker.errors import PreflightError
from worker.operator.grants import Names
from worker.operator.preflight import refused
from worker.operator.sweep import Listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def list_objects(
    client: "S3Client", place: Location, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Listed]:
    """List what is under a prefix, in S3's order (ListObjectsV2, 1,000 a page).

    `sleep` takes seconds. Raises PreflightError where S3 refuses, with the statement to grant.
    """
    ask = Asking(sleep)
    token: dict[str, str] = {}
    while True:
        page = ask(
            "ListObjectsV2",
            client.list_objects_v2,
            Bucket=place.bucket,
            Prefix=place.key,
            **token,
        )
        if not isinstance(page, Mapping):
            names = Names(client.meta.partition)
            fault = as_fault("ListObjectsV2", page)
            found = refused("s3:ListBucket", place, names.bucket(place), fault, names)
            grant = f"\n  grant: {json.dumps(found.grant)}" if found.grant else ""
            raise PreflightError(
                f"cannot list {place}: {found.detail}{grant}\n`worker check` tells more"
            )
        for each in page.get("Contents", ()):
            yield Listed(
                Location(place.bucket, each["Key"]),
                each["Size"],
                each["LastModified"].timestamp(),
                each["ETag"].strip('"'),
                each.get("StorageClass") or "STANDARD",
            )
        if not page.get("IsTruncated"):
            return
        token = {"ContinuationToken": page["NextContinuationToken"]}
