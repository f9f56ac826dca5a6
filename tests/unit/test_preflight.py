"""What findings mean: the queue's facts, the guards, and the statements that grant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.port import Fault, FaultKind, Location
from worker.operator.grants import Names, is_denied, is_locked, kms_grant, policy, statement
from worker.operator.preflight import (
    Finding,
    Guard,
    GuardResult,
    Level,
    QueueFacts,
    as_json,
    failures,
    granted,
    is_unsupported,
    judge_guard,
    judge_queue,
    judge_settings,
    refused,
    untold,
)
from worker.settings import read_settings

NAMES = Names("aws-cn", "cn-north-1", "123456789012")
ARN = "arn:aws:sqs:us-east-2:123456789012:uploads"
PLACE = Location("files", "uploads/")


def queue(**changes: object) -> dict[str, Finding]:
    """Judge a good queue, but for the changes."""
    facts: dict[str, Any] = {
        "has_dlq": True,
        "max_receive_count": 5,
        "visibility_timeout": 120,
        "arn": ARN,
    }
    found = judge_queue(QueueFacts(**{**facts, **changes}), 120)
    return {each.subject: each for each in found}


def fault(code: str, message: str = "", kind: FaultKind = FaultKind.ACCESS) -> Fault:
    """Return a fault of CopyObject's."""
    return Fault(kind, "CopyObject", code, message)


def test_a_good_queue_has_nothing_to_warn_of() -> None:
    """All three lines are ok."""
    assert {each.level for each in queue().values()} == {Level.OK}


@pytest.mark.parametrize(("receives", "level"), [(1, "warning"), (2, "warning"), (3, "ok")])
def test_few_receives_before_the_dlq_are_warned_of(receives: int, level: str) -> None:
    """Below three a restart and a hiccup empty the queue into its dead-letter queue."""
    assert queue(max_receive_count=receives)["dead-letter queue"].level == level


def test_a_queue_without_dlq_is_a_warning_that_says_what_rejects_do() -> None:
    """They back off."""
    found = queue(has_dlq=False, max_receive_count=None)["dead-letter queue"]
    assert (found.level, "backs off" in found.detail) == (Level.WARNING, True)


def test_another_visibility_timeout_than_ours_is_a_warning() -> None:
    """It is the Lambda twin that would get the queue's."""
    found = queue(visibility_timeout=30)["visibility timeout"]
    assert found.level is Level.WARNING
    assert "30 s" in found.detail


def test_a_fifo_queue_is_noted() -> None:
    """S3 does not send to one."""
    assert queue(arn=ARN + ".fifo")["queue type"].level is Level.WARNING


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("alias/mine", "arn:aws:kms:us-east-2:123456789012:key/*"),
        ("arn:aws:kms:us-east-2:1:key/2", "arn:aws:kms:us-east-2:1:key/2"),
    ],
)
def test_a_queue_under_kms_says_what_receiving_needs(key: str, resource: str) -> None:
    """An alias is no resource that could be granted."""
    assert queue(kms_key=key)["queue encryption"].grant == statement("kms:Decrypt", resource)


@given(st.text())
def test_no_queue_arn_makes_the_judgement_raise(arn: str) -> None:
    """Stores have ARNs of their own making."""
    assert judge_queue(QueueFacts(False, None, 1, arn, kms_key="k"), 1)  # noqa: FBT003 - has_dlq


@pytest.mark.parametrize(
    ("result", "required", "level"),
    [
        (GuardResult.HOLDS, True, Level.OK),
        (GuardResult.IGNORED, True, Level.FAILURE),
        (GuardResult.UNSUPPORTED, True, Level.FAILURE),
        (GuardResult.UNTOLD, True, Level.FAILURE),
        (GuardResult.IGNORED, False, Level.WARNING),
        (GuardResult.UNSUPPORTED, False, Level.WARNING),
    ],
)
def test_a_guard_that_does_not_hold_is_a_failure_unless_best_effort(
    result: GuardResult, level: Level, *, required: bool
) -> None:
    """Only GUARDS=best-effort makes a warning of it; the guard is named either way."""
    for guard in Guard:
        found = judge_guard(guard, result, "told", required=required)
        assert (found.level, found.guard) == (level, result)
        assert guard.value in found.subject


def test_only_501_makes_a_store_one_that_cannot_be_sent_conditions() -> None:
    """An ignored condition does no harm when it is sent."""
    results = {
        result: is_unsupported([judge_guard(Guard.DELETE, result, "", required=False)])
        for result in GuardResult
    }
    assert [result for result, unsupported in results.items() if unsupported] == ["unsupported"]


def test_statements_are_in_the_partition_of_the_region() -> None:
    """China and GovCloud have ARNs of their own."""
    assert NAMES.objects(PLACE) == "arn:aws-cn:s3:::files/uploads/*"
    assert (
        NAMES.queue("https://sqs.cn-north-1.amazonaws.com.cn/12/uploads")
        == "arn:aws-cn:sqs:cn-north-1:12:uploads"
    )


