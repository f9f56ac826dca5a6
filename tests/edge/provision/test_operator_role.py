"""The operator's role, with IAM enforced: all that `provision` does, and nothing else."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.operator_role import Agents, Operator, an_operator, denied, without
from support.operator_story import STEPS, simulates
from support.provision_world import IMAGE, World
from support.recorded_aws import RecordedAws
from support.stacks import a_blueprint
from support.stories import first_failure

from provision.aws.images import remove_image, stack_images
from provision.policies.operator import operator_policies
from worker.demo.embedded.server import EmbeddedAws

HAS_AGENTS = True

Build = Callable[..., World]
Call = Callable[[RecordedAws], object]

NEVER_HERE = {
    # The embedded AWS makes the service-linked role without asking.
    "iam:CreateServiceLinkedRole": "ServiceLinkedRole",
    # An image under a customer's key; KMS is not there.
    "kms:DescribeKey": "Keys",
    "kms:GetKeyPolicy": "Keys",
    "kms:ListGrants": "Keys",
    # A stack file that names a key pair.
    "ec2:DescribeKeyPairs": "",
}
"""Actions that no step here needs, and the statement that holds nothing else."""

DENIED = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation", "AccessDeniedException")


def statements() -> list[dict[str, Any]]:
    """Return all statements of a stack's documents."""
    documents: list[Any] = list(operator_policies(a_blueprint()).values())
    return [statement for document in documents for statement in document["Statement"]]


SIDS = sorted({each["Sid"] for each in statements()} - set(NEVER_HERE.values()))
SAMPLE = ("NewTemplate", "PassToInstances", "Topics")
"""Shown in every run; the others in the heavy one."""


@pytest.fixture
def clean(build: Build) -> Iterator[World]:
    """Give a stack of which nothing exists, and whose images and files go at the end."""
    world = build(tags={"cost-centre": "42"})
    yield world
    bucket = world.blueprint.names.bucket
    s3 = world.aws.s3
    if bucket in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        listed = s3.list_object_versions(Bucket=bucket)
        for each in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    for image in stack_images(world.aws.ec2, world.stack):
        remove_image(world.aws.ec2, image)


@pytest.mark.heavy
def test_the_operator_can_do_all_of_it_and_needs_every_action(
    region: EmbeddedAws, agents: Agents, clean: World
) -> None:
    """From an empty account to an empty account, nothing is denied, and no action is idle."""
    region.accesses.clear()
    with an_operator(clean, agents) as operator:
        assert first_failure(operator, STEPS) is None
        simulates(operator)
    assert denied(region) == []
    needed = {each.action for each in region.accesses}
    allowed = {action for each in statements() for action in _listed(each["Action"])}
    assert allowed - needed == set(NEVER_HERE)


@pytest.mark.parametrize(
    "sid", [pytest.param(s, marks=[] if s in SAMPLE else [pytest.mark.heavy]) for s in SIDS]
)
def test_without_one_statement_a_step_fails(
    region: EmbeddedAws, agents: Agents, clean: World, sid: str
) -> None:
    """And the step says so: no statement is there for nothing."""
    region.accesses.clear()
    documents = without(operator_policies(clean.blueprint), sid)
    with an_operator(clean, agents, documents) as operator:
        failed = first_failure(operator, STEPS)
    print(f"without {sid}: {failed}")
    assert failed is not None
    assert denied(region)


def test_whoever_lacks_a_statement_hears_it_before_anything_is_made(
    agents: Agents, clean: World
) -> None:
    """By IAM's own simulation."""
    documents = without(operator_policies(clean.blueprint), "Topics")
    with an_operator(clean, agents, documents) as operator, pytest.raises(AssertionError):
        simulates(operator)


# --- nothing else ---------------------------------------------------------------------------------


@dataclass
class Others:
    """What is not the stack's."""

    queue: str
    topic: str
    bucket: str
    instance: str
    template: str
    image: str
    group: str


@pytest.fixture
def others(aws: RecordedAws, name: str) -> Others:
    """Make what is somebody else's."""
    other = f"other-{name}"
    aws.s3.create_bucket(
        Bucket=other, CreateBucketConfiguration={"LocationConstraint": "us-east-2"}
    )
    run = aws.ec2.run_instances(ImageId=IMAGE.id, MinCount=1, MaxCount=1, InstanceType="t3.small")
    instance = run["Instances"][0]["InstanceId"]
    template = aws.ec2.create_launch_template(
        LaunchTemplateName=other,
        LaunchTemplateData={"ImageId": IMAGE.id, "InstanceType": "t3.small"},
    )["LaunchTemplate"]
    aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=other,
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=["us-east-2a"],
        LaunchTemplate={"LaunchTemplateName": other, "Version": "1"},
    )
    return Others(
        aws.sqs.create_queue(QueueName=other)["QueueUrl"],
        aws.sns.create_topic(Name=other)["TopicArn"],
        other,
        instance,
        template["LaunchTemplateId"],
        aws.ec2.create_image(InstanceId=instance, Name=other)["ImageId"],
        other,
    )


