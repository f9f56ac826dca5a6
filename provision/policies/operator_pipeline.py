"""What the operator calls for the pipeline: S3, SQS, SNS. Pure."""

from collections.abc import Iterator

from provision.policies.files_key import using_files_key
from provision.policies.grants import Grant, same, used_by
from provision.policies.worker import GUARD_PROBE_FOLDER
from provision.spec.blueprint import Blueprint
from provision.spec.names import Names


def pipeline_grants(blueprint: Blueprint) -> Iterator[Grant]:
    """Yield what makes, shows, proves and takes away a file's way to the queue."""
    yield from _bucket(blueprint)
    yield from _files(blueprint)
    yield from _queues(blueprint)
    yield from _topics(blueprint.names)


def _bucket(blueprint: Blueprint) -> Iterator[Grant]:
    yield Grant(
        "Bucket",
        {
            **same("s3", "CreateBucket DeleteBucket"),
            **same("s3", "GetBucketVersioning PutBucketVersioning"),
            **same("s3", "GetBucketPolicy PutBucketPolicy GetBucketTagging PutBucketTagging"),
            **used_by("s3:TagResource", "s3.CreateBucket s3.PutBucketTagging"),
            **used_by("s3:GetBucketOwnershipControls", "s3.GetBucketOwnershipControls"),
            **used_by(
                "s3:PutBucketOwnershipControls", "s3.CreateBucket s3.PutBucketOwnershipControls"
            ),
            **used_by("s3:GetEncryptionConfiguration", "s3.GetBucketEncryption"),
            **used_by("s3:PutEncryptionConfiguration", "s3.PutBucketEncryption"),
            **used_by("s3:GetBucketObjectLockConfiguration", "s3.GetObjectLockConfiguration"),
            **used_by("s3:GetLifecycleConfiguration", "s3.GetBucketLifecycleConfiguration"),
            **used_by("s3:PutLifecycleConfiguration", "s3.PutBucketLifecycleConfiguration"),
            **used_by("s3:GetBucketPublicAccessBlock", "s3.GetPublicAccessBlock"),
            **used_by("s3:PutBucketPublicAccessBlock", "s3.PutPublicAccessBlock"),
            **used_by("s3:GetBucketNotification", "s3.GetBucketNotificationConfiguration"),
            **used_by("s3:PutBucketNotification", "s3.PutBucketNotificationConfiguration"),
            # Without it a missing object reads as 403 instead of 404 (rule 21).
            **used_by(
                "s3:ListBucket",
                "s3.HeadBucket s3.HeadObject s3.GetObject s3.CopyObject s3.ListObjectsV2",
            ),
            **used_by("s3:ListBucketVersions", "s3.ListObjectVersions"),
            **used_by("s3:ListBucketMultipartUploads", "s3.ListMultipartUploads"),
        },
        (blueprint.names.bucket_arn,),
    )


def _files(blueprint: Blueprint) -> Iterator[Grant]:
    pipeline, bucket = blueprint.stack.pipeline, blueprint.names.bucket_arn
    yield Grant(
        "LookAtFiles",  # a canary on its way, and what a dead letter is about
        used_by("s3:GetObject", "s3.HeadObject s3.GetObject"),
        (f"{bucket}/{pipeline.source_prefix}*", f"{bucket}/{pipeline.destination_prefix}*"),
    )
    yield Grant(
        "CanaryAndProbe",
        {
            **used_by("s3:PutObject", "s3.PutObject s3.CopyObject"),
            **used_by("s3:PutObjectTagging", "s3.PutObject"),
        },
        (
            f"{bucket}/{pipeline.source_prefix}.canary/*",
            f"{bucket}/{pipeline.destination_prefix}{GUARD_PROBE_FOLDER}*",
        ),
    )
    yield from using_files_key(
        blueprint, reads="s3.GetObject s3.CopyObject", writes="s3.PutObject s3.CopyObject"
    )
    # Canary and probe clear up after themselves; `destroy --with-files` deletes all there is.
    yield Grant(
        "DeleteFiles",
        {
            **used_by("s3:DeleteObject", "s3.DeleteObject s3.DeleteObjects"),
            **used_by("s3:DeleteObjectVersion", "s3.DeleteObject s3.DeleteObjects"),
            **used_by("s3:AbortMultipartUpload", "s3.AbortMultipartUpload"),
        },
        (f"{bucket}/*",),
    )


def _queues(blueprint: Blueprint) -> Iterator[Grant]:
    names = blueprint.names
    yield Grant(
        "Queues",
        {
            **same("sqs", "CreateQueue DeleteQueue GetQueueUrl SetQueueAttributes"),
            **same("sqs", "ListQueueTags TagQueue"),
            **used_by("sqs:GetQueueAttributes", "sqs.GetQueueAttributes sqs.StartMessageMoveTask"),
        },
        (names.queue_arn, names.dead_letter_queue_arn),
    )
    yield Grant(
        "DeadLetters",
        {
            **same("sqs", "ListMessageMoveTasks StartMessageMoveTask PurgeQueue"),
            **used_by("sqs:ReceiveMessage", "sqs.ReceiveMessage sqs.StartMessageMoveTask"),
            **used_by("sqs:DeleteMessage", "sqs.StartMessageMoveTask"),
            **used_by("sqs:ChangeMessageVisibility", "sqs.ChangeMessageVisibilityBatch"),
        },
        (names.dead_letter_queue_arn,),
    )
    yield Grant(
        "Redrive", used_by("sqs:SendMessage", "sqs.StartMessageMoveTask"), (names.queue_arn,)
    )
    if key := blueprint.stack.pipeline.kms_key_arn:
        yield Grant(
            "EncryptedDeadLetters",
            {
                **used_by("kms:Decrypt", "sqs.ReceiveMessage sqs.StartMessageMoveTask"),
                **used_by("kms:GenerateDataKey", "sqs.StartMessageMoveTask"),
            },
            (key,),
            {"StringEquals": {"kms:ViaService": names.asking_kms("sqs")}},
        )


def _topics(names: Names) -> Iterator[Grant]:
    yield Grant(
        "Topics",
        {
            **same("sns", "CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes"),
            **same("sns", "ListSubscriptionsByTopic ListTagsForResource TagResource Subscribe"),
        },
        (names.topic_arn, names.alarm_topic_arn),
    )
    # AWS knows no resource for them.
    yield Grant(
        "Subscriptions",
        same("sns", "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe"),
        ("*",),
    )
