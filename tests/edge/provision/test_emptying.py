"""A bucket that is to go is emptied: files, versions, markers, unfinished uploads."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.provision_world import World

from provision.aws.emptying import empty
from provision.errors import PartialError


@pytest.fixture
def bucket(world: World) -> str:
    """Give the bucket of a stack, with a bit of everything in it."""
    world.apply()
    name, s3 = world.blueprint.names.bucket, world.aws.s3
    for key in ("uploads/a", "uploads/a", "uploads/b\x01c", "uploads/\u00fc +%"):
        s3.put_object(Bucket=name, Key=key, Body=b"content")
    s3.delete_object(Bucket=name, Key="uploads/a")
    s3.create_multipart_upload(Bucket=name, Key="uploads/unfinished")
    return name


def test_a_bucket_with_files_is_not_deleted(world: World, bucket: str) -> None:
    """S3 refuses; nothing is lost by a destroy that was not told to."""
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        world.destroy()
    assert world.aws.s3.list_object_versions(Bucket=bucket)["Versions"]
    list(empty(world.aws.s3, bucket))


def test_rule_23a_everything_in_it_goes_odd_keys_as_well(world: World, bucket: str) -> None:
    """Versions, delete markers and uploads; a key with a control character goes by itself."""
    assert list(empty(world.aws.s3, bucket)) == [5]
    assert "Uploads" not in world.aws.s3.list_multipart_uploads(Bucket=bucket)
    world.destroy()
    assert list(empty(world.aws.s3, bucket)) == [], "what is gone is empty"


def test_rule_23d_what_object_lock_keeps_is_named_and_goes_once_its_time_is_over(
    world: World,
) -> None:
    """The command says to be run again then; and then all of it goes."""
    world.apply()
    bucket, s3 = world.blueprint.names.bucket, world.aws.s3
    rule: Any = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    lock: Any = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    s3.put_object(Bucket=bucket, Key="processed/kept", Body=b"content")
    with pytest.raises(PartialError, match=r"processed/kept.*object lock") as caught:
        list(empty(s3, bucket))
    assert "retention is over" in caught.value.hint
    world.region.clock.advance(24 * 3600)
    assert sum(empty(s3, bucket))
    world.destroy()
