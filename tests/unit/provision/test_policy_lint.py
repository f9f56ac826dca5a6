"""A linter reads every IAM document: actions, resources and conditions that AWS knows, and fit."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from support.stacks import a_blueprint

from provision.core.resource import Json
from provision.policies.lambda_ import lambda_policy
from provision.policies.operator import operator_policies
from provision.policies.packer import SshInterface, packer_policy
from provision.policies.worker import worker_policy
from provision.resources.bucket_parts import STATEMENT
from provision.resources.catalogue import intentions
from provision.resources.policy import document as policy_of

KEY = "arn:aws:kms:us-east-2:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
BLUEPRINT = a_blueprint(pipeline={"kms_key_arn": KEY, "bucket_kms_key_arn": KEY})

Findings = list[tuple[str, Any]]
Lint = Callable[[Json], Findings]

KNOWN = {
    # The operator makes the bucket, so may say who uses it; it reads and writes corners of it only.
    "files-operator-pipeline": {"RESOURCE_POLICY_PRIVILEGE_ESCALATION"},
}


@pytest.fixture(scope="module")
def lint() -> Lint:
    """Give parliament, which leaves its own files open when it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        from parliament import analyze_policy_string  # noqa: PLC0415 # see above

    def found(document: Json, *, everything: bool = False) -> Findings:
        analyzed = analyze_policy_string(
            json.dumps(document), include_community_auditors=everything
        )
        return [(each.issue, each.detail) for each in analyzed.findings]

    return found


def identity_policies() -> Mapping[str, Json]:
    """Return every document that is given to a role."""
    over = {f"packer {each}": packer_policy(BLUEPRINT, each) for each in SshInterface}
    ours = {"worker": worker_policy(BLUEPRINT), "lambda": lambda_policy(BLUEPRINT)}
    return {**operator_policies(BLUEPRINT), **over, **ours}


def resource_policies() -> Iterator[tuple[str, Json]]:
    """Yield every document that hangs on a resource of the stack."""
    for intention in intentions(BLUEPRINT):
        for each in intention.wanted.properties if intention.wanted else ():
            if isinstance(each.value, dict) and "Statement" in each.value:
                yield f"{intention.key} {each.name}", each.value
            elif each.name.startswith(STATEMENT):
                yield f"{intention.key} {each.name}", policy_of(each.value)


def covered(document: Json, action: str, required: str) -> bool:
    """Say whether some statement allows the action on resources of this form.

    The linter wants every form in each statement; ours differ in their conditions.
    """
    assert isinstance(document, dict)
    return any(
        action in _listed(statement["Action"])
        and any(_same_form(each, required) for each in _listed(statement["Resource"]))
        for statement in document["Statement"]
    )


def _listed(value: Any) -> list[str]:  # noqa: ANN401 # one, or several, as IAM has it
    return value if isinstance(value, list) else [value]


def _same_form(resource: str, required: str) -> bool:
    ours, theirs = resource.split(":", 5), required.split(":", 5)
    return ours[2] == theirs[2] and ours[5].split("/")[0] == theirs[5].split("/")[0]


@pytest.mark.parametrize("name", sorted(identity_policies()))
def test_a_linter_finds_nothing_in_a_roles_document(lint: Lint, name: str) -> None:
    """But for what is known, and said why."""
    document, found = identity_policies()[name], []
    for issue, detail in lint(document):
        if issue == "RESOURCE_MISMATCH":
            found += [
                each
                for each in detail
                if not covered(document, each["action"], each["required_format"])
            ]
        elif issue not in KNOWN.get(name, ()):
            found.append((issue, detail))
    assert found == []


@pytest.mark.parametrize("make", [worker_policy, lambda_policy])
def test_what_runs_by_itself_can_raise_nobodys_rights(
    lint: Callable[..., Findings], make: Callable[[object], Json]
) -> None:
    """With the linter's further checks, too: escalation, permissions management."""
    assert lint(make(BLUEPRINT), everything=True) == []


def test_a_linter_finds_nothing_in_a_resources_document(lint: Lint) -> None:
    """Queues, topics and bucket; a role's trust has no resource, and the linter knows no trust."""
    documents = dict(resource_policies())
    assert {name.partition("/")[0] for name in documents} == {"bucket", "queue", "role", "topic"}
    for name, document in documents.items():
        trust = name.endswith("AssumeRolePolicyDocument")
        expected = [("MALFORMED", "Statement contains neither Resource nor NotResource")]
        assert lint(document) == (expected if trust else []), name


@pytest.mark.parametrize(
    ("action", "resource"),
    [("s3:GetObjekt", "*"), ("sqs:SendMessage", "arn:aws:s3:::bucket"), ("iam:*", "nonsense")],
)
def test_the_linter_finds_what_is_wrong(lint: Lint, action: str, resource: str) -> None:
    """An action, a resource or an ARN that AWS does not know."""
    statement: Json = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert lint({"Version": "2012-10-17", "Statement": [statement]})
