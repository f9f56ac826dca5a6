"""Names and ARNs follow from the stack's name alone, and keep AWS's limits."""

import re

from hypothesis import given
from hypothesis import strategies as st

from provision.spec.names import Names

STACKS = st.from_regex(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", fullmatch=True)


def names(stack: str = "files") -> Names:
    """Return the names of a stack in some account."""
    return Names(stack, "acme-files", "aws", "us-east-2", "123456789012")


def test_the_dead_letter_queue_is_named_as_people_expect() -> None:
    """The queue's name and -dlq."""
    assert names().dead_letter_queue == f"{names().queue}-dlq"


def test_arns_hold_partition_region_and_account() -> None:
    """IAM's have no region, and S3's have neither."""
    china = Names("files", "acme-files", "aws-cn", "cn-north-1", "123456789012")
    assert china.queue_arn == "arn:aws-cn:sqs:cn-north-1:123456789012:files-uploads"
    assert china.role_arn("x") == "arn:aws-cn:iam::123456789012:role/x"
    assert china.bucket_arn == "arn:aws-cn:s3:::acme-files"


@given(STACKS)
def test_rule_04_36_every_name_keeps_its_limit(stack: str) -> None:
    """Roles 64, profiles 128, groups 255 without a colon, templates 3 to 128, queues 80."""
    made = names(stack)
    assert max(len(made.worker_role), len(made.lambda_role), len(made.function)) <= 64
    assert 3 <= len(made.launch_template) <= 128
    assert len(made.group) <= 255
    assert ":" not in made.group
    for queue in (made.queue, made.dead_letter_queue):
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", queue)


@given(STACKS, STACKS)
def test_two_stacks_share_no_name(one: str, other: str) -> None:
    """Each name of a stack tells the stack."""
    kinds = ["topic", "queue", "notification_rule", "worker_role", "group", "launch_template"]
    if one != other:
        assert [getattr(names(one), kind) for kind in kinds] != [
            getattr(names(other), kind) for kind in kinds
        ]
        for kind in kinds:
            assert getattr(names(one), kind) != getattr(names(other), kind)
