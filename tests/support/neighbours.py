"""What others have in the same account, under names that look much like ours."""

import json
from typing import Any

from provision.aws.session import Aws
from provision.spec.names import Names


def move_in(aws: Aws, names: Names) -> None:
    """Give others a queue, a topic, a bucket, a role, an alarm … beside each of the stack's own."""
    for near in (f"{names.queue}s", f"{names.dead_letter_queue}-old", f"my-{names.queue}"):
        aws.sqs.create_queue(QueueName=near, tags={"owner": "others"})
        topic = aws.sns.create_topic(Name=near)["TopicArn"]
        aws.sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="others@example.com")
    trust = json.dumps(TRUST)
    aws.iam.create_role(RoleName=f"{names.worker_role}s", AssumeRolePolicyDocument=trust)
    aws.iam.create_instance_profile(InstanceProfileName=f"{names.worker_role}s")
    aws.ec2.create_security_group(GroupName=f"{names.security_group}s", Description="others'")
    aws.ec2.create_launch_template(
        LaunchTemplateName=f"{names.launch_template}s",
        LaunchTemplateData={"InstanceType": "t3.micro"},
    )
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=f"{names.group}-old",
        LaunchTemplate={"LaunchTemplateName": f"{names.launch_template}s", "Version": "1"},
        AvailabilityZones=["us-east-2a"],
        MinSize=0,
        MaxSize=0,
    )
    aws.cloudwatch.put_metric_alarm(
        AlarmName=f"{names.stack}-others",
        MetricName="CPUUtilization",
        Namespace="AWS/EC2",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=99,
        ComparisonOperator="GreaterThanThreshold",
    )
    aws.logs.create_log_group(logGroupName=f"{names.worker_log_group}-others")
    a_bucket(aws, f"{names.bucket}-old")


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def a_bucket(aws: Aws, name: str) -> None:
    """Make a bucket that others use to the full: rules, EventBridge, policy, lifecycle, tags."""
    aws.s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={
            "LocationConstraint": "us-east-2",
            "Tags": [{"Key": "owner", "Value": "others"}],
        },
    )
    aws.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(their_policy(name)))
    aws.s3.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [THEIR_LIFECYCLE]}
    )
    aws.s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration=their_rules(aws, name)
    )


THEIR_LIFECYCLE: Any = {
    "ID": "theirs",
    "Status": "Enabled",
    "Filter": {"Prefix": "logs/"},
    "Expiration": {"Days": 3},
}


def their_policy(bucket: str) -> dict[str, Any]:
    """Return a bucket policy with two statements, one of which has no Sid."""
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": f"arn:aws:s3:::{bucket}/public/*",
    }
    return {"Version": "2008-10-17", "Id": "theirs", "Statement": [allow, {"Sid": "One", **allow}]}


def their_rules(aws: Aws, bucket: str) -> Any:  # noqa: ANN401 # S3's own nested shape
    """Return rules of others, and EventBridge; what they tell exists, and lets the bucket tell."""
    queue = aws.sqs.create_queue(QueueName=f"{bucket}-theirs")["QueueUrl"]
    attributes = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}
    policy = {"Statement": [{**allow, "Action": "sqs:SendMessage", "Resource": arn}]}
    aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    rules = [
        {
            "Id": f"theirs-{prefix}",
            "QueueArn": arn,
            "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": f"{prefix}/"}]}},
        }
        for prefix in ("logs", "reports")
    ]
    return {"QueueConfigurations": rules, "EventBridgeConfiguration": {}}


def share(aws: Aws, bucket: str) -> set[str]:
    """Put things of others beside ours into our bucket; returns them as `shared` would."""
    told: Any = aws.s3.get_bucket_notification_configuration(Bucket=bucket)
    del told["ResponseMetadata"]
    rules: Any = {**told, **their_rules(aws, bucket)}
    aws.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=rules)
    policy = json.loads(aws.s3.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"] += their_policy(bucket)["Statement"]
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    lifecycle: Any = aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    aws.s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [*lifecycle, THEIR_LIFECYCLE]}
    )
    tags: Any = aws.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    tags.append({"Key": "owner", "Value": "theirs"})
    aws.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    return {each for each in shared(aws, bucket) if "s3-event-worker" not in each.lower()}


def shared(aws: Aws, bucket: str) -> set[str]:
    """Return every rule, statement and tag of a bucket, each as a text; EventBridge as well."""
    told: Any = aws.s3.get_bucket_notification_configuration(Bucket=bucket)
    del told["ResponseMetadata"]
    rules = [*told.pop("TopicConfigurations", []), *told.pop("QueueConfigurations", []), told]
    statements = json.loads(aws.s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    lifecycle = aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    tags = aws.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    everything = [*rules, *statements, *lifecycle, *tags]
    return {json.dumps(each, sort_keys=True) for each in everything}
