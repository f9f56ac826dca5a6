"""What is refused before anything is made, from facts alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from support.provision_twin import refusal
from support.stacks import a_blueprint, a_stack

from provision.aws.preflight.run import preflight
from provision.aws.surroundings import Identity
from provision.core.finding import Finding, Level, failures
from provision.core.preflight.account import (
    Permissions,
    Quota,
    judge_permissions,
    judge_quotas,
    policy_source,
)
from provision.core.preflight.machines import Ami, MachineFacts, Subnet, judge_machines
from provision.policies.grants import Grant, same

GRANT = Grant("Queues", same("sqs", "CreateQueue"), ("arn:aws:sqs:us-east-2:123:files-*",))
A, B = Subnet("us-east-2a", "vpc-1", public=True), Subnet("us-east-2b", "vpc-1", public=True)
FACTS = MachineFacts(
    types={"t3.small": ("x86_64",)},
    offering=frozenset({"us-east-2a", "us-east-2b"}),
    default_vpc="vpc-1",
    subnets={"subnet-0aaaaaaa": A, "subnet-0bbbbbbb": B},
    ami=Ami("ami-1", "available", "x86_64"),
)
NAMED = ["subnet-0aaaaaaa", "subnet-0bbbbbbb"]


def judged(facts: MachineFacts, **instances: object) -> tuple[Finding, ...]:
    """Judge two zones' facts for a stack file's [instances]."""
    stack = a_stack(instances={"zones": 2, **instances})
    return tuple(judge_machines(stack.instances, facts))


def test_what_fits_together_is_told_as_such() -> None:
    """Zones and AMI are named, and nothing is wrong."""
    assert [(each.level, each.subject) for each in judged(FACTS)] == [
        (Level.OK, "zones"),
        (Level.OK, "AMI ami-1"),
    ]


@pytest.mark.parametrize(
    ("facts", "instances", "subject"),
    [
        (replace(FACTS, types={"t3.small": ()}), {}, "instance type t3.small"),
        (replace(FACTS, default_vpc=None, subnets={}), {}, "network"),
        (replace(FACTS, offering=frozenset()), {}, "zones"),
        (replace(FACTS, subnets={}), {"subnets": NAMED[:1]}, "subnet subnet-0aaaaaaa"),
        (
            replace(FACTS, offering=frozenset({"us-east-2b"})),
            {"subnets": NAMED},
            "subnet subnet-0aaaaaaa",
        ),
        (
            replace(FACTS, subnets={NAMED[0]: A, NAMED[1]: replace(B, vpc_id="vpc-2")}),
            {"subnets": NAMED},
            "subnets",
        ),
        (FACTS, {"security_groups": ["sg-0aaaaaaa"]}, "security group sg-0aaaaaaa"),
        (
            replace(FACTS, groups={"sg-0aaaaaaa": "vpc-9"}),
            {"security_groups": ["sg-0aaaaaaa"]},
            "security group sg-0aaaaaaa",
        ),
        (replace(FACTS, has_key_pair=False), {"key_pair": "lab"}, "key pair lab"),
        (replace(FACTS, ami=Ami("ami-1", "missing")), {}, "AMI ami-1"),
        (replace(FACTS, ami=Ami("ami-1", "available", "arm64")), {}, "AMI ami-1"),
    ],
)
def test_rule_35_what_does_not_fit_is_refused_with_what_to_do(
    facts: MachineFacts, instances: dict[str, object], subject: str
) -> None:
    """One failure for one fault, each with a hint."""
    [found] = failures(judged(facts, **instances))
    assert found.subject == subject
    assert found.hint


def test_rule_35_spot_types_have_to_run_the_ami_as_well() -> None:
    """Any of them may be launched; without spot they do not matter."""
    facts = replace(FACTS, types={**FACTS.types, "t4g.small": ("arm64",)})
    [found] = failures(judged(facts, spot=True, spot_types=["t4g.small"]))
    assert "t4g.small runs arm64" in found.detail
    assert not failures(judged(facts, spot_types=["t4g.small"]))


def test_rule_45_an_image_under_a_key_that_auto_scaling_may_not_use_is_refused() -> None:
    """It would launch into Client.InternalError; the grant's command is in the hint."""
    ami = Ami("ami-1", "available", "x86_64", "arn:key", key_is_granted=False)
    [found] = failures(judged(replace(FACTS, ami=ami)))
    assert "rule 45" in found.detail
    assert "create-grant --key-id arn:key" in found.hint


