"""The IAM documents: each action is needed by a call, and each call has its action."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.calls_in_code import calls_of, methods_named
from support.stacks import a_blueprint

from provision.core.resource import Json
from provision.policies.grants import Grant, policy_document
from provision.policies.lambda_ import lambda_grants, lambda_policy
from provision.policies.operator import (
    MANAGED_LIMIT_CHARACTERS,
    operator_grants,
    operator_policies,
)
from provision.policies.packer import SshInterface, packer_policy
from provision.policies.worker import GUARD_PROBE_FOLDER, worker_grants, worker_policy
from provision.spec.blueprint import Blueprint
from worker.aws.guard_probe import CORNER

ROOT = Path(__file__).parents[3]
KEY = "arn:aws:kms:us-east-2:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
FILES_KEY = "arn:aws:kms:us-east-2:123456789012:key/mrk-0123456789abcdef0123456789abcdef"
KEYS = {"kms_key_arn": KEY, "bucket_kms_key_arn": FILES_KEY}
BLUEPRINT = a_blueprint(pipeline=KEYS)

AGENT = ROOT / "packer" / "files" / "amazon-cloudwatch-agent.json"

EVERYWHERE = {"SessionManager", "WhichGroup", "SendMetrics", "ReadOwnTags"}
"""Statements about what AWS knows no resource for."""

INLINE_LIMIT_CHARACTERS = 10_240
"""All inline policies of one role together; white space does not count.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


def called(grants: tuple[Grant, ...]) -> set[str]:
    """Return the operations among whatever needs the grants."""
    users = {user for grant in grants for each in grant.uses.values() for user in each}
    return {each for each in users if " " not in each}


def statements(policy: Json) -> list[dict[str, Json]]:
    """Return a document's statements."""
    assert isinstance(policy, dict)
    found: list[dict[str, Json]] = policy["Statement"]
    return found


def actions(policy: Json) -> set[str]:
    """Return every action that a document allows."""
    assert isinstance(policy, dict)
    found: set[str] = set()
    for statement in policy["Statement"]:
        listed = statement["Action"]
        found |= set(listed) if isinstance(listed, list) else {listed}
    return found


def operators_pipeline(blueprint: Blueprint) -> Json:
    """Return the operator's document about S3, SNS and SQS."""
    return operator_policies(blueprint)[f"{blueprint.names.stack}-operator-pipeline"]


def test_the_worker_may_do_what_its_code_calls_and_nothing_else() -> None:
    """The table names exactly the operations that stand in worker/aws."""
    code = (ROOT / "worker" / "aws").glob("*.py")
    assert called(worker_grants(BLUEPRINT)) == methods_named(code, ("s3", "sqs", "autoscaling"))


def test_the_operator_may_do_what_provisions_code_calls_and_nothing_else() -> None:
    """The tables name exactly the operations of provision/, and of the worker's probe of S3."""
    code = calls_of(ROOT / "provision") | calls_of(ROOT / "worker" / "aws" / "guard_probe.py")
    named = {each for grants in operator_grants(BLUEPRINT).values() for each in called(grants)}
    # STS answers that question to everybody.
    assert named == code - {"sts.GetCallerIdentity"}


def test_each_of_the_operators_documents_fits_into_a_managed_policy() -> None:
    """With the longest names, and prefixes of forty letters."""
    longest = a_blueprint(
        "a" * 32,
        pipeline={
            **KEYS,
            "bucket": "b" * 63,
            "source_prefix": f"{'s' * 40}/",
            "destination_prefix": f"{'d' * 40}/",
        },
    )
    sizes = [
        len(json.dumps(each, separators=(",", ":"))) for each in operator_policies(longest).values()
    ]
    assert max(sizes) <= MANAGED_LIMIT_CHARACTERS


def test_without_conditions_on_it_the_operator_may_only_look() -> None:
    """Whatever may be done to any resource is a look, or is told apart by a condition."""
    free = {
        action
        for document in operator_policies(BLUEPRINT).values()
        for statement in statements(document)
        if statement["Resource"] == "*" and "Condition" not in statement
        for action in actions({"Statement": [statement]})
    }
    verbs = ("Describe", "Get", "List", "Simulate")
    looks = {each for each in free if each.partition(":")[2].startswith(verbs)}
    # AWS knows no resource for what is done to a subscription.
    assert free - looks == {"sns:SetSubscriptionAttributes", "sns:Unsubscribe"}


def test_packer_makes_roles_only_where_session_manager_asks_for_one() -> None:
    """Over SSH there is no profile, so there is nothing to do in IAM."""
    services = {
        each: {action.partition(":")[0] for action in actions(packer_policy(BLUEPRINT, each))}
        for each in SshInterface
    }
    assert services == {
        SshInterface.SESSION_MANAGER: {"ec2", "iam", "ssm"},
        SshInterface.PUBLIC_IP: {"ec2"},
        SshInterface.PRIVATE_IP: {"ec2"},
    }


