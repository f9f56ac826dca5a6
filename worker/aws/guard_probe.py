"""Does this store keep its word? Tries every condition of the move in a corner of its own.

docs/move-protocol.md, "A store that does not keep its word". Nothing of anybody else's is touched,
and nothing stays behind but what Object Lock keeps.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from worker.aws.asking import Answer, Asking, as_fault
from worker.aws.bucket_checks import NOBODYS_ETAG
from worker.aws.s3_replies import reply_to_key_error
from worker.core.port import Fault, FaultKind, Location, NotFound, PreconditionFailed
from worker.operator.grants import Names, is_denied, is_locked, kms_grant, statement
from worker.operator.preflight import (
    Finding,
    Guard,
    GuardResult,
    Level,
    granted,
    judge_guard,
    refused,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CORNER = ".guard-probe/"

SOURCE, DESTINATION, STRAY, COPY = "source", "destination", "stray", "copy"
"""The probe's objects: S3 refuses to copy one onto itself, and no trial may spoil the next one's
ground. The stray one should never come to be; the copy should."""

TAG = {"Tagging": "guard-probe=1"}
"""On the destination only: a tagged source would ask for s3:GetObjectTagging there as well."""

DOUBTFUL = "the answer was neither a yes nor a 412"


class GuardProbe:
    """One run of the probe. `required`: a guard that does not hold is a failure."""

    def __init__(
        self, s3: "S3Client", ask: Asking, destination: Location, names: Names, *, required: bool
    ) -> None:
        self._s3: Any = s3  # parameters are put together here, which typed calls cannot follow
        self._ask = ask
        self._destination = destination
        self._corner = Location(destination.bucket, destination.key + CORNER)
        self._run_key = f"{self._corner.key}{uuid4().hex}/"
        self._names = names
        self._required = required
        self._written: dict[tuple[str, str | None], None] = {}

    def run(self) -> list[Finding]:
        """Probe, and clean up whatever happens."""
        if denied := self._cannot_clean_up():
            return [denied]
        found: list[Finding] = []
        try:
            found += self._probe()
        finally:
            found += self._clean_up()
        return found

    def _probe(self) -> list[Finding]:
        found, etag = self._put_objects()
        if etag is None:
            return found
        return [
            *found,
            self._copy(Guard.COPY_ONTO_NOTHING, DESTINATION, IfNoneMatch="*"),
            self._copy(Guard.COPY_OVER, DESTINATION, IfMatch=NOBODYS_ETAG),
            self._copy(Guard.COPY_SOURCE, STRAY, CopySourceIfMatch=NOBODYS_ETAG),
            self._copy_for_good(etag),
            self._delete(),
            self._delete_several(),
        ]

    # --- the ground -------------------------------------------------------------------------------

    def _cannot_clean_up(self) -> Finding | None:
        """Look whether we may delete before anything is put: the probe leaves no litter."""
        answer = self._call("DeleteObject", SOURCE, IfMatch=NOBODYS_ETAG)
        if isinstance(answer, Mapping | NotFound | PreconditionFailed):
            return None
        fault = as_fault("DeleteObject", answer)
        if fault.kind is FaultKind.UNSUPPORTED:
            return None
        found = self._refused("s3:DeleteObject", fault)
        if self._required:
            return found
        return Finding(Level.WARNING, found.subject, found.detail, found.grant, found.hint)

    def _put_objects(self) -> tuple[list[Finding], str | None]:
        """Put the source, then the destination with a tag; also return the source's ETag."""
        source = self._put(SOURCE)
        if not isinstance(source, Mapping):
            fault = as_fault("PutObject", source)
            whole = self._names.objects(self._destination)
            return [refused("s3:PutObject", self._destination, whole, fault, self._names)], None
        found = [granted("s3:PutObject", self._destination)]
        tagged = self._put(DESTINATION, **TAG)
        if isinstance(tagged, Mapping):
            found.append(granted("s3:PutObjectTagging", self._destination))
        else:
            found.append(self._no_tagging(as_fault("PutObject", tagged)))
            self._put(DESTINATION)
        return found, source["ETag"]

    def _no_tagging(self, fault: Fault) -> Finding:
        action = "s3:PutObjectTagging"
        if fault.kind is FaultKind.UNSUPPORTED:
            detail = f"unsupported by this store: {fault}"
            return Finding(Level.WARNING, f"{action} on {self._destination}", detail)
        whole = self._names.objects(self._destination)
        return refused(action, self._destination, whole, fault, self._names)

    # --- the trials -------------------------------------------------------------------------------

    def _copy(self, guard: Guard, to: str, **condition: str) -> Finding:
        answer = self._call("CopyObject", to, CopySource=self._source(), **condition)
        return self._judge(guard, answer, ("s3:GetObject", "s3:PutObject"))

    def _copy_for_good(self, etag: str) -> Finding:
        """Copy as every move begins; a store that refuses this refuses everything."""
        conditions = {"CopySourceIfMatch": etag, "IfNoneMatch": "*"}
        answer = self._call("CopyObject", COPY, CopySource=self._source(), **conditions)
        if isinstance(answer, Mapping):
            return self._guard(Guard.TRUE_CONDITIONS, GuardResult.HOLDS)
        if isinstance(answer, PreconditionFailed):
            told = "refused with 412 all the same"
            return self._guard(Guard.TRUE_CONDITIONS, GuardResult.UNTOLD, told)
        return self._judge(Guard.TRUE_CONDITIONS, answer, ("s3:GetObject", "s3:PutObject"))

    def _delete(self) -> Finding:
        answer = self._call("DeleteObject", DESTINATION, IfMatch=NOBODYS_ETAG)
        return self._judge(Guard.DELETE, answer, ("s3:GetObject", "s3:DeleteObject"))

    def _delete_several(self) -> Finding:
        key = self._run_key + SOURCE
        answer = self._ask(
            "DeleteObjects",
            self._s3.delete_objects,
            Bucket=self._corner.bucket,
            Delete={"Objects": [{"Key": key, "ETag": NOBODYS_ETAG}]},
        )
        if isinstance(answer, Mapping):
            for error in answer.get("Errors", ()):
                answer = reply_to_key_error(error)
        if isinstance(answer, Mapping):
            for done in answer.get("Deleted", ()):
                self._note(SOURCE, done.get("DeleteMarkerVersionId"))
        return self._judge(Guard.DELETE_SEVERAL, answer, ("s3:GetObject", "s3:DeleteObject"))

    def _judge(self, guard: Guard, answer: Answer, actions: tuple[str, ...]) -> Finding:
        if isinstance(answer, PreconditionFailed):
            return self._guard(guard, GuardResult.HOLDS)
        if isinstance(answer, Mapping):
            return self._guard(guard, GuardResult.IGNORED, "done although the condition is false")
        if not isinstance(answer, Fault):
            told = f"{DOUBTFUL}: {type(answer).__name__}"
            return self._guard(guard, GuardResult.UNTOLD, told)
        if answer.kind is FaultKind.UNSUPPORTED:
            return self._guard(guard, GuardResult.UNSUPPORTED, str(answer))
        if is_denied(answer) or kms_grant(answer, self._names):
            return self._refused(actions, answer)
        return self._guard(guard, GuardResult.UNTOLD, str(answer))

    def _guard(self, guard: Guard, result: GuardResult, told: str = "") -> Finding:
        return judge_guard(guard, result, told, required=self._required)

    # --- cleaning up ------------------------------------------------------------------------------

    def _clean_up(self) -> list[Finding]:
        """Delete all that was written; in a versioned bucket every version, if we may."""
        left: list[str] = []
        stay: Fault | None = None
        for name, version in list(self._written):
            answer = self._call("DeleteObject", name, **({"VersionId": version} if version else {}))
            if version and isinstance(answer, Fault) and is_denied(answer):
                stay = answer
                answer = self._call("DeleteObject", name)
            if not isinstance(answer, Mapping | NotFound):
                left.append(f"{self._run_key}{name} ({as_fault('DeleteObject', answer)})")
        return [*self._litter(left), *self._old_versions(stay)]

    def _litter(self, left: list[str]) -> list[Finding]:
        if not left:
            return []
        grant = statement("s3:DeleteObject", self._names.objects(self._corner))
        detail = "left behind: " + ", ".join(left)
        hint = f"delete what is under {self._corner}; nothing else writes there"
        return [Finding(Level.WARNING, "guard probe", detail, grant, hint)]

    def _old_versions(self, why: Fault | None) -> list[Finding]:
        if why is None:
            return []
        detail = "the bucket is versioned: old versions of the probe's few bytes stay behind"
        if is_locked(why):
            detail += ", for Object Lock keeps them until their retention is over"
            return [Finding(Level.OK, "guard probe", detail)]
        grant = statement("s3:DeleteObjectVersion", self._names.objects(self._corner))
        return [Finding(Level.OK, "guard probe", detail, grant, "this grant would take them away")]

    # --- calls ------------------------------------------------------------------------------------

    def _put(self, name: str, **tagging: str) -> Answer:
        metadata = {"guard-probe": name}
        return self._call("PutObject", name, Body=name.encode(), Metadata=metadata, **tagging)

    def _call(self, operation: str, name: str, **parameters: object) -> Answer:
        methods = {
            "PutObject": self._s3.put_object,
            "CopyObject": self._s3.copy_object,
            "DeleteObject": self._s3.delete_object,
        }
        key = self._run_key + name
        at = {"Bucket": self._corner.bucket, "Key": key}
        answer = self._ask(operation, methods[operation], **at, **parameters)
        if isinstance(answer, Mapping) and "VersionId" not in parameters:
            self._note(name, answer.get("VersionId"))
        return answer

    def _note(self, name: str, version: str | None) -> None:
        """Remember what to take away; a version called null goes with its key."""
        self._written[name, None if version == "null" else version] = None

    def _source(self) -> dict[str, str]:
        return {"Bucket": self._corner.bucket, "Key": self._run_key + SOURCE}

    def _refused(self, actions: str | tuple[str, ...], fault: Fault) -> Finding:
        resource = self._names.objects(self._corner)
        return refused(actions, self._corner, resource, fault, self._names)
