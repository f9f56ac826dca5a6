"""What else a request needs when IAM is enforced. Every test here fails on plain moto."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.iam_actor import Actor, allow

Client = Any
"""A boto3 client."""

Refusal = Callable[..., tuple[int, str]]

ACCOUNT = "123456789012"
REGION = "us-east-2"


def test_rule_43_an_images_snapshots_need_leave_of_their_own(
    actor: Actor, ec2: Client, image_id: str, name: str, refusal: Refusal
) -> None:
    """DeleteAssociatedSnapshots asks for ec2:DeleteSnapshot on each."""
    run = ec2.run_instances(ImageId=image_id, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    instance = run["Instances"][0]["InstanceId"]
    made = ec2.create_image(InstanceId=instance, Name=name)["ImageId"]
    deregister = actor.client("ec2").deregister_image
    request = {"ImageId": made, "DeleteAssociatedSnapshots": True}
    actor.may(allow("ec2:DeregisterImage"))
    assert refusal(deregister, **request) == (403, "UnauthorizedOperation")
    actor.may(allow("ec2:DeregisterImage"), allow("ec2:DeleteSnapshot"))
    assert refusal(deregister, **request) == (200, "")


def test_a_batch_of_versions_needs_leave_to_delete_versions(
    actor: Actor, bucket: str, refusal: Refusal
) -> None:
    """s3:DeleteObject is for the current one."""
    actor.may(allow("s3:DeleteObject"))
    delete = actor.client("s3").delete_objects
    versions = {"Objects": [{"Key": "a", "VersionId": "null"}]}
    assert refusal(delete, Bucket=bucket, Delete=versions) == (403, "AccessDenied")
    actor.may(allow("s3:DeleteObjectVersion"))
    assert refusal(delete, Bucket=bucket, Delete=versions) == (200, "")


@pytest.mark.parametrize("missing", ["PutBucketOwnershipControls", "TagResource", "CreateBucket"])
def test_a_bucket_with_ownership_and_tags_needs_leave_for_both(
    actor: Actor, name: str, missing: str, refusal: Refusal
) -> None:
    """Beside s3:CreateBucket."""
    needed = ["CreateBucket", "PutBucketOwnershipControls", "TagResource"]
    create = actor.client("s3").create_bucket
    request = {
        "Bucket": f"{name}-made",
        "ObjectOwnership": "BucketOwnerEnforced",
        "CreateBucketConfiguration": {
            "LocationConstraint": REGION,
            "Tags": [{"Key": "a", "Value": "b"}],
        },
    }
    actor.may(*[allow(f"s3:{each}") for each in needed if each != missing])
    assert refusal(create, **request) == (403, "AccessDenied")
    actor.may(*[allow(f"s3:{each}") for each in needed])
    assert refusal(create, **request) == (200, "")


def test_rule_06_a_group_is_launched_from_templates_that_its_maker_may_launch(
    actor: Actor, ec2: Client, image_id: str, name: str, refusal: Refusal
) -> None:
    """Told by the template's own tags, and by ec2:LaunchTemplate on what it makes."""
    template = ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": image_id, "InstanceType": "t3.micro"},
        TagSpecifications=[
            {"ResourceType": "launch-template", "Tags": [{"Key": "stack", "Value": "ours"}]}
        ],
    )["LaunchTemplate"]["LaunchTemplateId"]
    templates = f"arn:aws:ec2:{REGION}:{ACCOUNT}:launch-template/*"
    ours = {"StringEquals": {"aws:ResourceTag/stack": "ours"}}
    theirs = {"StringEquals": {"aws:ResourceTag/stack": "theirs"}}
    instances = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"
    launch = allow("ec2:RunInstances", instances, {"ArnLike": {"ec2:LaunchTemplate": templates}})
    group = allow("autoscaling:CreateAutoScalingGroup")
    create = actor.client("autoscaling").create_auto_scaling_group
    request = {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 0,
        "AvailabilityZones": ["us-east-2a"],
        "LaunchTemplate": {"LaunchTemplateId": template, "Version": "1"},
    }
    for may in [
        [launch],
        [launch, allow("ec2:RunInstances", templates, theirs)],
        [allow("ec2:RunInstances", templates, ours)],
    ]:
        actor.may(group, *may)
        assert refusal(create, **request) == (403, "AccessDenied")
    actor.may(group, launch, allow("ec2:RunInstances", templates, ours))
    assert refusal(create, **request) == (200, "")