def test_packer_may_do_what_was_counted_in_a_bake() -> None:
    """Every call that packer/README.md names has its action."""
    text = (ROOT / "packer" / "README.md").read_text(encoding="utf-8")
    table = text.partition("## What a bake asks of AWS")[2].partition("## The lock")[0]
    named = set(re.findall(r"`([A-Z]\w+)`", table))
    allowed = actions(packer_policy(BLUEPRINT, SshInterface.SESSION_MANAGER))
    assert len(named) > 15
    assert {f"ec2:{each}" for each in named} <= allowed
    whole = set(re.findall(r"`(\w+:[A-Z]\w+)`", table)) - {"sts:GetCallerIdentity"}
    assert whole <= allowed


def test_the_worker_may_prove_s3s_guards_where_it_tries_them() -> None:
    """The probe's corner is written down twice; both say the same."""
    assert GUARD_PROBE_FOLDER == CORNER


def test_the_cloudwatch_agent_may_write_to_its_own_namespace_alone() -> None:
    """The image's agent and the role name the same one."""
    document = worker_policy(BLUEPRINT)
    assert isinstance(document, dict)
    [metrics] = [each for each in document["Statement"] if each["Sid"] == "SendMetrics"]
    namespace = json.loads(AGENT.read_text(encoding="utf-8"))["metrics"]["namespace"]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": namespace}}


def test_the_cloudwatch_agent_sends_what_the_costs_table_counts() -> None:
    """Two metrics a stack: named by their group alone, whatever number of instances sends them."""
    metrics = json.loads(AGENT.read_text(encoding="utf-8"))["metrics"]
    sent = [each for kind in metrics["metrics_collected"].values() for each in kind["measurement"]]
    assert sent == ["mem_used_percent", "disk_used_percent"]
    assert metrics["append_dimensions"].keys() == {"AutoScalingGroupName"}
    assert "aggregation_dimensions" not in metrics
    guide = (ROOT / "docs" / "operators-guide.md").read_text(encoding="utf-8")
    assert f"| metrics of our own | {len(sent)} a stack" in guide


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
    policy = make(a_blueprint(name, pipeline={**KEYS, "bucket": "b" * 63}))
    assert len(json.dumps(policy, separators=(",", ":"))) <= INLINE_LIMIT_CHARACTERS
    for statement in policy["Statement"]:
        if statement["Resource"] == "*":
            assert statement["Sid"] in EVERYWHERE
        else:
            told = json.dumps(statement["Resource"])
            assert name in told or "b" * 63 in told or KEY in told or FILES_KEY in told


def test_without_a_key_of_the_owners_nothing_is_decrypted() -> None:
    """SSE-SQS needs no grant (rule 12), and SSE-S3 neither."""
    for make in (worker_policy, lambda_policy):
        assert not any(each.startswith("kms:") for each in actions(make(a_blueprint())))


def test_the_key_is_used_through_the_queue_alone() -> None:
    """The grant on the key holds for SQS's sake, and for nothing else."""
    document = worker_policy(BLUEPRINT)
    assert isinstance(document, dict)
    by_sid = {each["Sid"]: each for each in document["Statement"]}
    assert by_sid["ReadEncrypted"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "sqs.us-east-2.amazonaws.com"}
    }


@pytest.mark.parametrize("document", [worker_policy, lambda_policy, operators_pipeline])
def test_rule_12a_the_files_key_is_used_through_s3_for_the_stacks_files_alone(
    document: Callable[[Blueprint], Json],
) -> None:
    """Both actions; the context is a file's, or, with an S3 Bucket Key, the bucket's."""
    [grant] = [each for each in statements(document(BLUEPRINT)) if each["Resource"] == FILES_KEY]
    assert set(actions({"Statement": [grant]})) == {"kms:Decrypt", "kms:GenerateDataKey"}
    bucket = "arn:aws:s3:::files-bucket"
    files = [bucket, f"{bucket}/processed/*", f"{bucket}/uploads/*"]
    assert grant["Condition"] == {
        "StringEquals": {"kms:ViaService": "s3.us-east-2.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": files},
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


def test_the_agent_may_write_the_stacks_log_and_make_no_log_group() -> None:
    """What it calls when the group is there and no retention is set: two actions, on streams."""
    (write,) = (each for each in statements(worker_policy(BLUEPRINT)) if "logs:" in str(each))
    assert write["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    group = "arn:aws:logs:us-east-2:123456789012:log-group:/s3-event-worker/files"
    assert write["Resource"] == f"{group}:log-stream:*"