@pytest.mark.parametrize(
    ("facts", "instances", "subject"),
    [
        (replace(FACTS, ami=None), {}, "AMI"),
        (FACTS, {"zones": 3}, "zones"),
        (FACTS, {"desired": 2, "maximum": 2}, "sizes"),
        (replace(FACTS, desired=9), {}, "sizes"),
        (
            replace(FACTS, subnets={NAMED[0]: replace(A, public=False)}),
            {"subnets": NAMED[:1]},
            "subnet subnet-0aaaaaaa",
        ),
    ],
)
def test_what_may_be_meant_so_is_a_warning(
    facts: MachineFacts, instances: dict[str, object], subject: str
) -> None:
    """No AMI yet, few zones, no room for a rollout (27), a lowered maximum (39), no address."""
    found = judged(facts, **instances)
    assert not failures(found)
    assert [each.subject for each in found if each.level is Level.WARNING] == [subject]


@pytest.mark.parametrize(
    ("arn", "source"),
    [
        ("arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ann"),
        ("arn:aws:iam::123456789012:root", None),
        (
            "arn:aws-cn:sts::123456789012:assumed-role/Admin/ann@example.com",
            "arn:aws-cn:iam::123456789012:role/Admin",
        ),
    ],
)
def test_the_role_behind_a_session_is_what_iam_can_simulate(arn: str, source: str | None) -> None:
    """Root cannot be simulated."""
    assert policy_source(arn) == source


def test_rule_06_missing_permissions_are_named() -> None:
    """A few of them; the hint prints them all. What could not be asked stops nothing."""
    many = tuple(f"sqs:Action{number}" for number in range(10))
    denied = judge_permissions(Permissions(many, asked=12))
    assert denied.level is Level.FAILURE
    assert "sqs:Action0" in denied.detail
    assert denied.detail.endswith("and 2 more")
    assert judge_permissions(Permissions(asked=12)).level is Level.OK
    assert judge_permissions(Permissions(unknown="AccessDenied")).level is Level.WARNING


def test_a_denial_for_want_of_a_condition_key_stops_nothing() -> None:
    """Whoever signs in with MFA is denied in every simulation, which knows of none."""
    told = judge_permissions(
        Permissions(doubtful=("sqs:CreateQueue",), lacking=("aws:MultiFactorAuthPresent",))
    )
    assert told.level is Level.WARNING
    assert "aws:MultiFactorAuthPresent" in told.detail


def test_a_quota_that_would_be_passed_is_refused() -> None:
    """Used and needed together; all others are one line."""
    short, enough = Quota("vCPUs", 5, 2, 4), Quota("groups", 500, 1, 1)
    assert [each.subject for each in judge_quotas([short, enough])] == ["quota: vCPUs"]
    [told] = judge_quotas([enough])
    assert told.level is Level.OK
    assert not list(judge_quotas([]))


class Refusing:
    """Stands for every client; whatever is asked of it is refused."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> "Refusing":
        return self

    def __call__(self, *_: object, **__: object) -> "Refusing":
        """Refuse."""
        raise self._error


@pytest.mark.parametrize(
    "stop", [refusal("ExpiredToken"), refusal("Throttling"), NoCredentialsError()]
)
@pytest.mark.parametrize("grants", [(), (GRANT,)])
def test_a_session_that_ends_meanwhile_and_a_busy_aws_end_the_preflight(
    stop: Exception, grants: Sequence[Grant]
) -> None:
    """Nothing is known then, and nothing may be made as if all of it had been looked at."""
    closed: Any = Refusing(stop)
    identity = Identity("123456789012", "aws", "arn:aws:iam::123456789012:user/someone")
    with pytest.raises(type(stop)):
        list(preflight(closed, a_blueprint(), identity, grants))