def test_a_denied_action_is_granted_on_that_resource_alone() -> None:
    """One action, one ARN."""
    found = refused("s3:GetObject", PLACE, NAMES.objects(PLACE), fault("AccessDenied"), NAMES)
    assert found.grant == {
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": "arn:aws-cn:s3:::files/uploads/*",
    }


def test_what_object_lock_keeps_is_told_from_a_lack_of_leave() -> None:
    """S3 answers both with AccessDenied; its words differ."""
    assert is_locked(fault("AccessDenied", "because object protected by Object Lock."))
    assert not is_locked(fault("AccessDenied", "no s3:DeleteObjectVersion"))
    assert not is_locked(fault("SlowDown", "Object Lock"))


def test_what_is_no_missing_permission_is_granted_nothing() -> None:
    """A missing bucket, an expired token, an outage: a statement would not help."""
    for code, kind in (
        ("NoSuchBucket", FaultKind.ACCESS),
        ("ExpiredToken", FaultKind.ACCESS),
        ("InternalError", FaultKind.UNAVAILABLE),
    ):
        found = refused("s3:GetObject", PLACE, "arn", fault(code, kind=kind), NAMES)
        assert (found.level, found.grant) == (Level.FAILURE, None)
    assert not is_denied(fault("ExpiredToken"))


def test_an_outage_is_told_from_a_missing_permission() -> None:
    """The hint sends nobody to IAM."""
    found = refused("s3:GetObject", PLACE, "arn", fault("503", kind=FaultKind.UNAVAILABLE), NAMES)
    assert "no permission problem" in found.hint
    for code, hint in (
        ("NoSuchBucket", "create the bucket"),
        ("IllegalLocationConstraintException", "the bucket is in another region"),
        ("RequestTimeTooSkewed", "this machine's clock"),
        ("SSLError", "trust the endpoint's certificate"),
    ):
        assert refused("s3:GetObject", PLACE, "arn", fault(code), NAMES).hint.startswith(hint)


def test_an_explicit_deny_wins_over_any_grant() -> None:
    """The hint says where to look."""
    denied = fault("AccessDenied", "with an explicit deny in a bucket policy")
    assert "explicit deny" in refused("s3:GetObject", PLACE, "arn", denied, NAMES).hint


def test_kms_is_named_with_the_key_that_aws_names() -> None:
    """Both actions, that key alone."""
    key = "arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab"
    denied = fault("AccessDenied", f"not authorized to perform: kms:Decrypt on resource: {key}")
    found = refused("s3:PutObject", PLACE, "arn", denied, NAMES)
    assert found.detail.startswith("KMS refused")
    assert found.grant == statement(["kms:Decrypt", "kms:GenerateDataKey"], key)


def test_without_list_bucket_nothing_is_claimed_of_get_object() -> None:
    """Rule 21: a warning with the statement, in case."""
    found = untold("s3:GetObject", PLACE, "arn")
    assert (found.level, found.grant) == (Level.WARNING, statement("s3:GetObject", "arn"))
    assert granted("s3:GetObject", PLACE).level is Level.OK


def test_kms_codes_ask_for_any_key_where_none_is_named() -> None:
    """KMS.DisabledException and its kin name no ARN."""
    grant = kms_grant(fault("KMS.DisabledException"), NAMES)
    assert grant is not None
    assert grant["Resource"] == "arn:aws-cn:kms:cn-north-1:123456789012:key/*"
    assert kms_grant(fault("AccessDenied", "no s3:GetObject"), NAMES) is None


def test_a_policy_names_each_resource_once_and_each_action_once() -> None:
    """Findings overlap; the policy that an operator pastes does not."""
    grants = [statement(["a", "b"], "x"), statement("b", "x"), statement("a", "y")]
    assert policy(grants) == {
        "Version": "2012-10-17",
        "Statement": [statement(["a", "b"], "x"), statement("a", "y")],
    }


def test_the_report_grants_what_is_missing_and_not_what_is_there() -> None:
    """A hint's statement beside an ok finding is no part of the policy."""
    there = Finding(Level.OK, "a", "", statement("a", "x"))
    missing = Finding(Level.FAILURE, "b", "", statement("b", "x"))
    report = as_json([there, missing])
    assert report["ok"] is False
    assert report["policy"] == policy([statement("b", "x")])
    assert as_json([there])["policy"] is None


def test_settings_are_judged_without_aws() -> None:
    """Unknown names and best-effort guards are warned of; nothing fails."""
    settings = read_settings(
        {"BUCKET": "files", "REGION": "us-east-2", "GUARDS": "best-effort"},
        {"BUCKT": "x"},
        needs_queue=False,
    )
    found = judge_settings(settings, {"python": "3.11.0"})
    assert [each.subject for each in found if each.level is Level.WARNING] == ["settings", "guards"]
    assert failures(found) == []
    assert found[0].detail == "python 3.11.0"
    strict = read_settings({"BUCKET": "files", "REGION": "us-east-2"}, needs_queue=False)
    assert {each.level for each in judge_settings(strict, {})} == {Level.OK}
