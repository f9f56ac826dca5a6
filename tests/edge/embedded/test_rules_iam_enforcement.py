"""Who may do what, when IAM is enforced. Every test here fails on plain moto."""

import json
from collections.abc import Callable
from typing import Any

from support.iam_actor import Actor, allow

from worker.demo.embedded.server import EmbeddedAws

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

ACCOUNT = "123456789012"
REGION = "us-east-2"


def test_a_role_without_policies_may_do_nothing(
    actor: Actor, s3: Client, bucket: str, refusal: Refusal
) -> None:
    """Every service says no in its own way; who is not a role goes on unhindered."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    told = {
        service: refusal(getattr(actor.client(service), operation), **arguments)
        for service, operation, arguments in (
            ("s3", "get_object", {"Bucket": bucket, "Key": "a"}),
            ("sqs", "list_queues", {}),
            ("sns", "list_topics", {}),
            ("iam", "list_roles", {}),
            ("ec2", "describe_instances", {}),
            ("autoscaling", "describe_auto_scaling_groups", {}),
            ("cloudwatch", "describe_alarms", {}),
            ("lambda", "list_functions", {}),
            ("logs", "describe_log_groups", {}),
        )
    }
    assert told == {
        "s3": (403, "AccessDenied"),
        "sqs": (403, "AccessDenied"),
        "sns": (403, "AuthorizationError"),
        "iam": (403, "AccessDenied"),
        "ec2": (403, "UnauthorizedOperation"),
        "autoscaling": (403, "AccessDenied"),
        "cloudwatch": (403, "AccessDenied"),
        "lambda": (403, "AccessDeniedException"),
        "logs": (400, "AccessDeniedException"),
    }
    assert actor.client("sts").get_caller_identity()["Arn"].startswith("arn:aws:sts::")


def test_rule_21_a_missing_object_is_told_to_those_who_may_list(
    actor: Actor, bucket: str, refusal: Refusal
) -> None:
    """403 without s3:ListBucket, 404 with it."""
    head = actor.client("s3").head_object
    read = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    actor.may(read)
    assert refusal(head, Bucket=bucket, Key="missing")[0] == 403
    actor.may(read, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
    assert refusal(head, Bucket=bucket, Key="missing")[0] == 404


def test_a_copy_needs_its_source_its_destination_and_its_tags(
    actor: Actor, s3: Client, bucket: str, refusal: Refusal
) -> None:
    """Each of the four permissions is needed, the tagging ones because the source has tags."""
    s3.put_object(Bucket=bucket, Key="uploads/a", Body=b"x", Tagging="a=b")
    where = f"arn:aws:s3:::{bucket}"
    needed = [
        allow("s3:GetObject", f"{where}/uploads/*"),
        allow("s3:GetObjectTagging", f"{where}/uploads/*"),
        allow("s3:PutObject", f"{where}/processed/*"),
        allow("s3:PutObjectTagging", f"{where}/processed/*"),
    ]
    copy = {
        "Bucket": bucket,
        "Key": "processed/a",
        "CopySource": {"Bucket": bucket, "Key": "uploads/a"},
    }
    for missing in needed:
        actor.may(*[each for each in needed if each is not missing])
        assert refusal(actor.client("s3").copy_object, **copy) == (403, "AccessDenied")
    actor.may(*needed)
    assert refusal(actor.client("s3").copy_object, **copy) == (200, "")


def test_a_batch_of_deletes_needs_each_of_its_keys(
    actor: Actor, bucket: str, refusal: Refusal
) -> None:
    """One key beyond the prefix refuses the request."""
    actor.may(allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/uploads/*"))
    delete = actor.client("s3").delete_objects
    inside = {"Objects": [{"Key": "uploads/a"}, {"Key": "uploads/b & c"}]}
    outside = {"Objects": [{"Key": "uploads/a"}, {"Key": "processed/a"}]}
    assert refusal(delete, Bucket=bucket, Delete=inside) == (200, "")
    assert refusal(delete, Bucket=bucket, Delete=outside) == (403, "AccessDenied")


def test_an_explicit_deny_wins(actor: Actor, bucket: str, refusal: Refusal) -> None:
    """Allowed everything but one thing."""
    deny = allow("s3:PutObject", f"arn:aws:s3:::{bucket}/secret/*") | {"Effect": "Deny"}
    actor.may(allow("s3:*"), deny)
    put = actor.client("s3").put_object
    assert refusal(put, Bucket=bucket, Key="a", Body=b"") == (200, "")
    assert refusal(put, Bucket=bucket, Key="secret/a", Body=b"") == (403, "AccessDenied")


def test_a_batch_needs_what_one_message_needs(
    actor: Actor, queue: str, name: str, refusal: Refusal
) -> None:
    """sqs:SendMessage covers SendMessageBatch, and no other queue."""
    actor.may(allow("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"))
    send = actor.client("sqs").send_message_batch
    entries = [{"Id": "1", "MessageBody": "x"}]
    assert refusal(send, QueueUrl=queue, Entries=entries) == (200, "")
    assert refusal(send, QueueUrl=f"{queue}-2", Entries=entries) == (403, "AccessDenied")


def test_cloudwatch_is_called_cloudwatch(actor: Actor, refusal: Refusal) -> None:
    """The action is cloudwatch:PutMetricData, in the namespace that the condition names."""
    space = {"StringEquals": {"cloudwatch:namespace": "Ours"}}
    actor.may(allow("cloudwatch:PutMetricData", condition=space))
    put = actor.client("cloudwatch").put_metric_data
    data = [{"MetricName": "m", "Value": 1.0}]
    assert refusal(put, Namespace="Ours", MetricData=data) == (200, "")
    assert refusal(put, Namespace="Others", MetricData=data) == (403, "AccessDenied")


def test_a_queue_policy_of_the_account_is_enough(
    actor: Actor, sqs: Client, queue: str, name: str, refusal: Refusal
) -> None:
    """A resource's policy that names the role allows what the role's own policies do not."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    statement = allow("sqs:SendMessage", arn) | {"Principal": {"AWS": actor.arn}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    send = actor.client("sqs").send_message
    assert refusal(send, QueueUrl=queue, MessageBody="x") == (403, "AccessDenied")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})
    assert refusal(send, QueueUrl=queue, MessageBody="x") == (200, "")