def test_what_stands_in_a_template_is_asked_for_at_the_launch_alone(
    actor: Actor, image_id: str, name: str, refusal: Refusal
) -> None:
    """Making a template needs leave for the template, whatever image it names."""
    template = f"arn:aws:ec2:{REGION}:{ACCOUNT}:launch-template/*"
    actor.may(allow("ec2:CreateLaunchTemplate", template))
    create = actor.client("ec2").create_launch_template
    data = {"ImageId": image_id, "InstanceType": "t3.micro"}
    assert refusal(create, LaunchTemplateName=name, LaunchTemplateData=data) == (200, "")
    run = actor.client("ec2").run_instances
    launched = {"LaunchTemplate": {"LaunchTemplateName": name}, "MinCount": 1, "MaxCount": 1}
    assert refusal(run, **launched) == (403, "UnauthorizedOperation")


def test_a_key_pair_is_told_by_its_tags(
    actor: Actor, ec2: Client, name: str, refusal: Refusal
) -> None:
    """At its making by the request's, at its end by its own."""
    tags = [{"ResourceType": "key-pair", "Tags": [{"Key": "stack", "Value": "ours"}]}]
    pairs = f"arn:aws:ec2:{REGION}:{ACCOUNT}:key-pair/*"
    actor.may(
        allow("ec2:CreateKeyPair", pairs, {"StringEquals": {"aws:RequestTag/stack": "ours"}}),
        allow("ec2:CreateTags", pairs),
        allow("ec2:DeleteKeyPair", pairs, {"StringEquals": {"aws:ResourceTag/stack": "ours"}}),
    )
    create, delete = actor.client("ec2").create_key_pair, actor.client("ec2").delete_key_pair
    assert refusal(create, KeyName=name) == (403, "UnauthorizedOperation")
    assert refusal(create, KeyName=name, TagSpecifications=tags) == (200, "")
    assert refusal(delete, KeyName=name) == (200, "")
    ec2.create_key_pair(KeyName=f"{name}-theirs")
    assert refusal(delete, KeyName=f"{name}-theirs") == (403, "UnauthorizedOperation")


def test_rule_16_a_redrive_needs_leave_to_send_to_where_the_letters_came_from(
    actor: Actor, sqs: Client, name: str, refusal: Refusal
) -> None:
    """Without a destination they go back to their queue."""
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dead"
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    source = sqs.create_queue(QueueName=f"{name}-source", Attributes={"RedrivePolicy": redrive})
    actions = ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    start = actor.client("sqs").start_message_move_task
    actor.may(*[allow(f"sqs:{each}", arn) for each in actions])
    assert refusal(start, SourceArn=arn) == (403, "AccessDenied")
    send = allow("sqs:SendMessage", arn.replace("-dead", "-source"))
    actor.may(*[allow(f"sqs:{each}", arn) for each in actions], send)
    assert refusal(start, SourceArn=arn) == (200, "")
    for url in (source["QueueUrl"], dead):
        sqs.delete_queue(QueueUrl=url)


def test_whoever_takes_a_role_out_of_a_profile_changes_the_profile(
    actor: Actor, iam: Client, name: str, refusal: Refusal
) -> None:
    """Leave for the role is not what it takes."""
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=actor.name)
    remove = actor.client("iam").remove_role_from_instance_profile
    request = {"InstanceProfileName": name, "RoleName": actor.name}
    action = "iam:RemoveRoleFromInstanceProfile"
    actor.may(allow(action, actor.arn))
    assert refusal(remove, **request) == (403, "AccessDenied")
    actor.may(allow(action, f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}"))
    assert refusal(remove, **request) == (200, "")


def test_service_quotas_are_called_servicequotas(actor: Actor, refusal: Refusal) -> None:
    """The action's prefix is no service's name in boto3."""
    get = actor.client("service-quotas").get_service_quota
    request = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
    assert refusal(get, **request)[0] in {400, 403}
    actor.may(allow("servicequotas:GetServiceQuota"))
    assert refusal(get, **request) == (200, "")
