"""What S3 spares and refuses when it deletes. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any

Client = Any
"""A boto3 client."""
Answer = dict[str, Any]


Refusal = Callable[..., tuple[int, str]]


def put(s3: Client, bucket: str, key: str) -> str:
    """Put an object; give its ETag."""
    etag: str = s3.put_object(Bucket=bucket, Key=key, Body=b"content")["ETag"]
    return etag


def delete(s3: Client, bucket: str, *objects: dict[str, str], quiet: bool = False) -> Answer:
    """Call DeleteObjects."""
    answer: Answer = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": list(objects), "Quiet": quiet}
    )
    return answer


def test_a_stale_etag_spares_its_key_alone(s3: Client, bucket: str) -> None:
    """DeleteObjects with ETags: the matching key goes, the other stays with PreconditionFailed."""
    etag = put(s3, bucket, "goes")
    put(s3, bucket, "stays")
    answer = delete(s3, bucket, {"Key": "goes", "ETag": etag}, {"Key": "stays", "ETag": '"stale"'})
    assert [each["Key"] for each in answer["Deleted"]] == ["goes"]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("stays", "PreconditionFailed")]
    left = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [each["Key"] for each in left] == ["stays"]


def test_rule_22_a_missing_key_that_was_named_with_an_etag_is_an_error(
    s3: Client, bucket: str
) -> None:
    """DeleteObjects: NoSuchKey with an ETag, success without."""
    answer = delete(s3, bucket, {"Key": "gone", "ETag": '"any"'}, {"Key": "gone-too"})
    assert [each["Key"] for each in answer["Deleted"]] == ["gone-too"]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("gone", "NoSuchKey")]


def test_a_quiet_delete_tells_errors_only(s3: Client, bucket: str) -> None:
    """DeleteObjects with Quiet gives no Deleted."""
    etag = put(s3, bucket, "goes")
    answer = delete(s3, bucket, {"Key": "goes", "ETag": etag}, quiet=True)
    assert "Deleted" not in answer
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_rule_22_a_conditional_delete_of_a_version_is_not_implemented(
    s3: Client, versioned: str, refusal: Refusal
) -> None:
    """DeleteObject with IfMatch and VersionId: 501, and the version stays."""
    made = s3.put_object(Bucket=versioned, Key="a", Body=b"content")
    wanted = {"Bucket": versioned, "Key": "a", "VersionId": made["VersionId"]}
    assert refusal(s3.delete_object, **wanted, IfMatch=made["ETag"]) == (501, "NotImplemented")
    assert s3.head_object(**wanted)["ContentLength"] == 7


def test_rule_23a_a_control_character_spoils_the_whole_document(
    s3: Client, bucket: str, refusal: Refusal
) -> None:
    """DeleteObjects with such a key: MalformedXML, and the other key stays as well."""
    put(s3, bucket, "other")
    objects = [{"Key": "other"}, {"Key": "bell\x07"}]
    refused = refusal(s3.delete_objects, Bucket=bucket, Delete={"Objects": objects})
    assert refused == (400, "MalformedXML")
    assert s3.head_object(Bucket=bucket, Key="other")["ContentLength"] == 7


def test_more_than_a_thousand_keys_are_refused(s3: Client, bucket: str, refusal: Refusal) -> None:
    """DeleteObjects of 1,001 keys: MalformedXML."""
    objects = [{"Key": str(number)} for number in range(1001)]
    refused = refusal(s3.delete_objects, Bucket=bucket, Delete={"Objects": objects})
    assert refused == (400, "MalformedXML")


def test_a_carriage_return_in_a_key_comes_back_as_it_was(s3: Client, bucket: str) -> None:
    """DeleteObjects names what it deleted byte for byte."""
    etag = put(s3, bucket, "one\rtwo")
    answer = delete(s3, bucket, {"Key": "one\rtwo", "ETag": etag})
    assert [each["Key"] for each in answer["Deleted"]] == ["one\rtwo"]
