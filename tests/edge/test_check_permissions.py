"""`worker check` where permissions are missing: each is named, with the statement that grants it.

Denials are moto's own IAM where it can; the 403s that only S3 gives and KMS's refusals come from a
hook of botocore's that answers in the server's place.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from support.check_world import (
    BUCKET,
    Person,
    Refusal,
    World,
    check,
    make_world,
    no_wait,
    permissions_count,
    worst,
)

from worker.aws.checks import run_checks
from worker.operator.preflight import GuardResult, Level, as_json

NEEDED = (
    *((f"sqs:{action}", "queue") for action in ("ReceiveMessage", "DeleteMessage")),
    *((f"sqs:{action}", "queue") for action in ("ChangeMessageVisibility", "GetQueueAttributes")),
    *((f"s3:{action}", "source") for action in ("GetObject", "GetObjectTagging", "DeleteObject")),
    *((f"s3:{action}", "destination") for action in ("GetObject", "PutObject")),
    ("s3:AbortMultipartUpload", "destination"),
    ("s3:PutObjectTagging", "destination"),
    ("s3:DeleteObject", "corner"),
    ("s3:DeleteObjectVersion", "corner"),
    ("s3:ListBucket", "bucket"),
)
UNSEEN = (("s3:PutObjectTagging", "destination"), ("s3:DeleteObjectVersion", "corner"))
"""Permissions that moto does not look at; tests of their own answer in S3's place."""

RESOURCES = {
    "queue": "arn:aws:sqs:us-east-2:123456789012:uploads",
    "bucket": "arn:aws:s3:::files",
    "source": "arn:aws:s3:::files/uploads/*",
    "destination": "arn:aws:s3:::files/processed/*",
    "corner": "arn:aws:s3:::files/processed/.guard-probe/*",
}
IDENTITY = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an honest AWS with a bucket and a queue."""
    with make_world(monkeypatch) as made:
        yield made


@pytest.mark.parametrize(("action", "place"), [each for each in NEEDED if each not in UNSEEN])
def test_a_missing_permission_is_named_with_its_grant(
    world: World, monkeypatch: pytest.MonkeyPatch, action: str, place: str
) -> None:
    """Take one permission away: one statement is proposed, for that action and that resource."""
    person = Person(world, monkeypatch)
    person.may([IDENTITY, *(_allow(a, p) for a, p in NEEDED if (a, p) != (action, place))])

    with permissions_count(world):
        found = run_checks(person.settings, person.clients, no_wait)

    lacking = [each for each in found if each.level is not Level.OK]
    grants = [each.grant for each in lacking if each.grant]
    assert any(
        grant["Resource"] == RESOURCES[place] and action in str(grant["Action"]) for grant in grants
    )
    assert {grant["Resource"] for grant in grants} <= {RESOURCES[place], RESOURCES["corner"]}


def _allow(action: str, place: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": RESOURCES[place]}


def test_granting_what_is_proposed_ends_in_a_check_without_failures(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From no permission at all: apply the proposed policy, check again, and so on."""
    person = Person(world, monkeypatch)
    statements: list[object] = [IDENTITY]
    for _ in range(5):
        person.may(statements)
        with permissions_count(world):
            report = as_json(run_checks(person.settings, person.clients, no_wait))
        if report["policy"] is None:
            break
        assert isinstance(report["policy"], dict)
        statements += report["policy"]["Statement"]

    assert report["ok"]
    assert {str(each["Resource"]) for each in statements[1:] if isinstance(each, dict)} <= set(
        RESOURCES.values()
    )


def test_rule_21_403_for_a_missing_key_without_list_bucket_leaves_get_object_untold(
    world: World,
) -> None:
    """Rule 21: only s3:ListBucket is known to be missing; s3:GetObject may be there."""
    found = check(world, {"s3.ListObjectsV2": Refusal(), "s3.HeadObject": Refusal()})

    listing = found["s3:ListBucket on s3://files/uploads/"]
    assert listing.level is Level.FAILURE
    assert listing.grant == _grant("s3:ListBucket", "arn:aws:s3:::files")
    assert found["s3:GetObject on s3://files/uploads/"].level is Level.WARNING
    assert "cannot be told" in found["s3:GetObject on s3://files/uploads/"].detail


