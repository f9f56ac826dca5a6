"""Deletes every file, version and unfinished upload of a bucket that is to go."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from provision.aws.calls import unless_gone
from provision.errors import PartialError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_GONE_CODES: Final = frozenset({"NoSuchUpload", "NoSuchBucket"})


def empty(s3: "S3Client", bucket: str) -> Iterator[int]:
    """Delete all there is, a page at a time; yields how many are gone so far.

    Pages hold 1,000 at most (DeleteObjects' limit). A bucket that is gone is empty. Raises
    PartialError for what S3 will not delete (Object Lock), ClientError for the rest.
    """
    gone = 0
    while page := unless_gone(lambda: s3.list_object_versions(Bucket=bucket)):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not listed:
            break
        _delete(
            s3, bucket, [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]
        )
        gone += len(listed)
        yield gone
    _abort_uploads(s3, bucket)


def _delete(s3: "S3Client", bucket: str, versions: list[dict[str, str]]) -> None:
    # One control character in a key would make the whole document malformed (rule 23a).
    odd = [each for each in versions if not each["Key"].isprintable()]
    for each in odd:
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    usual: list[Any] = [each for each in versions if each not in odd]
    if not usual:
        return
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": usual, "Quiet": True})
    if errors := answer.get("Errors"):
        raise PartialError(
            f"{bucket}: {errors[0].get('Key')}: {errors[0].get('Message')}",
            "what Object Lock keeps can go when its retention is over: run it again then; otherwise"
            " look at the bucket's policy",
        )


def _abort_uploads(s3: "S3Client", bucket: str) -> None:
    while listed := unless_gone(lambda: s3.list_multipart_uploads(Bucket=bucket)):
        uploads = listed.get("Uploads", [])
        for each in uploads:
            place: Any = {"Bucket": bucket, "Key": each["Key"], "UploadId": each["UploadId"]}
            unless_gone(partial(s3.abort_multipart_upload, **place), UPLOAD_GONE_CODES)
        if not uploads:
            return
