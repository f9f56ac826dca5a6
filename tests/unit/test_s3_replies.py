"""What botocore raises, as replies: each code of S3's in its kind."""

import datetime as dt

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from worker.aws.s3_replies import object_info, reply_to_error, reply_to_key_error
from worker.core.port import (
    Conflict,
    Encryption,
    Fault,
    FaultKind,
    NotFound,
    PreconditionFailed,
    Reply,
)


def error(code: str, status: int) -> ClientError:
    """Make the exception that botocore raises."""
    response = {
        "Error": {"Code": code, "Message": "as S3 says"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Operation")  # type: ignore[arg-type]  # the rest is left away


@pytest.mark.parametrize(
    ("operation", "code", "status", "reply"),
    [
        ("HeadObject", "404", 404, NotFound()),
        ("HeadObject", "NoSuchKey", 404, NotFound()),
        ("CopyObject", "NoSuchKey", 404, NotFound()),
        ("CompleteMultipartUpload", "NoSuchUpload", 404, NotFound()),
        ("AbortMultipartUpload", "NoSuchUpload", 404, NotFound()),
        ("CopyObject", "PreconditionFailed", 412, PreconditionFailed()),
        ("CopyObject", "PreconditionFailed", 500, PreconditionFailed()),  # in a 200's body
        ("HeadObject", "412", 412, PreconditionFailed()),
        ("CopyObject", "ConditionalRequestConflict", 409, Conflict()),
        ("CompleteMultipartUpload", "ConditionalRequestConflict", 409, Conflict()),
        ("CopyObject", "OperationAborted", 409, Conflict()),
        ("DeleteObject", "409", 409, Conflict()),
    ],
)
def test_answers_that_are_no_faults(operation: str, code: str, status: int, reply: Reply) -> None:
    """What the move itself knows how to go on from (rules 21 to 23c)."""
    assert reply_to_error(operation, error(code, status)) == reply


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SlowDown", 503, FaultKind.THROTTLED),
        ("SlowDown", 500, FaultKind.THROTTLED),  # in a 200's body, as botocore shows it
        ("ServiceUnavailable", 503, FaultKind.THROTTLED),
        ("503", 503, FaultKind.THROTTLED),  # a HEAD's, without a body
        ("429", 429, FaultKind.THROTTLED),
        ("KMS.ThrottlingException", 400, FaultKind.THROTTLED),
        ("InternalError", 500, FaultKind.UNAVAILABLE),
        ("500", 500, FaultKind.UNAVAILABLE),
        ("502", 502, FaultKind.UNAVAILABLE),
        ("408", 408, FaultKind.UNAVAILABLE),
        ("RequestTimeout", 400, FaultKind.UNAVAILABLE),
        ("AccessDenied", 403, FaultKind.ACCESS),
        ("403", 403, FaultKind.ACCESS),
        ("400", 400, FaultKind.ACCESS),  # a HEAD's: an expired token has no body to say so
        ("ExpiredToken", 400, FaultKind.ACCESS),
        ("InvalidAccessKeyId", 403, FaultKind.ACCESS),
        ("SignatureDoesNotMatch", 403, FaultKind.ACCESS),
        ("RequestTimeTooSkewed", 403, FaultKind.ACCESS),
        ("NoSuchBucket", 404, FaultKind.ACCESS),
        ("301", 301, FaultKind.ACCESS),
        ("PermanentRedirect", 301, FaultKind.ACCESS),
        ("IllegalLocationConstraintException", 400, FaultKind.ACCESS),
        ("KMS.DisabledException", 400, FaultKind.ACCESS),
        ("InvalidObjectState", 403, FaultKind.ARCHIVED),
        ("NotImplemented", 501, FaultKind.UNSUPPORTED),
        ("KeyTooLongError", 400, FaultKind.REFUSED),
        ("InvalidRequest", 400, FaultKind.REFUSED),
        ("MalformedXML", 400, FaultKind.REFUSED),
        ("EntityTooSmall", 400, FaultKind.REFUSED),
    ],
)
def test_faults_by_kind(code: str, status: int, kind: FaultKind) -> None:
    """What is done about it depends on the kind alone."""
    reply = reply_to_error("HeadObject", error(code, status))
    assert reply == Fault(kind, "HeadObject", code, "as S3 says")


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (NoCredentialsError(), FaultKind.ACCESS),
        (TokenRetrievalError(provider="sso", error_msg="expired"), FaultKind.ACCESS),
        (
            RuntimeError("Credentials were refreshed, but the refreshed credentials are expired."),
            FaultKind.ACCESS,
        ),
        (FileNotFoundError(2, "No such file or directory", "token"), FaultKind.ACCESS),
        (ParamValidationError(report="no"), FaultKind.REFUSED),
        (ConnectTimeoutError(endpoint_url="u"), FaultKind.UNAVAILABLE),
        (EndpointConnectionError(endpoint_url="u"), FaultKind.UNAVAILABLE),
        (ReadTimeoutError(endpoint_url="u"), FaultKind.UNAVAILABLE),
        (ResponseParserError("cut off"), FaultKind.UNAVAILABLE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_never_reached_s3(raised: Exception, kind: FaultKind) -> None:
    """Credentials are a person's business, the network passes."""
    reply = reply_to_error("CopyObject", raised)
    assert isinstance(reply, Fault)
    assert (reply.kind, reply.code) == (kind, type(raised).__name__)


@pytest.mark.parametrize("raised", [KeyError("ours"), RuntimeError("cannot schedule new futures")])
def test_a_fault_of_ours_is_raised_again(raised: Exception) -> None:
    """A slip in our own code must not look like S3's word."""
    with pytest.raises(type(raised)):
        reply_to_error("CopyObject", raised)


@given(st.text(max_size=20), st.integers(0, 599), st.sampled_from(["CopyObject", "HeadObject"]))
def test_any_code_and_status_have_a_reply(code: str, status: int, operation: str) -> None:
    """S3 may say something that nobody has heard of yet."""
    reply = reply_to_error(operation, error(code, status))
    assert isinstance(reply, Fault | NotFound | PreconditionFailed | Conflict)
    if isinstance(reply, Fault) and status >= 500 and status != 501:
        assert reply.kind is not FaultKind.REFUSED


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        ("NoSuchKey", NotFound()),
        ("PreconditionFailed", PreconditionFailed()),
        ("AccessDenied", Fault(FaultKind.ACCESS, "DeleteObjects", "AccessDenied", "m")),
        ("InternalError", Fault(FaultKind.UNAVAILABLE, "DeleteObjects", "InternalError", "m")),
        ("SlowDown", Fault(FaultKind.THROTTLED, "DeleteObjects", "SlowDown", "m")),
        ("NeverHeardOf", Fault(FaultKind.UNAVAILABLE, "DeleteObjects", "NeverHeardOf", "m")),
    ],
)
def test_a_single_keys_error_within_a_delete_of_several(code: str, reply: Reply) -> None:
    """There is no HTTP status for one key: the code has to do."""
    assert reply_to_key_error({"Key": "k", "Code": code, "Message": "m"}) == reply


