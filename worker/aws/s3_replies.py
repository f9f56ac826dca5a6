"""What boto3 says or raises -> the replies of `worker.core.port`.

Codes: "Error responses" in the Amazon S3 API reference; rules 21 to 23c.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from worker.core.port import (
    Conflict,
    Encryption,
    Fault,
    FaultKind,
    NotFound,
    ObjectInfo,
    PreconditionFailed,
    Reply,
)

CREDENTIAL_ERRORS = (
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError, RuntimeError, OSError)
"""What a call may raise. RuntimeError: credentials that were refreshed and are expired still;
OSError: the file or program that they come from is not there; ResponseParserError: an answer that
was cut off, or is a proxy's and no XML."""

NOT_FOUND_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound"})
BARE_NOT_FOUND = "404"
"""All that a HEAD's answer can say. S3's other answers have a code: without one, it is a proxy that
does not find the store, and the object may well be there."""

THROTTLE_CODES = frozenset(
    {
        "503",  # a HEAD's answer has no body that could say SlowDown
        "KMS.ThrottlingException",
        "RequestLimitExceeded",
        "SlowDown",
        "ServiceUnavailable",  # S3 says this, too, where it means SlowDown
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
PASSING_CODES = frozenset(
    {
        BARE_NOT_FOUND,
        "408",  # a proxy's as well
        "InternalError",
        "NoSuchUpload",
        "OperationAborted",
        "RequestTimeout",
    }
)
ACCESS_CODES = frozenset(
    {
        "400",  # a HEAD's answer has no body that could say ExpiredToken
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "IllegalLocationConstraintException",
        "InvalidToken",
        "NoSuchBucket",
        "PermanentRedirect",
        "TokenRefreshRequired",
    }
)

HEADER_NAMES = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "ExpiresString",
)


def reply_to_error(operation: str, error: Exception) -> Reply:
    """Turn one of AWS_ERRORS into a reply; any other exception is raised again."""
    if isinstance(error, ClientError):
        return reply_to_code(
            operation,
            str(error.response.get("Error", {}).get("Code", "")),
            str(error.response.get("Error", {}).get("Message", "")),
            int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
        )
    if is_credential_error(error):
        return Fault(FaultKind.ACCESS, operation, type(error).__name__, str(error))
    if isinstance(error, ParamValidationError):
        return Fault(FaultKind.REFUSED, operation, type(error).__name__, str(error))
    if isinstance(error, BotoCoreError | ResponseParserError):
        return Fault(FaultKind.UNAVAILABLE, operation, type(error).__name__, str(error))
    raise error


def is_credential_error(error: Exception) -> bool:
    """Tell whether there were no credentials to sign with."""
    refreshed_in_vain = isinstance(error, RuntimeError) and "credentials" in str(error)
    # Some of botocore's time-outs are OSErrors as well.
    no_source = isinstance(error, OSError) and not isinstance(error, BotoCoreError)
    return isinstance(error, CREDENTIAL_ERRORS) or refreshed_in_vain or no_source


def reply_to_key_error(error: Mapping[str, Any]) -> Reply:
    """Turn one entry of DeleteObjects' `Errors` into a reply."""
    code = str(error.get("Code", ""))
    return reply_to_code("DeleteObjects", code, str(error.get("Message", "")), 0)


def reply_to_code(operation: str, code: str, message: str, status: int) -> Reply:
    """Turn an error's code into a reply; `status` is HTTP's, 0 where an entry has none."""
    code = code or str(status)  # a proxy's page, or no body at all
    if code in NOT_FOUND_CODES or (code == BARE_NOT_FOUND and operation == "HeadObject"):
        return NotFound()
    if code == "NoSuchUpload" and operation in {"CompleteMultipartUpload", "AbortMultipartUpload"}:
        return NotFound()
    if code in {"PreconditionFailed", "412"}:
        return PreconditionFailed()
    if code in {"ConditionalRequestConflict", "409"} or (
        code == "OperationAborted" and operation in {"CopyObject", "CompleteMultipartUpload"}
    ):
        return Conflict()
    return Fault(_kind(code, status), operation, code, message)


def _kind(code: str, status: int) -> FaultKind:
    if code in THROTTLE_CODES or status == 429:  # noqa: PLR2004 - the standard's own number
        return FaultKind.THROTTLED
    if code == "InvalidObjectState":
        return FaultKind.ARCHIVED
    if code in ACCESS_CODES or code.startswith("KMS.") or status in {301, 401, 403}:
        return FaultKind.ACCESS
    if code in {"AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId", "403"}:
        return FaultKind.ACCESS
    if code == "NotImplemented" or status == 501:  # noqa: PLR2004 - the standard's own number
        return FaultKind.UNSUPPORTED
    if code in PASSING_CODES or status >= 500 or status == 0:  # noqa: PLR2004 - likewise
        return FaultKind.UNAVAILABLE
    return FaultKind.REFUSED


def object_info(response: Mapping[str, Any]) -> ObjectInfo:
    """Read HeadObject's response."""
    return ObjectInfo(
        etag=response["ETag"].strip('"'),
        size=response["ContentLength"],
        last_modified=response["LastModified"].timestamp(),
        headers=tuple(
            (name.removesuffix("String"), response[name])
            for name in HEADER_NAMES
            if response.get(name)
        ),
        metadata=tuple(sorted(response.get("Metadata", {}).items())),
        storage_class=response.get("StorageClass") or "STANDARD",
        encryption=_encryption(response),
        checksum=_checksum(response),
    )


def _encryption(response: Mapping[str, Any]) -> Encryption | None:
    algorithm = response.get("ServerSideEncryption")
    if not algorithm:
        return None
    return Encryption(algorithm, response.get("SSEKMSKeyId"), response.get("BucketKeyEnabled"))


def _checksum(response: Mapping[str, Any]) -> str | None:
    """Return the checksum of the whole object; a composite one depends on how it was cut."""
    if response.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    for name, value in sorted(response.items()):
        if name.startswith("Checksum") and name != "ChecksumType" and value:
            return f"{name.removeprefix('Checksum')}:{value}"
    return None
