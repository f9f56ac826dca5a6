"""What policies say: of topics and queues, and of identities."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.operator.policy import Question, allows, effects

TOPIC = "arn:aws:sns:us-east-2:123456789012:files"
QUEUE = "arn:aws:sqs:us-east-2:123456789012:files"
CONTEXT = {"aws:SourceArn": TOPIC, "aws:SourceAccount": "123456789012"}


def statement(**changes: object) -> dict[str, Any]:
    """Write the statement of rule 10, with changes; None takes a field away."""
    usual: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def allowed(*statements: dict[str, Any]) -> bool:
    """Ask whether SNS may send to the queue."""
    policy = {"Statement": list(statements)}
    return allows(
        policy,
        service="sns.amazonaws.com",
        action="sqs:SendMessage",
        resource=QUEUE,
        context=CONTEXT,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}},
        {"Action": "SQS:*"},
        {"Action": ["sqs:ReceiveMessage", "SQS:SendMessage"]},
        {"Resource": None},
        {"Resource": "arn:aws:sqs:*:*:files"},
        {"Condition": None},
        {"Condition": {"ArnLike": {"AWS:sourcearn": "arn:aws:sns:*:123456789012:*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": ["1", "123456789012"]}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}},
    ],
)
def test_a_statement_that_fits_allows(changes: dict[str, Any]) -> None:
    """Every usual way to write rule 10's statement is understood."""
    assert allowed(statement(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"Principal": {"AWS": "123456789012"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Resource": QUEUE + "-other"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": TOPIC + "-other"}}},
        {"Condition": {"StringEquals": {"aws:SourceOwner": "123456789012"}}},
        {"Condition": {"NumericEquals": {"aws:SourceArn": TOPIC}}},
    ],
)
def test_a_statement_that_does_not_fit_allows_nothing(changes: dict[str, Any]) -> None:
    """One part that does not fit is enough; so is an operator that the evaluator does not know."""
    assert not allowed(statement(**changes))


def test_no_statement_allows_nothing() -> None:
    """An empty policy, and none at all, refuse."""
    assert not allowed()
    assert not allows(None, service="s", action="a", resource="r", context={})


@given(st.lists(st.sampled_from(["Allow", "Deny"]), max_size=5))
def test_a_deny_wins_wherever_it_stands(effects: list[str]) -> None:
    """Allowed if and only if something allows and nothing denies."""
    expected = "Allow" in effects and "Deny" not in effects
    assert allowed(*[statement(Effect=effect) for effect in effects]) is expected


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringNotEquals": {"k": "a"}}, {"k": "b"}, True),
        ({"StringNotEquals": {"k": "a"}}, {"k": "a"}, False),
        ({"StringNotEquals": {"k": "a"}}, {}, True),
        ({"ArnNotLike": {"k": "arn:a*"}}, {"k": "arn:abc"}, False),
        ({"StringLike": {"k": "[a]?"}}, {"k": "[a]b"}, True),
        ({"StringLike": {"k": "a*c"}}, {"k": "a\nb\nc"}, True),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "true"}}, {"k": "a"}, False),
        ({"Null": {"k": "false"}}, {"k": "a"}, True),
        ({"Bool": {"k": False}}, {"k": "false"}, True),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "b"]}, True),
        ({"ForAllValues:StringEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, False),
        ({"ForAllValues:StringEquals": {"k": ["a"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, True),
        ({"ForAnyValue:StringEquals": {"k": ["a"]}}, {}, False),
    ],
)
def test_a_condition_means_what_iam_says(
    condition: dict[str, Any], context: dict[str, Any], *, holds: bool
) -> None:
    """Opposites hold without the key, ForAllValues too; nothing but * and ? is special."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Condition": condition}
    policy: dict[str, Any] = {"Statement": statement}
    asked = Question("s3:GetObject", "*", context)
    assert effects(policy, asked, of_identity=True) == ({"Allow"} if holds else set())


@pytest.mark.parametrize(
    ("parts", "matches"),
    [
        ({"NotAction": "s3:Put*", "Resource": "*"}, True),
        ({"NotAction": "s3:Get*", "Resource": "*"}, False),
        ({"Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"}, False),
        ({"Action": "s3:*", "NotResource": "arn:aws:s3:::c/*"}, True),
    ],
)
def test_what_is_not_named_may_be_meant(parts: dict[str, Any], *, matches: bool) -> None:
    """NotAction and NotResource match everything else."""
    asked = Question("s3:GetObject", "arn:aws:s3:::b/k")
    said = effects({"Statement": {"Effect": "Deny", **parts}}, asked, of_identity=True)
    assert said == ({"Deny"} if matches else set())