def test_rule_21_403_for_a_missing_key_with_list_bucket_means_get_object(world: World) -> None:
    """Rule 21: with s3:ListBucket there, a 403 can only be s3:GetObject's."""
    found = check(world, {"s3.HeadObject": Refusal()})

    reading = found["s3:GetObject on s3://files/uploads/"]
    assert reading.level is Level.FAILURE
    assert reading.grant == _grant("s3:GetObject", "arn:aws:s3:::files/uploads/*")
    assert found["s3:ListBucket on s3://files/uploads/"].level is Level.OK


def test_a_listing_that_is_denied_only_warns_while_missing_keys_read_404(world: World) -> None:
    """Moves see what they must; it is `worker sweep` that cannot list."""
    found = check(world, {"s3.ListObjectsV2": Refusal()})

    assert found["s3:ListBucket on s3://files/uploads/"].level is Level.WARNING
    assert "sweep" in found["s3:ListBucket on s3://files/uploads/"].detail
    assert worst(found) == []


def test_tagging_is_told_from_putting(world: World) -> None:
    """A put that fails only with a tag names s3:PutObjectTagging, and the probe goes on."""
    found = check(world, {"s3.PutObject": Refusal(header="x-amz-tagging")})

    assert worst(found) == ["s3:PutObjectTagging on s3://files/processed/"]
    assert found["guard: CopyObject If-None-Match"].guard is GuardResult.HOLDS


def test_a_probe_that_could_not_clean_up_is_not_begun(world: World) -> None:
    """Without s3:DeleteObject in its corner nothing is put there."""
    found = check(world, {"s3.DeleteObject": Refusal()})

    corner = found["s3:DeleteObject on s3://files/processed/.guard-probe/"]
    assert corner.grant == _grant("s3:DeleteObject", RESOURCES["corner"])
    assert world.aws.requests["PutObject"] == 0


def test_old_versions_that_may_not_be_deleted_are_told(world: World) -> None:
    """Without s3:DeleteObjectVersion the probe's objects go the plain way, and it says so."""
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    found = check(world, {"s3.DeleteObject": Refusal(in_url="versionId=")})

    assert found["guard probe"].level is Level.OK
    assert found["guard probe"].grant == _grant("s3:DeleteObjectVersion", RESOURCES["corner"])
    assert "Contents" not in world.s3.list_objects_v2(Bucket=BUCKET)


def test_rule_23d_old_versions_that_object_lock_keeps_are_told_as_such(world: World) -> None:
    """No grant would take them away; nothing of the probe is seen any more."""
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    rule: Any = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    lock: Any = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    world.s3.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=lock)

    found = check(world, {})

    assert [each for each in found.values() if each.level is not Level.OK] == []
    assert "Object Lock" in found["guard probe"].detail
    assert found["guard probe"].grant is None
    assert "Contents" not in world.s3.list_objects_v2(Bucket=BUCKET)


def test_kms_is_named_with_its_key_and_both_actions(world: World) -> None:
    """S3 passes KMS's refusal on as AccessDenied; the grant is for the key that it names."""
    key = "arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    message = f"User is not authorized to perform: kms:GenerateDataKey on resource: {key}"

    found = check(world, {"s3.PutObject": Refusal(message=message)})

    refused = found["s3:PutObject on s3://files/processed/"]
    assert refused.detail.startswith("KMS refused")
    assert refused.grant == {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": key,
    }


def test_an_explicit_deny_is_said_to_win_over_any_grant(world: World) -> None:
    """AWS says where the deny is; the hint says to look there."""
    message = "not authorized to perform: s3:PutObject with an explicit deny in a resource policy"

    found = check(world, {"s3.PutObject": Refusal(message=message)})

    assert "explicit deny" in found["s3:PutObject on s3://files/processed/"].hint


def _grant(action: str, resource: str) -> dict[str, object]:
    return {"Effect": "Allow", "Action": [action], "Resource": resource}
