"""Takes away the tag that says whose a resource is, as if it had been there before the stack."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from provision.core.resource import OWNER_TAG, Key
from support.provision_world import World

Untag = Callable[[World, Key], Any]


def untag(world: World, key: Key) -> None:
    """Take the tag away; LookupError for a kind that nobody said how to."""
    BY_KIND[key.kind](world, key)


def _bucket(world: World, key: Key) -> None:
    world.aws.s3.delete_bucket_tagging(Bucket=key.name)


def _queue(world: World, key: Key) -> None:
    url = world.aws.sqs.get_queue_url(QueueName=key.name)["QueueUrl"]
    world.aws.sqs.untag_queue(QueueUrl=url, TagKeys=[OWNER_TAG])


def _topic(world: World, key: Key) -> None:
    arn = world.blueprint.names.arn("sns", key.name)
    world.aws.sns.untag_resource(ResourceArn=arn, TagKeys=[OWNER_TAG])


def _role(world: World, key: Key) -> None:
    world.aws.iam.untag_role(RoleName=key.name, TagKeys=[OWNER_TAG])


def _instance_profile(world: World, key: Key) -> None:
    world.aws.iam.untag_instance_profile(InstanceProfileName=key.name, TagKeys=[OWNER_TAG])


def _security_group(world: World, key: Key) -> None:
    found = world.aws.ec2.describe_security_groups(GroupNames=[key.name])["SecurityGroups"]
    _untag_in_ec2(world, found[0]["GroupId"])


def _launch_template(world: World, key: Key) -> None:
    found = world.aws.ec2.describe_launch_templates(LaunchTemplateNames=[key.name])
    _untag_in_ec2(world, found["LaunchTemplates"][0]["LaunchTemplateId"])


def _untag_in_ec2(world: World, resource: str) -> None:
    world.aws.ec2.delete_tags(Resources=[resource], Tags=[{"Key": OWNER_TAG}])


def _group(world: World, key: Key) -> None:
    tag: Any = {"ResourceId": key.name, "ResourceType": "auto-scaling-group", "Key": OWNER_TAG}
    world.aws.autoscaling.delete_tags(Tags=[tag])


def _function(world: World, key: Key) -> None:
    arn = world.aws.lambda_.get_function(FunctionName=key.name)["Configuration"]["FunctionArn"]
    world.aws.lambda_.untag_resource(Resource=arn, TagKeys=[OWNER_TAG])


def _alarm(world: World, key: Key) -> None:
    arn = world.blueprint.names.arn("cloudwatch", f"alarm:{key.name}")
    world.aws.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=[OWNER_TAG])


def _log_group(world: World, key: Key) -> None:
    arn = world.blueprint.names.arn("logs", f"log-group:{key.name}")
    world.aws.logs.untag_resource(resourceArn=arn, tagKeys=[OWNER_TAG])


BY_KIND: Final[Mapping[str, Untag]] = {
    "alarm": _alarm,
    "bucket": _bucket,
    "function": _function,
    "group": _group,
    "instance-profile": _instance_profile,
    "launch-template": _launch_template,
    "log-group": _log_group,
    "queue": _queue,
    "role": _role,
    "security-group": _security_group,
    "topic": _topic,
}
