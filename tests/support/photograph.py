"""Everything that an account holds, as its services tell it, to be compared with a later look."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from provision.aws.session import Aws

Picture: TypeAlias = "dict[str, Any]"
"""What there is, by "service thing"."""

BUCKET_PARTS = (
    "get_bucket_versioning",
    "get_public_access_block",
    "get_bucket_ownership_controls",
    "get_bucket_encryption",
    "get_bucket_policy",
    "get_bucket_lifecycle_configuration",
    "get_bucket_tagging",
    "get_bucket_notification_configuration",
)

UNSTABLE = ("ResponseMetadata", "LastModifiedTimestamp", "ApproximateNumberOfMessages")
"""What differs between two looks although nobody changed anything."""


def photograph(aws: Aws) -> Picture:
    """Look at everything; two pictures are equal if nothing was made, changed or taken away."""
    seen: Picture = {}
    for look in (_buckets, _queues, _topics, _roles, _groups, _functions, _watch):
        seen |= {name: _stable(told) for name, told in look(aws)}
    return seen


def _buckets(aws: Aws) -> Iterator[tuple[str, Any]]:
    for each in aws.s3.list_buckets()["Buckets"]:
        name = each["Name"]
        for part in BUCKET_PARTS:
            yield f"bucket {name} {part}", _told(getattr(aws.s3, part), Bucket=name)


def _queues(aws: Aws) -> Iterator[tuple[str, Any]]:
    for url in aws.sqs.list_queues().get("QueueUrls", []):
        told = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        yield f"queue {url}", told["Attributes"]
        yield f"queue {url} tags", _told(aws.sqs.list_queue_tags, QueueUrl=url)


def _topics(aws: Aws) -> Iterator[tuple[str, Any]]:
    for each in aws.sns.list_topics()["Topics"]:
        arn = each["TopicArn"]
        yield f"topic {arn}", _told(aws.sns.get_topic_attributes, TopicArn=arn)
        yield f"topic {arn} tags", _told(aws.sns.list_tags_for_resource, ResourceArn=arn)
    for told in aws.sns.list_subscriptions()["Subscriptions"]:
        yield f"subscription {told['TopicArn']} {told['Endpoint']}", told


def _roles(aws: Aws) -> Iterator[tuple[str, Any]]:
    for role in aws.iam.list_roles()["Roles"]:
        name = role["RoleName"]
        yield f"role {name}", _told(aws.iam.get_role, RoleName=name)
        yield f"role {name} attached", _told(aws.iam.list_attached_role_policies, RoleName=name)
        for policy in aws.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            told = _told(aws.iam.get_role_policy, RoleName=name, PolicyName=policy)
            yield f"role {name} policy {policy}", told
    for profile in aws.iam.list_instance_profiles()["InstanceProfiles"]:
        yield f"instance profile {profile['InstanceProfileName']}", profile


def _groups(aws: Aws) -> Iterator[tuple[str, Any]]:
    for group in aws.ec2.describe_security_groups()["SecurityGroups"]:
        yield f"security group {group['GroupName']}", group
    for template in aws.ec2.describe_launch_templates()["LaunchTemplates"]:
        yield f"launch template {template['LaunchTemplateName']}", template
    for each in aws.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        name = each["AutoScalingGroupName"]
        yield f"group {name}", each
        hooks = aws.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=name)
        yield f"group {name} hooks", hooks["LifecycleHooks"]
        policies = aws.autoscaling.describe_policies(AutoScalingGroupName=name)
        yield f"group {name} policies", policies["ScalingPolicies"]


def _functions(aws: Aws) -> Iterator[tuple[str, Any]]:
    for function in aws.lambda_.list_functions()["Functions"]:
        yield f"function {function['FunctionName']}", function
    for mapping in aws.lambda_.list_event_source_mappings()["EventSourceMappings"]:
        yield f"mapping {mapping['UUID']}", mapping


def _watch(aws: Aws) -> Iterator[tuple[str, Any]]:
    for alarm in aws.cloudwatch.describe_alarms()["MetricAlarms"]:
        yield f"alarm {alarm['AlarmName']}", alarm
    for dashboard in aws.cloudwatch.list_dashboards()["DashboardEntries"]:
        yield f"dashboard {dashboard['DashboardName']}", dashboard
    for group in aws.logs.describe_log_groups()["logGroups"]:
        yield f"log group {group['logGroupName']}", group


def _told(ask: Callable[..., Any], **about: str) -> Any:  # noqa: ANN401 # whatever AWS tells
    try:
        return ask(**about)
    except ClientError as error:
        return error.response.get("Error", {}).get("Code")


def _stable(told: Any) -> Any:  # noqa: ANN401 # whatever AWS tells
    if not isinstance(told, dict):
        return told
    return {name: each for name, each in told.items() if not name.startswith(UNSTABLE)}