def calls_outside(operator: Operator, others: Others) -> dict[str, Call]:
    """Return what an operator of this stack has no business with, by what it is."""
    return {
        **_with_what_is_kept(operator, others),
        **_with_rights(operator),
        **_with_instances(others),
        **_with_templates_and_groups(operator, others),
        **_with_images(operator, others),
    }


def _with_what_is_kept(operator: Operator, others: Others) -> dict[str, Call]:
    mine = operator.names.bucket
    queue = others.queue.replace(others.bucket, operator.names.queue)
    return {
        "read another bucket": lambda a: a.s3.list_object_versions(Bucket=others.bucket),
        "write to another bucket": lambda a: a.s3.put_object(Bucket=others.bucket, Key="x"),
        "upload a file": lambda a: a.s3.put_object(Bucket=mine, Key="uploads/x"),
        "read a file elsewhere": lambda a: a.s3.get_object(Bucket=mine, Key="else/x"),
        "delete a queue": lambda a: a.sqs.delete_queue(QueueUrl=others.queue),
        "purge the queue": lambda a: a.sqs.purge_queue(QueueUrl=queue),
        "delete a topic": lambda a: a.sns.delete_topic(TopicArn=others.topic),
        "delete another alarm": lambda a: a.cloudwatch.delete_alarms(AlarmNames=["others"]),
        "delete another log": lambda a: a.logs.delete_log_group(logGroupName="/others"),
    }


def _with_rights(operator: Operator) -> dict[str, Call]:
    names, own_role = operator.names, operator.role
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    allow_all = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return {
        "raise one's own rights": lambda a: a.iam.put_role_policy(
            RoleName=own_role, PolicyName="more", PolicyDocument=allow_all
        ),
        "make another role": lambda a: a.iam.create_role(
            RoleName=f"{names.stack}-else", AssumeRolePolicyDocument=allow_all
        ),
        "give a function another role": lambda a: a.lambda_.create_function(
            FunctionName=names.function,
            Role=names.role_arn(own_role),
            Runtime="python3.12",
            Handler="x.y",
            Code={"ZipFile": b"x"},
        ),
    }


def _with_instances(others: Others) -> dict[str, Call]:
    return {
        "launch an instance": lambda a: a.ec2.run_instances(
            ImageId=IMAGE.id, MinCount=1, MaxCount=1
        ),
        "terminate an instance": lambda a: a.ec2.terminate_instances(InstanceIds=[others.instance]),
        "run a command elsewhere": lambda a: a.ssm.send_command(
            InstanceIds=[others.instance],
            DocumentName="AWS-RunShellScript",
            Parameters={"commands": ["id"]},
        ),
        "run another document": lambda a: a.ssm.send_command(
            InstanceIds=[others.instance], DocumentName="AWS-ApplyPatchBaseline"
        ),
    }


def _with_templates_and_groups(operator: Operator, others: Others) -> dict[str, Call]:
    data: Any = {"ImageId": IMAGE.id}
    foreign: Any = {"LaunchTemplateId": others.template, "Version": "1"}
    return {
        "make a template that is nobody's": lambda a: a.ec2.create_launch_template(
            LaunchTemplateName="nobodys", LaunchTemplateData=data
        ),
        "change another template": lambda a: a.ec2.create_launch_template_version(
            LaunchTemplateId=others.template, LaunchTemplateData=data
        ),
        "launch another's template": lambda a: a.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=operator.names.group,
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=["us-east-2a"],
            LaunchTemplate=foreign,
        ),
        "delete another group": lambda a: a.autoscaling.delete_auto_scaling_group(
            AutoScalingGroupName=others.group
        ),
    }


def _with_images(operator: Operator, others: Others) -> dict[str, Call]:
    mine: Any = [{"Key": "s3-event-worker:stack", "Value": operator.names.stack}]
    return {
        "reboot an instance for its image": lambda a: a.ec2.create_image(
            InstanceId=others.instance, Name="mine-now"
        ),
        "make another's image one's own": lambda a: a.ec2.create_tags(
            Resources=[others.image], Tags=mine
        ),
        "deregister another image": lambda a: a.ec2.deregister_image(ImageId=others.image),
    }


def test_calls_outside_are_denied(
    region: EmbeddedAws, agents: Agents, clean: World, others: Others
) -> None:
    """What is another's, what nobody's tag stands on, and what would raise one's own rights."""
    agents.known = [others.instance]
    clean.apply()
    went_through = []
    with an_operator(clean, agents) as operator:
        for what, call in calls_outside(operator, others).items():
            region.accesses.clear()
            try:
                call(operator.world.aws)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in DENIED and denied(region):
                    continue
                went_through.append(f"{what} ({code}: not by IAM)")
            else:
                went_through.append(what)
    assert went_through == []


def _listed(value: Any) -> list[str]:  # noqa: ANN401 # one, or several, as IAM has it
    return value if isinstance(value, list) else [value]
