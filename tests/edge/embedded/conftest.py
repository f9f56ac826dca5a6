"""One embedded AWS for all tests here; with EMBEDDED_AWS=plain in the environment, plain moto."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from support.delivery import may_deliver
from support.groups import Group
from support.iam_actor import Actor
from support.lambda_package import trust

from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws

COPY_LIMIT_BYTES = 6 * 1024 * 1024
"""Above the 5 MiB that a part must have, and small enough to exceed quickly."""

LAMBDA_SECONDS = 60.0
"""No test that looks at a change meets its end by chance; the clock is set forward."""

Client = Any
"""A boto3 client: tests use several services through one type."""


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    """Start the server that all tests here share."""
    honest = os.environ.get("EMBEDDED_AWS") != "plain"
    with EmbeddedAws(
        honest=honest,
        copy_limit_bytes=COPY_LIMIT_BYTES,
        delays=Delays(lambda_seconds=LAMBDA_SECONDS),
    ) as server:
        yield server


@pytest.fixture(scope="module")
def client(aws: EmbeddedAws) -> Iterator[Callable[[str], Client]]:
    """Give a factory of boto3 clients that never retry, so that a refusal is seen at once."""
    made: dict[str, Client] = {}
    connect: Callable[..., Client] = boto3.client

    def make(service: str) -> Client:
        if service not in made:
            made[service] = connect(
                service,
                endpoint_url=aws.endpoint_url,
                region_name="us-east-2",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32),
            )
        return made[service]

    yield make
    for each in made.values():
        each.close()


@pytest.fixture(scope="module")
def s3(client: Callable[[str], Client]) -> Client:
    """Give the S3 client."""
    return client("s3")


@pytest.fixture(scope="module")
def sqs(client: Callable[[str], Client]) -> Client:
    """Give the SQS client."""
    return client("sqs")


@pytest.fixture(scope="module")
def sns(client: Callable[[str], Client]) -> Client:
    """Give the SNS client."""
    return client("sns")


@pytest.fixture(scope="module")
def ec2(client: Callable[[str], Client]) -> Client:
    """Give the EC2 client."""
    return client("ec2")


@pytest.fixture(scope="module")
def iam(client: Callable[[str], Client]) -> Client:
    """Give the IAM client."""
    return client("iam")


@pytest.fixture(scope="module")
def autoscaling(client: Callable[[str], Client]) -> Client:
    """Give the Auto Scaling client."""
    return client("autoscaling")


@pytest.fixture(scope="module")
def image_id(ec2: Client) -> str:
    """Give an image of Amazon's, for x86_64."""
    chosen = [{"Name": "architecture", "Values": ["x86_64"]}]
    found: str = ec2.describe_images(Owners=["amazon"], Filters=chosen)["Images"][0]["ImageId"]
    return found


@pytest.fixture(scope="module")
def subnets(ec2: Client) -> dict[str, str]:
    """Give the default VPC's subnets by zone, in the order of the zones."""
    found = {
        each["AvailabilityZone"]: each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]
    }
    return dict(sorted(found.items()))


@pytest.fixture
def name() -> str:
    """Give a name that no other test uses, for a bucket, a queue or a topic."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def bucket(s3: Client, name: str) -> str:
    """Make a bucket."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    return name


