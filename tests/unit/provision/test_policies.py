"""The IAM documents: each action is needed by a call, and each call has its action."""

import json
from pathlib import Path

import pytest
from support.calls_in_code import methods_named
from support.stacks import a_blueprint

from provision.core.resource import Json
from provision.policies.grants import Grant, operations_of, policy_document
from provision.policies.lambda_ import lambda_grants, lambda_policy
from provision.policies.worker import GUARD_PROBE_FOLDER, worker_grants, worker_policy
from worker.aws.guard_probe import CORNER

ROOT = Path(__file__).parents[3]
KEY = "arn:aws:kms:us-east-2:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
BLUEPRINT = a_blueprint(pipeline={"kms_key_arn": KEY})

INLINE_LIMIT_CHARACTERS = 10_240
"""All inline policies of one role together; white space does not count.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


def called(grants: tuple[Grant, ...]) -> set[str]:
    """Return the operations among whatever needs the grants."""
    return {each for each in operations_of(grants) if " " not in each}


def actions(policy: Json) -> set[str]:
    """Return every action that a document allows."""
    assert isinstance(policy, dict)
    found: set[str] = set()
    for statement in policy["Statement"]:
        listed = statement["Action"]
        found |= set(listed) if isinstance(listed, list) else {listed}
    return found


def test_the_worker_may_do_what_its_code_calls_and_nothing_else() -> None:
    """The table names exactly the operations that stand in worker/aws."""
    code = (ROOT / "worker" / "aws").glob("*.py")
    assert called(worker_grants(BLUEPRINT)) == methods_named(code, ("s3", "sqs", "autoscaling"))


def test_the_worker_may_prove_s3s_guards_where_it_tries_them() -> None:
    """The probe's corner is written down twice; both say the same."""
    assert GUARD_PROBE_FOLDER == CORNER


def test_the_function_moves_as_the_worker_does_and_knows_no_group() -> None:
    """Whatever it shares with the worker is the same; what it does not need is not there."""
    function, worker = actions(lambda_policy(BLUEPRINT)), actions(worker_policy(BLUEPRINT))
    assert function < worker
    assert {each.partition(":")[0] for each in function} == {"s3", "sqs", "kms", "logs"}
    assert called(lambda_grants(BLUEPRINT)) <= called(worker_grants(BLUEPRINT))


@pytest.mark.parametrize("make", [worker_policy, lambda_policy])
def test_a_policy_fits_into_its_role_and_names_no_other_stack(make: object) -> None:
    """A stack's longest name still fits; each resource is the stack's, but where AWS knows none."""
    assert callable(make)
    name = "a" * 32
    policy = make(a_blueprint(name, pipeline={"kms_key_arn": KEY, "bucket": "b" * 63}))
    assert len(json.dumps(policy, separators=(",", ":"))) <= INLINE_LIMIT_CHARACTERS
    for statement in policy["Statement"]:
        if statement["Resource"] == "*":
            assert statement["Sid"] in {"SessionManager", "WhichGroup"}
        else:
            told = json.dumps(statement["Resource"])
            assert name in told or "b" * 63 in told or KEY in told


def test_without_a_key_of_the_owners_nothing_is_decrypted() -> None:
    """SSE-SQS needs no grant (rule 12)."""
    assert not any(each.startswith("kms:") for each in actions(worker_policy(a_blueprint())))


def test_the_key_is_used_through_the_queue_alone() -> None:
    """The grant on the key holds for SQS's sake, and for nothing else."""
    document = worker_policy(BLUEPRINT)
    assert isinstance(document, dict)
    by_sid = {each["Sid"]: each for each in document["Statement"]}
    assert by_sid["ReadEncrypted"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "sqs.us-east-2.amazonaws.com"}
    }


def test_an_action_without_a_condition_has_none_in_the_document() -> None:
    """An empty condition is not the same as none to every reader."""
    document = policy_document([Grant("One", {"s3:GetObject": ("s3.GetObject",)}, ("arn",))])
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn"}
        ],
    }