def test_tags_at_the_making_need_create_tags(
    actor: Actor, client: Callable[[str], Client], name: str, refusal: Refusal
) -> None:
    """CreateSecurityGroup with tags: ec2:CreateTags, for that action alone."""
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    create = actor.client("ec2").create_security_group
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "stack", "Value": "ours"}]}]
    wanted = {"GroupName": name, "Description": "d", "VpcId": vpc, "TagSpecifications": tags}
    actor.may(allow("ec2:CreateSecurityGroup"))
    assert refusal(create, **wanted) == (403, "UnauthorizedOperation")
    tagging = {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}
    actor.may(allow("ec2:CreateSecurityGroup"), allow("ec2:CreateTags", condition=tagging))
    assert refusal(create, **wanted) == (200, "")


def test_what_is_not_ours_by_its_tag_is_left_alone(
    actor: Actor, client: Callable[[str], Client], name: str, refusal: Refusal
) -> None:
    """aws:ResourceTag is compared with the tags that the resource has."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    groups = [
        ec2.create_security_group(GroupName=name + value, Description="d", VpcId=vpc)["GroupId"]
        for value in ("ours", "theirs")
    ]
    for group, value in zip(groups, ("ours", "theirs"), strict=True):
        ec2.create_tags(Resources=[group], Tags=[{"Key": "stack", "Value": value}])
    ours = {"StringEquals": {"aws:ResourceTag/stack": "ours"}}
    actor.may(allow("ec2:DeleteSecurityGroup", condition=ours))
    delete = actor.client("ec2").delete_security_group
    told = [refusal(delete, GroupId=each) for each in groups]
    assert told == [(200, ""), (403, "UnauthorizedOperation")]


def test_what_was_needed_can_be_read(actor: Actor, aws: EmbeddedAws, bucket: str) -> None:
    """`accesses` lists each permission that was asked for, so that a policy can be cut to it."""
    actor.may(allow("s3:*"))
    aws.accesses.clear()
    actor.client("s3").put_object(Bucket=bucket, Key="a", Body=b"", Tagging="x=y")
    where = f"arn:aws:s3:::{bucket}/a"
    asked = [(each.action, each.resource, each.allowed) for each in aws.accesses]
    assert asked == [("s3:PutObject", where, True), ("s3:PutObjectTagging", where, True)]
