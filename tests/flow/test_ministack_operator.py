"""A second opinion on the operator's role: its documents as ministack evaluates them."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.flow_aws import ministack
from support.ministack_iam import Account, Clients
from support.ministack_operator import STEPS, an_operator
from support.operator_role import without
from support.stacks import a_blueprint
from support.stories import first_failure
from support.worker_policies import listed

from provision.policies.operator import operator_policies
from provision.resources.policy import document as policy_of

pytestmark = pytest.mark.heavy

STATEMENTS: Mapping[str, str] = {
    "Bucket": "applies",
    "Topics": "applies",
    "Subscriptions": "applies",
    "Queues": "applies",
    "Roles": "applies",
    "CanaryAndProbe": "sends_a_canary",
    "LookAtFiles": "sends_a_canary",
    "DeleteFiles": "sends_a_canary",
    "DeadLetters": "deals_with_dead_letters",
}
"""Statements on what ministack has and asks for, and the step that fails without each."""

MOVE_TASKS = ("sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:DeleteMessage")
SILENT = ("s3:PutObjectTagging", "s3:TagResource", *MOVE_TASKS)
"""Actions that ministack never asks for, or has no operation for; nor for Redrive's."""


def statements_of(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401 # JSON
    """Return a document's statements."""
    found: list[dict[str, Any]] = document["Statement"]
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Run a ministack that enforces IAM; give the clients of its root."""
    with ministack(tmp_path_factory.mktemp("enforcing"), enforce_iam=True) as backend:
        clients = Clients(backend.url, backend.access_key, "unchecked")
        yield clients
        clients.close()


@pytest.fixture
def account(root: Clients) -> Account:
    """Give a stack of which nothing exists."""
    blueprint = a_blueprint(f"t{uuid.uuid4().hex[:10]}", tags={"cost-centre": "42"})
    return Account(root.url, blueprint, root)


def test_the_operator_can_do_all_of_it(account: Account) -> None:
    """From an empty account to an empty account, through drift of every property: no denial."""
    with an_operator(account, operator_policies(account.blueprint)) as operator:
        assert first_failure(operator, STEPS) is None
    assert operator.clients.denied == []


@pytest.mark.parametrize("sid", STATEMENTS)
def test_without_one_statement_a_step_fails(account: Account, sid: str) -> None:
    """And what was denied is an action of this statement."""
    documents = operator_policies(account.blueprint)
    with an_operator(account, without(documents, sid)) as operator:
        failed = first_failure(operator, STEPS)
    print(f"without {sid}: {failed}")
    assert failed is not None
    assert failed.startswith(f"{STATEMENTS[sid]}: ")
    [lacking] = [
        each
        for document in documents.values()
        for each in statements_of(document)
        if each["Sid"] == sid
    ]
    assert operator.clients.denied
    assert set(operator.clients.denied) <= set(listed(lacking["Action"]))


def test_ministack_has_no_opinion_on_some_actions(account: Account) -> None:
    """Without them all goes on: what is shown of these, the embedded AWS shows alone."""
    documents = {
        name: policy_of(*(_without_the_silent(each) for each in statements_of(document)))
        for name, document in without(operator_policies(account.blueprint), "Redrive").items()
    }
    with an_operator(account, documents) as operator:
        assert first_failure(operator, STEPS) is None


def _without_the_silent(statement: dict[str, Any]) -> dict[str, Any]:
    return {**statement, "Action": [e for e in listed(statement["Action"]) if e not in SILENT]}


# --- nothing else ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(root: Clients) -> Account:
    """Make a stack, and a bucket that is another's."""
    account = Account(root.url, a_blueprint("made"), root)
    account.carry_out(account.plan())
    root.s3.create_bucket(
        Bucket="another", CreateBucketConfiguration={"LocationConstraint": "us-east-2"}
    )
    return account


Call = Callable[[Clients, Account], object]

ANYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)

OUTSIDE: dict[str, Call] = {
    "read another bucket": lambda c, _: c.s3.list_object_versions(Bucket="another"),
    "write to another bucket": lambda c, _: c.s3.put_object(Bucket="another", Key="x"),
    "upload a file": lambda c, a: c.s3.put_object(Bucket=a.blueprint.names.bucket, Key="uploads/x"),
    "read a file elsewhere": lambda c, a: c.s3.get_object(
        Bucket=a.blueprint.names.bucket, Key="else/x"
    ),
    "purge the queue": lambda c, a: c.sqs.purge_queue(
        QueueUrl=f"{a.url}/123456789012/{a.blueprint.names.queue}"
    ),
    "delete another queue": lambda c, a: c.sqs.delete_queue(
        QueueUrl=f"{a.url}/123456789012/another"
    ),
    "delete another topic": lambda c, a: c.sns.delete_topic(
        TopicArn=a.blueprint.names.arn("sns", "another")
    ),
    "raise one's own rights": lambda c, a: c.iam.put_role_policy(
        RoleName=f"{a.stack}-operator", PolicyName="more", PolicyDocument=ANYTHING
    ),
    "make another role": lambda c, a: c.iam.create_role(
        RoleName=f"{a.stack}-else", AssumeRolePolicyDocument=ANYTHING
    ),
    "attach a policy to the worker's role": lambda c, a: c.iam.attach_role_policy(
        RoleName=a.blueprint.names.worker_role, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
    ),
}


@pytest.mark.parametrize("what", OUTSIDE)
def test_calls_outside_are_denied(made: Account, what: str) -> None:
    """What is another's, what are the worker's files, and what would raise one's own rights."""
    with (
        an_operator(made, operator_policies(made.blueprint)) as operator,
        pytest.raises(ClientError),
    ):
        OUTSIDE[what](operator.clients, made)
    assert len(operator.clients.denied) == 1
