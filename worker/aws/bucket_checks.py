"""What the worker may do in a bucket, found out without leaving a trace.

Every trial names an object that does not exist: 404 says that the action is allowed, 403 that it is
not. Without s3:ListBucket S3 says 403 for both (rule 21), hence the listing first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from worker.aws.asking import Asking, as_fault
from worker.core.port import Fault, FaultKind, Location, NotFound, PreconditionFailed
from worker.operator.grants import Names, is_denied, statement
from worker.operator.preflight import Finding, Level, granted, refused, untold

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOBODYS_ETAG = '"00000000000000000000000000000000"'
"""The ETag of no object: the MD5 sum of nothing that anybody knows."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One call on an object that does not exist, and the action that it shows to be allowed."""

    action: str
    operation: str
    method: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    needed: Level = Level.FAILURE  # what it is if the action is not allowed


SOURCE_TRIALS = (
    Trial("s3:GetObject", "HeadObject", "head_object"),
    Trial("s3:GetObjectTagging", "GetObjectTagging", "get_object_tagging"),
    Trial("s3:DeleteObject", "DeleteObject", "delete_object", {"IfMatch": NOBODYS_ETAG}),
)
DESTINATION_TRIALS = (
    Trial("s3:GetObject", "HeadObject", "head_object"),
    # Without it the parts of a large copy that failed stay, and are paid for; nothing is lost.
    Trial(
        "s3:AbortMultipartUpload",
        "AbortMultipartUpload",
        "abort_multipart_upload",
        {"UploadId": "none-such"},
        Level.WARNING,
    ),
)


class BucketChecks:
    """Checks one prefix. An operator sees one finding a permission."""

    def __init__(self, s3: "S3Client", ask: Asking, names: Names) -> None:
        self._s3 = s3
        self._ask = ask
        self._names = names

    def check(self, place: Location, trials: tuple[Trial, ...]) -> list[Finding]:
        """Try everything; a bucket that is not there, or not reached, is the only finding then."""
        listed = self._list(place)
        may_list = listed is None
        if listed is not None and not is_denied(listed):
            resource = self._names.bucket(place)
            return [refused("s3:ListBucket", place, resource, listed, self._names)]
        missing = Location(place.bucket, f"{place.key}.permission-probe/{uuid4().hex}")
        found = [self._try(trial, place, missing, may_list=may_list) for trial in trials]
        # A missing object that reads as 404 shows that moves see what they must.
        sees_missing = found[0].level is Level.OK
        return [self._judge_listing(place, listed, sees_missing=sees_missing), *found]

    def _list(self, place: Location) -> Fault | None:
        answer = self._ask(
            "ListObjectsV2",
            self._s3.list_objects_v2,
            Bucket=place.bucket,
            Prefix=place.key,
            MaxKeys=1,
        )
        return None if isinstance(answer, Mapping) else as_fault("ListObjectsV2", answer)

    def _judge_listing(
        self, place: Location, listed: Fault | None, *, sees_missing: bool
    ) -> Finding:
        if listed is None:
            return granted("s3:ListBucket", place)
        resource = self._names.bucket(place)
        if not sees_missing:
            # No s3:prefix condition: HeadObject carries no prefix, and would read 403 again.
            return refused("s3:ListBucket", place, resource, listed, self._names)
        return Finding(
            Level.WARNING,
            f"s3:ListBucket on {place}",
            f"denied for listing ({listed}); moves see missing objects, `worker sweep` cannot list",
            statement("s3:ListBucket", resource),
        )

    def _try(self, trial: Trial, place: Location, missing: Location, *, may_list: bool) -> Finding:
        answer = self._ask(
            trial.operation,
            getattr(self._s3, trial.method),
            Bucket=missing.bucket,
            Key=missing.key,
            **trial.parameters,
        )
        if isinstance(answer, Mapping | NotFound | PreconditionFailed):
            return granted(trial.action, place)
        fault = as_fault(trial.operation, answer)
        resource = self._names.objects(place)
        if fault.kind is FaultKind.UNSUPPORTED:
            detail = f"unsupported by this store: {fault}"
            return Finding(Level.WARNING, f"{trial.action} on {place}", detail)
        if is_denied(fault) and not may_list:
            return untold(trial.action, place, resource)
        found = refused(trial.action, place, resource, fault, self._names)
        if trial.needed is Level.FAILURE:
            return found
        return Finding(trial.needed, found.subject, found.detail, found.grant, found.hint)