@pytest.fixture
def versioned(s3: Client, bucket: str) -> str:
    """Make a bucket that keeps versions."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


@pytest.fixture
def queue(sqs: Client, name: str) -> str:
    """Make a queue; give its URL."""
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url


@pytest.fixture
def actor(aws: EmbeddedAws, iam: Client, name: str) -> Iterator[Actor]:
    """Make a role without permissions, and enforce IAM while the test runs."""
    made = iam.create_role(RoleName=f"{name}-actor", AssumeRolePolicyDocument=trust())
    one = Actor(aws, iam, f"{name}-actor", made["Role"]["Arn"], {})
    with aws.enforcing_iam():
        yield one
    for each in one.clients.values():
        each.close()


@dataclass(frozen=True, slots=True)
class Chain:
    """A bucket whose uploads/ is told to a topic, which tells a queue; all policies stand."""

    bucket: str
    topic: str
    queue: str
    queue_arn: str
    sqs: Client

    def messages(self) -> list[dict[str, Any]]:
        """Take what is in the queue: the bodies, as dicts."""
        found = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(each["Body"]) for each in found.get("Messages", [])]

    def records(self) -> list[dict[str, Any]]:
        """Take the S3 records out of the queue."""
        contents = [json.loads(each["Message"]) for each in self.messages()]
        return [record for each in contents for record in each["Records"]]


def rule(topic: str, prefix: str = "uploads/", **more: object) -> dict[str, Any]:
    """Write a notification rule for everything created below `prefix`."""
    chosen = {"FilterRules": [{"Name": "prefix", "Value": prefix}]}
    events = ["s3:ObjectCreated:*"]
    return {"Id": "ours", "TopicArn": topic, "Events": events, "Filter": {"Key": chosen}, **more}


@pytest.fixture
def topic(sns: Client, bucket: str) -> str:
    """Make a topic to which the bucket may publish; give its ARN."""
    arn: str = sns.create_topic(Name=bucket)["TopicArn"]
    policy = may_deliver("s3.amazonaws.com", "sns:Publish", arn, f"arn:aws:s3:::{bucket}")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return arn


@pytest.fixture
def chain(s3: Client, sqs: Client, sns: Client, bucket: str, topic: str, queue: str) -> Chain:
    """Join bucket, topic and queue; the test event is already taken."""
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    policy = may_deliver("sns.amazonaws.com", "sqs:SendMessage", arn, topic)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [rule(topic)]}
    )
    joined = Chain(bucket, topic, queue, arn, sqs)
    joined.messages()
    return joined


@pytest.fixture
def make_group(
    autoscaling: Client,
    ec2: Client,
    image_id: str,
    subnets: dict[str, str],
    name: str,
    aws: EmbeddedAws,
) -> Iterator[Callable[..., Group]]:
    """Give the maker of the test's group: one instance of t3.micro unless told otherwise."""

    def make(template: dict[str, Any] | None = None, **settings: object) -> Group:
        data = {"ImageId": image_id, "InstanceType": "t3.micro", **(template or {})}
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        named = {"LaunchTemplateName": name, "Version": "1"}
        defaults = {
            "MinSize": 1,
            "MaxSize": 2,
            "VPCZoneIdentifier": ",".join(subnets.values()),
            **({} if "MixedInstancesPolicy" in settings else {"LaunchTemplate": named}),
        }
        autoscaling.create_auto_scaling_group(
            **{"AutoScalingGroupName": name, **defaults, **settings}
        )
        return Group(name, autoscaling, ec2, aws.clock)

    yield make
    for each in autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        autoscaling.delete_auto_scaling_group(
            AutoScalingGroupName=each["AutoScalingGroupName"], ForceDelete=True
        )
    aws.clock.advance(60)


@pytest.fixture
def group(make_group: Callable[..., Group]) -> Group:
    """Make a group of one member, in service, with a second version of its template."""
    made = make_group()
    made.wait()
    assert made.version(InstanceType="t3.small") == "2"
    return made


@pytest.fixture
def policy_for() -> Callable[[str, str, str, str], str]:
    """Give the writer of policies."""
    return may_deliver


@pytest.fixture
def rule_for() -> Callable[..., dict[str, Any]]:
    """Give the writer of notification rules."""
    return rule


@pytest.fixture
def refusal() -> Callable[..., tuple[int, str]]:
    """Give a caller that returns how a call was refused: HTTP status and code; (200, "") if not."""

    def call(operation: Callable[..., Any], **arguments: object) -> tuple[int, str]:
        try:
            operation(**arguments)
        except Exception as error:
            answer = getattr(error, "response", None)
            if answer is None:
                raise
            return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]
        return 200, ""

    return call
