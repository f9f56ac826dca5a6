"""Changes one property of a resource behind `provision`'s back."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from provision.core.resource import Change, Json, Key, Wanted
from provision.resources.policy import document, text_of
from support.stack_in_aws import Admin, Provisioner
from support.tampering_group import GROUP_BY_HAND, GROUP_OTHER_VALUES

OTHER_VALUES: Final[Mapping[str, Json]] = {
    "alarm:ComparisonOperator": "LessThanThreshold",
    "alarm:InsufficientDataActions": ["arn:aws:sns:us-east-2:123456789012:others"],
    "alarm:TreatMissingData": "ignore",
    "bucket:ObjectOwnership": "ObjectWriter",
    "bucket:ServerSideEncryption": {"SSEAlgorithm": "aws:kms", "BucketKeyEnabled": True},
    "bucket:VersioningStatus": "Suspended",
    "function:Runtime": "python3.14",
    "launch-template:ImageId": "ami-04681a1dbd79675a5",
    "launch-template:InstanceType": "t3.large",
    "launch-template:KeyName": "somebodys",
    "launch-template:SecurityGroups": ["sg-0123456789abcdef0"],
    "mapping:FunctionResponseTypes": [],
    "notification:Events": ["s3:ObjectCreated:Put"],
    "notification:Filter": {"prefix": "elsewhere/"},
    "queue:MaximumMessageSize": "1024",
    "queue:MessageRetentionPeriod": "60000",
    "queue:ReceiveMessageWaitTimeSeconds": "10",
    "security-group:Egress": ["tcp 22 0.0.0.0/0"],
    "subscription:FilterPolicy": {"event": ["other"]},
    "topic:KmsMasterKeyId": "alias/somebodys",
    **GROUP_OTHER_VALUES,
}
"""By "kind:property": what AWS takes as well, where `another` cannot know."""


def _use_a_key(world: Admin, key: Key) -> None:
    url = world.aws.sqs.get_queue_url(QueueName=key.name)["QueueUrl"]
    world.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/other"})


def _open_a_port(world: Admin, key: Key) -> None:
    world.aws.ec2.authorize_security_group_ingress(
        GroupId=_group_id(world, key), IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )


def _group_id(world: Admin, key: Key) -> str:
    filters = [{"Name": "group-name", "Values": [key.name]}]
    found = world.aws.ec2.describe_security_groups(Filters=filters)  # type: ignore[arg-type] # a list of plain dicts
    return found["SecurityGroups"][0]["GroupId"]


def _tell_another_topic(world: Admin, key: Key) -> None:
    bucket = world.blueprint.names.bucket
    told: Any = world.aws.s3.get_bucket_notification_configuration(Bucket=bucket)
    del told["ResponseMetadata"]
    [ours] = [each for each in told["TopicConfigurations"] if each["Id"] == key.name]
    ours["TopicArn"] += "-other"
    world.aws.s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=told, SkipDestinationValidation=True
    )


def _take_the_role_out(world: Admin, key: Key) -> None:
    world.aws.iam.remove_role_from_instance_profile(
        InstanceProfileName=key.name, RoleName=world.blueprint.names.worker_role
    )


def _lend_a_role(world: Admin, key: Key) -> None:
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    )
    role = world.aws.iam.create_role(
        RoleName=f"{key.name}-lent", AssumeRolePolicyDocument=text_of(trust)
    )["Role"]
    world.aws.lambda_.update_function_configuration(FunctionName=key.name, Role=role["Arn"])


def _judge_by_more_minutes(world: Admin, key: Key) -> None:
    """Ask for more minutes of more: an alarm of one in one has no other DatapointsToAlarm."""
    told: Any = world.aws.cloudwatch.describe_alarms(AlarmNames=[key.name])["MetricAlarms"][0]
    more = {each: told[each] + 1 for each in COUPLED["alarm:DatapointsToAlarm"]}
    kept = {each: told[each] for each in ALARM_ARGUMENTS if each in told}
    world.aws.cloudwatch.put_metric_alarm(**kept | more)


def _change_the_code(world: Admin, key: Key) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("other.py", "")
    world.aws.lambda_.update_function_code(FunctionName=key.name, ZipFile=packed.getvalue())


def _set_what_we_never_set(world: Admin, key: Key) -> None:
    made = world.aws.ec2.create_launch_template_version(
        LaunchTemplateName=key.name,
        SourceVersion="$Default",
        LaunchTemplateData={"EbsOptimized": True},
    )["LaunchTemplateVersion"]
    world.aws.ec2.modify_launch_template(
        LaunchTemplateName=key.name, DefaultVersion=str(made["VersionNumber"])
    )


ALARM_ARGUMENTS: Final = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "AlarmName",
    "ComparisonOperator",
    "InsufficientDataActions",
    "Metrics",
    "OKActions",
    "Threshold",
    "TreatMissingData",
)

BY_HAND: Final[Mapping[str, Callable[[Admin, Key], None]]] = {
    "alarm:DatapointsToAlarm": _judge_by_more_minutes,
    "function:CodeSha256": _change_the_code,
    "function:Role": _lend_a_role,
    "instance-profile:Role": _take_the_role_out,
    "launch-template:Others": _set_what_we_never_set,
    "notification:TopicArn": _tell_another_topic,
    "queue:KmsMasterKeyId": _use_a_key,
    "security-group:Ingress": _open_a_port,
    **GROUP_BY_HAND,
}
"""By "kind:property": what the provider itself would never write."""


COUPLED: Final = {
    "alarm:DatapointsToAlarm": {"DatapointsToAlarm", "EvaluationPeriods"},
    "queue:KmsMasterKeyId": {"KmsMasterKeyId", "SqsManagedSseEnabled"},
}
"""By "kind:property": what AWS itself changes with it."""


def tamper(world: Provisioner, wanted: Wanted, name: str) -> None:
    """Give the property another value; AssertionError if nobody said which could be."""
    about = f"{wanted.key.kind}:{name}"
    if about in BY_HAND:
        BY_HAND[about](world, wanted.key)
        return
    [old] = [each for each in wanted.properties if each.name == name]
    new = replace(old, value=OTHER_VALUES.get(about, another(old.value)))
    assert new.value != old.value, f"tests/support/tampering.py must say what else {about} may be"
    others = tuple(new if each.name == name else each for each in wanted.properties)
    change = Change(name, old.value, new.value)
    world.providers[wanted.key.kind].update(Wanted(wanted.key, others), [change])


def another(value: Json) -> Json:
    """Return a value of the same kind that is not this one, or this one if it is empty."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return _another_text(value)
    if isinstance(value, Mapping):
        return _with_one_changed(value)
    if isinstance(value, list) and value:
        return [another(value[0]), *value[1:]]
    return value


OPPOSITES: Final = {
    "true": "false",
    "false": "true",
    "Allow": "Deny",
    "Deny": "Allow",
    "Enabled": "Disabled",
}


def _another_text(value: str) -> str:
    if value in OPPOSITES:
        return OPPOSITES[value]
    if value.isdecimal():
        return str(int(value) + 1)
    return f"{value}-other" if value else value


def _with_one_changed(value: Mapping[str, Json]) -> Json:
    changed = {name: another(each) for name, each in value.items()}
    for name in sorted(value, key=lambda name: _reluctance(name, value[name])):
        if changed[name] != value[name]:
            return {**value, name: changed[name]}
    return value


def _reluctance(name: str, value: Json) -> int:
    """Order what to change: AWS checks numbers least, and texts of its own most."""
    if name in {"Sid", "Version", "Action", "Id", "Expression", "Period", "ReturnData"}:
        return 2
    return 0 if isinstance(value, int) or (isinstance(value, str) and value in OPPOSITES) else 1
