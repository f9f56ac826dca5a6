"""What the instances' role may do: the worker's own calls, and the agents beside it. Pure."""

from collections.abc import Iterator
from typing import Final

from provision.core.resource import Json
from provision.policies.files_key import using_files_key
from provision.policies.grants import Grant, policy_document, used_by
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names

GUARD_PROBE_FOLDER: Final = ".guard-probe/"
"""Below the destination prefix, where the worker tries whether S3 keeps its word on conditions."""

METRIC_NAMESPACE: Final = "s3-event-worker"
"""Where the image's CloudWatch agent writes to."""

SSM_AGENT: Final = ("the SSM agent",)
CLOUDWATCH_AGENT: Final = ("the CloudWatch agent",)


def worker_policy(blueprint: Blueprint) -> Json:
    """Return the inline policy of the instances' role."""
    return policy_document(worker_grants(blueprint))


def worker_grants(blueprint: Blueprint) -> tuple[Grant, ...]:
    """Return what the worker calls, resource by resource."""
    return (
        *moving(blueprint),
        *_clean_probe(blueprint),
        *_receiving(blueprint),
        *_own_group(blueprint.names),
        *_own_numbers(),
        *_own_log(blueprint.names),
        *_session_manager(),
    )


def moving(blueprint: Blueprint) -> Iterator[Grant]:
    """Yield what it takes to move an object, tags and all."""
    names, pipeline = blueprint.names, blueprint.stack.pipeline
    source = f"{names.bucket_arn}/{pipeline.source_prefix}*"
    destination = f"{names.bucket_arn}/{pipeline.destination_prefix}*"
    yield Grant(
        "MoveFrom",
        {
            **used_by("s3:GetObject", "s3.HeadObject s3.CopyObject s3.UploadPartCopy"),
            **used_by("s3:GetObjectTagging", "s3.GetObjectTagging s3.CopyObject"),
            **used_by("s3:DeleteObject", "s3.DeleteObject s3.DeleteObjects"),
        },
        (source,),
    )
    yield Grant(
        "MoveTo",
        {
            **used_by("s3:GetObject", "s3.HeadObject s3.CopyObject"),
            **used_by(
                "s3:PutObject",
                "s3.CopyObject s3.PutObject s3.CreateMultipartUpload s3.UploadPartCopy"
                " s3.CompleteMultipartUpload",
            ),
            **used_by("s3:PutObjectTagging", "s3.CopyObject s3.PutObject s3.CreateMultipartUpload"),
            **used_by("s3:AbortMultipartUpload", "s3.AbortMultipartUpload"),
        },
        (destination,),
    )
    # Without it a missing object reads as 403 instead of 404 (rule 21).
    yield Grant(
        "TellMissingFromDenied",
        used_by("s3:ListBucket", "s3.ListObjectsV2 s3.HeadObject s3.CopyObject"),
        (names.bucket_arn,),
    )
    yield from using_files_key(
        blueprint,
        # The first for the checksum that it asks for.
        reads="s3.HeadObject s3.CopyObject s3.UploadPartCopy s3.CompleteMultipartUpload",
        writes="s3.CopyObject s3.PutObject s3.CreateMultipartUpload",
    )


def _clean_probe(blueprint: Blueprint) -> Iterator[Grant]:
    folder = f"{blueprint.stack.pipeline.destination_prefix}{GUARD_PROBE_FOLDER}"
    objects = f"{blueprint.names.bucket_arn}/{folder}*"
    # Nothing else at the destination can be deleted.
    yield Grant(
        "CleanUpProbe",
        {
            **used_by("s3:DeleteObject", "s3.DeleteObject s3.DeleteObjects"),
            **used_by("s3:DeleteObjectVersion", "s3.DeleteObject"),
        },
        (objects,),
    )


def _receiving(blueprint: Blueprint) -> Iterator[Grant]:
    """Yield what it takes to work on the queue; IAM knows no batch actions."""
    yield Grant(
        "Receive",
        {
            **used_by("sqs:ReceiveMessage", "sqs.ReceiveMessage"),
            **used_by("sqs:DeleteMessage", "sqs.DeleteMessage sqs.DeleteMessageBatch"),
            **used_by(
                "sqs:ChangeMessageVisibility",
                "sqs.ChangeMessageVisibility sqs.ChangeMessageVisibilityBatch",
            ),
            **used_by("sqs:GetQueueAttributes", "sqs.GetQueueAttributes"),
        },
        (blueprint.names.queue_arn,),
    )
    yield from reading_encrypted(blueprint, ("sqs.ReceiveMessage",))


def reading_encrypted(blueprint: Blueprint, readers: tuple[str, ...]) -> Iterator[Grant]:
    """Yield what it takes to read messages under a key of the owner's (rule 12)."""
    key = blueprint.stack.pipeline.kms_key_arn
    service = blueprint.names.asking_kms("sqs")
    if key:
        condition = {"StringEquals": {"kms:ViaService": service}}
        yield Grant("ReadEncrypted", {"kms:Decrypt": readers}, (key,), condition)


def group_arn(names: Names) -> str:
    """Return the group's ARN; AWS puts an id of its own into it, which nobody knows before."""
    return names.arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{names.group}")


def _own_group(names: Names) -> Iterator[Grant]:
    yield Grant(
        "OwnGroup",
        {
            **used_by(
                "autoscaling:RecordLifecycleActionHeartbeat",
                "autoscaling.RecordLifecycleActionHeartbeat",
            ),
            **used_by("autoscaling:CompleteLifecycleAction", "autoscaling.CompleteLifecycleAction"),
            **used_by("autoscaling:SetInstanceHealth", "autoscaling.SetInstanceHealth"),
        },
        (group_arn(names),),
    )
    # AWS knows no resource for it.
    yield Grant(
        "WhichGroup",
        used_by(
            "autoscaling:DescribeAutoScalingInstances", "autoscaling.DescribeAutoScalingInstances"
        ),
        ("*",),
    )


def _own_numbers() -> Iterator[Grant]:
    """Yield what the agent needs to send memory and disk in use, by the group's name.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/create-iam-roles-for-cloudwatch-agent.html
    """
    yield Grant(
        "SendMetrics",
        {"cloudwatch:PutMetricData": CLOUDWATCH_AGENT},
        ("*",),
        {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}},
    )
    # How the agent learns the group's name; AWS knows no resource for it.
    yield Grant("ReadOwnTags", {"ec2:DescribeTags": CLOUDWATCH_AGENT}, ("*",))


def _own_log(names: Names) -> Iterator[Grant]:
    """Yield what the agent calls: it makes streams, and writes; the log group is the stack's.

    IAM asks for both by the stream's ARN. Only with a retention of its own would it look at groups.
    """
    group = names.arn("logs", f"log-group:{names.worker_log_group}")
    yield Grant(
        "WriteLog",
        {"logs:CreateLogStream": CLOUDWATCH_AGENT, "logs:PutLogEvents": CLOUDWATCH_AGENT},
        (f"{group}:log-stream:*",),
    )


def _session_manager() -> Iterator[Grant]:
    """Yield what the SSM agent needs for sessions and commands; AWS knows no resources for it.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
    https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
    """
    actions = (
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
        "ec2messages:AcknowledgeMessage",
        "ec2messages:FailMessage",
        "ec2messages:GetMessages",
        "ec2messages:SendReply",
    )
    yield Grant("SessionManager", dict.fromkeys(actions, SSM_AGENT), ("*",))