def test_a_heads_answer_is_read_whole() -> None:
    """Headers by boto3's names, metadata, class, encryption, checksum of the whole object."""
    info = object_info(
        {
            "ETag": '"e"',
            "ContentLength": 3,
            "LastModified": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            "ContentType": "text/plain",
            "ExpiresString": "Thu, 01 Jan 2026 00:00:00 GMT",
            "Metadata": {"b": "2", "a": "1"},
            "StorageClass": "STANDARD_IA",
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": "arn:key",
            "BucketKeyEnabled": True,
            "ChecksumCRC64NVME": "c",
            "ChecksumType": "FULL_OBJECT",
        }
    )
    assert (info.etag, info.size, info.last_modified) == ("e", 3, 1_767_225_600.0)
    assert dict(info.headers) == {
        "ContentType": "text/plain",
        "Expires": "Thu, 01 Jan 2026 00:00:00 GMT",
    }
    assert info.metadata == (("a", "1"), ("b", "2"))
    assert info.storage_class == "STANDARD_IA"
    assert info.encryption == Encryption("aws:kms", "arn:key", bucket_key=True)
    assert info.checksum == "CRC64NVME:c"


def test_a_composite_checksum_tells_nothing_about_the_object() -> None:
    """It depends on how the upload was cut; and a bare answer is read as well."""
    bare = {
        "ETag": '"e"',
        "ContentLength": 0,
        "LastModified": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }
    composite = object_info({**bare, "ChecksumSHA256": "c-2", "ChecksumType": "COMPOSITE"})
    assert composite.checksum is None
    assert object_info(bare).storage_class == "STANDARD"
    assert object_info(bare).encryption is None
