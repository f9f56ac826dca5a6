"""A bucket that is to go is emptied: files, versions, markers, unfinished uploads."""

import pytest
from botocore.exceptions import ClientError
from support.provision_world import World

from provision.aws.emptying import empty


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
