"""The S3 port over boto3, whose calls block: a pool of threads carries the requests out.

Throttling and passing faults are tried again here, with jitter, so that they cost a message none of
its receipts; every try is reported to the observer, which paces the whole worker.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tenacity import RetryCallState, Retrying, retry_if_result, wait_random_exponential

from worker.aws.s3_replies import AWS_ERRORS, object_info, reply_to_error, reply_to_key_error
from worker.core.port import (
    Aborted,
    AbortMultipartUpload,
    CompleteMultipartUpload,
    Copied,
    CopyObject,
    CreateMultipartUpload,
    Deleted,
    DeleteObject,
    DeleteObjects,
    Encryption,
    Fault,
    FaultKind,
    GetObjectTagging,
    HeadObject,
    Location,
    Part,
    Replies,
    Reply,
    Request,
    Tags,
    Together,
    UploadCreated,
    UploadPartCopy,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_TRIES = 6
"""Of one request: with the waits below three seconds at most, well inside any lease."""

THROTTLED_TRIES = 24
"""Of one that S3 throttles: a minute and a half at most. It will be done, the lease is renewed
meanwhile, and giving it up would cost the message a receipt."""

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 4.0
"""Full jitter up to twice the last wait, and to this, as AWS's builders' library advises."""

Observer = Callable[[Reply], None]
"""Called from a pool thread with the reply to every single try."""


class BotoS3:
    """Carries out the requests of `worker.core.port` with a boto3 client whose own retries are off.

    `sleep` takes seconds. `conditions` False leaves all conditions away: for a store that knows
    none, by GUARDS=best-effort only.
    """

    def __init__(
        self,
        client: "S3Client",
        pool: ThreadPoolExecutor,
        sleep: Callable[[float], None],
        *,
        conditions: bool = True,
    ) -> None:
        self._client: Any = client  # typed calls cannot leave a parameter away
        self._pool = pool
        self._observer: Observer = lambda _: None
        self._conditions = conditions
        self._tries = Retrying(
            retry=retry_if_result(passes),
            wait=wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS),
            stop=_is_tried_enough,
            sleep=sleep,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )

    def observe(self, observer: Observer) -> None:
        """Tell the observer of every try from now on."""
        self._observer = observer

    def submit(self, request: Request) -> "Future[Reply]":
        """Start the request; the future brings its reply, and raises only for a fault of ours."""
        if isinstance(request, Together):
            return _gather([self.submit(each) for each in request.requests])
        return self._pool.submit(self.perform, request)

    def perform(self, request: Request) -> Reply:
        """Carry the request out in this thread, trying again what passes."""
        if isinstance(request, Together):
            return Replies(tuple(self.perform(each) for each in request.requests))
        if isinstance(request, DeleteObjects):
            return self._perform_deletes(request)
        reply: Reply = self._tries(self._try, request)
        return reply

    def _perform_deletes(self, request: DeleteObjects) -> Reply:
        """Delete; keys that failed in passing, and those alone, are tried again."""
        known: dict[DeleteObject, Reply] = {}

        def attempt() -> Reply:
            left = tuple(each for each in request.deletes if passes(known.get(each)))
            reply = self._try(DeleteObjects(left))
            told = reply.replies if isinstance(reply, Replies) else (reply,) * len(left)
            known.update(zip(left, told, strict=True))
            answers = tuple(known[each] for each in request.deletes)
            return reply if set(answers) == {reply} else Replies(answers)

        deleted: Reply = self._tries(attempt)
        return deleted

    def _try(self, request: Request) -> Reply:
        operation = type(request).__name__
        try:
            reply = self._call(request)
        except AWS_ERRORS as error:
            reply = reply_to_error(operation, error)
        self._observer(reply)
        return reply

    def _call(self, request: Request) -> Reply:  # noqa: C901 - one case a request
        match request:
            case CopyObject():
                return self._copy(request)
            case DeleteObject(location, etag):
                self._client.delete_object(**_at(location), **self._if(IfMatch=etag))
                return Deleted()
            case DeleteObjects(deletes):
                return self._delete_several(deletes)
            case HeadObject(location):
                return object_info(
                    self._client.head_object(**_at(location), ChecksumMode="ENABLED")
                )
            case GetObjectTagging(location):
                tags = self._client.get_object_tagging(**_at(location))["TagSet"]
                return Tags(tuple((tag["Key"], tag["Value"]) for tag in tags))
            case CreateMultipartUpload():
                return self._create_upload(request)
            case UploadPartCopy():
                return self._copy_part(request)
            case CompleteMultipartUpload():
                return self._complete_upload(request)
            case AbortMultipartUpload(destination, upload_id):
                self._client.abort_multipart_upload(**_at(destination), UploadId=upload_id)
                return Aborted()
            case Together():
                return self.perform(request)

    def _if(self, **conditions: str | None) -> dict[str, str]:
        """Return the conditions as parameters: ETags in quotes, None and `*` understood."""
        if not self._conditions:
            return {}
        return {
            name: "*" if etag == "*" else f'"{etag}"'
            for name, etag in conditions.items()
            if etag is not None
        }

    def _if_destination(self, etag: str | None) -> dict[str, str]:
        return self._if(IfNoneMatch="*") if etag is None else self._if(IfMatch=etag)

    def _copy(self, request: CopyObject) -> Reply:
        response = self._client.copy_object(
            **_at(request.destination),
            CopySource=_source(request.source),
            **self._if(CopySourceIfMatch=request.source_etag),
            **self._if_destination(request.destination_etag),
            **_storage(request.storage_class, request.encryption),
        )
        return Copied(response["CopyObjectResult"]["ETag"].strip('"'))

    def _delete_several(self, deletes: tuple[DeleteObject, ...]) -> Reply:
        response = self._client.delete_objects(
            Bucket=deletes[0].location.bucket,
            Delete={
                "Objects": [
                    {"Key": delete.location.key, **self._if(ETag=delete.etag)} for delete in deletes
                ]
            },
        )
        replies: dict[str, Reply] = {
            error["Key"]: reply_to_key_error(error) for error in response.get("Errors", ())
        }
        replies |= {done["Key"]: Deleted() for done in response.get("Deleted", ())}
        unsaid = Fault(FaultKind.UNAVAILABLE, "DeleteObjects", "NotTold", "no word of this key")
        return Replies(tuple(replies.get(delete.location.key, unsaid) for delete in deletes))

    def _create_upload(self, request: CreateMultipartUpload) -> Reply:
        algorithm = (request.info.checksum or "").partition(":")[0]
        checksum = (
            {"ChecksumAlgorithm": algorithm, "ChecksumType": "FULL_OBJECT"}
            if algorithm.startswith("CRC")
            else {}
        )
        response = self._client.create_multipart_upload(
            **_at(request.destination),
            **dict(request.info.headers),
            **checksum,
            **_storage(request.storage_class, request.encryption),
            Metadata=dict(request.info.metadata),
            **({"Tagging": urlencode(request.tags, quote_via=quote)} if request.tags else {}),
        )
        return UploadCreated(response["UploadId"])

    def _copy_part(self, request: UploadPartCopy) -> Reply:
        response = self._client.upload_part_copy(
            **_at(request.destination),
            UploadId=request.upload_id,
            PartNumber=request.number,
            CopySource=_source(request.source),
            CopySourceRange=f"bytes={request.first_byte}-{request.last_byte}",
            **self._if(CopySourceIfMatch=request.source_etag),
        )
        return Part(request.number, response["CopyPartResult"]["ETag"].strip('"'))

    def _complete_upload(self, request: CompleteMultipartUpload) -> Reply:
        response = self._client.complete_multipart_upload(
            **_at(request.destination),
            UploadId=request.upload_id,
            MultipartUpload={
                "Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in request.parts]
            },
            **self._if_destination(request.destination_etag),
        )
        return Copied(response["ETag"].strip('"'))


def most_tries(reply: Reply) -> int:
    """Return how often a request is tried whose last try brought this reply."""
    replies = reply.replies if isinstance(reply, Replies) else (reply,)
    throttled = any(
        isinstance(each, Fault) and each.kind is FaultKind.THROTTLED for each in replies
    )
    return THROTTLED_TRIES if throttled else MAX_TRIES


def _is_tried_enough(state: RetryCallState) -> bool:
    return state.outcome is None or state.attempt_number >= most_tries(state.outcome.result())


def passes(reply: Reply | None) -> bool:
    """Tell whether it is worth another try; None: it has not been tried yet."""
    if isinstance(reply, Replies):
        return any(map(passes, reply.replies))
    passing = {FaultKind.THROTTLED, FaultKind.UNAVAILABLE}
    return reply is None or (isinstance(reply, Fault) and reply.kind in passing)


def _at(location: Location) -> dict[str, str]:
    return {"Bucket": location.bucket, "Key": location.key}


def _source(location: Location) -> dict[str, str]:
    return {"Bucket": location.bucket, "Key": location.key}


def _storage(storage_class: str | None, encryption: Encryption | None) -> dict[str, object]:
    parameters = {
        "StorageClass": storage_class,
        "ServerSideEncryption": encryption.algorithm if encryption else None,
        "SSEKMSKeyId": encryption.kms_key_id if encryption else None,
        "BucketKeyEnabled": encryption.bucket_key if encryption else None,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _gather(futures: "list[Future[Reply]]") -> "Future[Reply]":
    """Return a future of all the replies, done with the last of them; no thread waits for it."""
    gathered: Future[Reply] = Future()
    if not futures:
        gathered.set_result(Replies(()))
    waiting = len(futures)
    lock = Lock()

    def note(_: "Future[Reply]") -> None:
        nonlocal waiting
        with lock:
            waiting -= 1
            if waiting:
                return
        try:
            gathered.set_result(Replies(tuple(future.result() for future in futures)))
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            gathered.set_exception(error)

    for future in futures:
        future.add_done_callback(note)
    return gathered
