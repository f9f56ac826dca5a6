"""What S3 tells, in which form. Every test here fails on plain moto."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Client = Any
"""A boto3 client."""
Chain = Any
"""conftest's: bucket, topic, queue."""


def put(
    s3: Client, bucket: str, key: str = "uploads/a", body: bytes = b"content"
) -> dict[str, Any]:
    """Put an object; give S3's answer."""
    answer: dict[str, Any] = s3.put_object(Bucket=bucket, Key=key, Body=body)
    return answer


def test_rule_19_a_key_is_url_encoded_with_plus_for_space(s3: Client, chain: Chain) -> None:
    """Slashes stay, a space becomes a plus, a plus and a letter beyond ASCII are in percents."""
    put(s3, chain.bucket, "uploads/a b+ü/c")
    [record] = chain.records()
    assert record["s3"]["object"]["key"] == "uploads/a+b%2B%C3%BC/c"


def test_rule_18_a_later_event_has_a_greater_sequencer(s3: Client, chain: Chain) -> None:
    """`sequencer` is hexadecimal and orders the events of one key."""
    for body in (b"one", b"two", b"three"):
        put(s3, chain.bucket, body=body)
    records = [record["s3"]["object"] for record in chain.records()]
    in_order = sorted(records, key=lambda each: str(each["sequencer"]))
    assert [each["size"] for each in in_order] == [3, 3, 5]
    assert all(int(each["sequencer"], 16) for each in records)


def test_an_event_has_all_fields_of_the_public_form(s3: Client, chain: Chain) -> None:
    """Who, from where, which request, which rule: as the user guide lists them."""
    etag = put(s3, chain.bucket)["ETag"]
    [record] = chain.records()
    assert record["eventVersion"] >= "2.1"
    assert {"userIdentity", "requestParameters", "responseElements"} <= record.keys()
    assert record["s3"]["configurationId"] == "ours"
    assert record["s3"]["bucket"]["ownerIdentity"]["principalId"]
    assert record["s3"]["object"]["eTag"] == etag.strip('"')


def test_a_versioned_bucket_tells_the_version(s3: Client, versioned: str, chain: Chain) -> None:
    """`versionId` is that of the new version."""
    made = put(s3, versioned)
    [record] = chain.records()
    assert record["s3"]["object"]["versionId"] == made["VersionId"]


def test_an_upload_in_parts_is_told_once(s3: Client, chain: Chain) -> None:
    """CompleteMultipartUpload: one event, with the ETag and the size of the whole."""
    upload = s3.create_multipart_upload(Bucket=chain.bucket, Key="uploads/big")["UploadId"]
    named = {"Bucket": chain.bucket, "Key": "uploads/big", "UploadId": upload}
    part = s3.upload_part(**named, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    etag = s3.complete_multipart_upload(**named, MultipartUpload=parts)["ETag"]
    [record] = chain.records()
    assert record["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    stored = record["s3"]["object"]
    assert (stored["size"], stored["eTag"]) == (4, etag.strip('"'))


def test_a_delete_in_a_versioned_bucket_tells_its_marker(
    s3: Client, versioned: str, chain: Chain, rule_for: Callable[..., Any]
) -> None:
    """ObjectRemoved:DeleteMarkerCreated, with the marker's version and no size."""
    removed = rule_for(chain.topic, Events=["s3:ObjectRemoved:*"])
    s3.put_bucket_notification_configuration(
        Bucket=versioned, NotificationConfiguration={"TopicConfigurations": [removed]}
    )
    chain.messages()
    put(s3, versioned)
    marker = s3.delete_object(Bucket=versioned, Key="uploads/a")["VersionId"]
    [record] = chain.records()
    assert record["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    assert record["s3"]["object"]["versionId"] == marker
    assert "size" not in record["s3"]["object"]


def test_an_event_has_the_subject_that_s3_gives_it(s3: Client, chain: Chain) -> None:
    """SNS's envelope says "Amazon S3 Notification"."""
    put(s3, chain.bucket)
    [message] = chain.messages()
    assert message["Subject"] == "Amazon S3 Notification"


def test_rule_11_the_test_event_has_the_subject_too(
    s3: Client, chain: Chain, rule_for: Callable[..., Any]
) -> None:
    """Putting the configuration again sends an s3:TestEvent, without Records."""
    s3.put_bucket_notification_configuration(
        Bucket=chain.bucket,
        NotificationConfiguration={"TopicConfigurations": [rule_for(chain.topic)]},
    )
    [message] = chain.messages()
    assert message["Subject"] == "Amazon S3 Notification"
    assert '"s3:TestEvent"' in message["Message"]
    assert "Records" not in message["Message"]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).map(
        lambda t: t[:60]
    )
)
def test_rule_19_every_key_is_told_so_that_it_can_be_read_back(
    s3: Client, chain: Chain, tail: str
) -> None:
    """Whatever the key, unquoting what the event says gives it back, slashes in the clear."""
    put(s3, chain.bucket, f"uploads/x/{tail}")
    [record] = chain.records()
    told = record["s3"]["object"]["key"]
    assert told.startswith("uploads/x/")
    assert unquote_plus(told) == f"uploads/x/{tail}"
