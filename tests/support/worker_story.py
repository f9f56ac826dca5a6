"""All that a worker, and the agents beside it, ask of AWS, as a role whose policy is enforced."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from provision.aws.session import Aws
from provision.core.resource import Json
from support.messages import Sample, record
from support.operator_role import TRUST
from support.provision_world import World
from support.recorded_aws import RecordedAws
from support.stack_in_aws import Admin
from worker.aws.asking import Asking
from worker.aws.autoscaling import GroupMember, InstanceAutoScaling
from worker.aws.guard_probe import GuardProbe
from worker.aws.s3 import BotoS3
from worker.aws.sqs import BotoQueue
from worker.core.drive import drive
from worker.core.move import Result
from worker.core.multipart import MEBIBYTE
from worker.core.pipeline import Envelope, handle
from worker.core.port import Aborted, AbortMultipartUpload, Location
from worker.operator.grants import Names
from worker.operator.preflight import Level
from worker.settings import read_settings

PART_BYTES: Final = 5 * MEBIBYTE
LARGE: Final = b"x" * (PART_BYTES + 1)


@dataclass(slots=True)
class Worker:
    """`aws` acts as the role; `admin` uploads, and plays whatever else there is.

    `guarded`: whether the back end keeps every condition that the worker's moves set.
    """

    admin: Admin
    aws: Aws
    run: str
    guarded: bool = True

    @property
    def bucket(self) -> str:
        """The stack's bucket."""
        return self.admin.blueprint.names.bucket

    @property
    def queue_url(self) -> str:
        """The queue's URL."""
        name = self.admin.blueprint.names.queue
        return self.admin.aws.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def upload(self, name: str, body: bytes = b"a few bytes") -> str:
        """Put a tagged file; returns the message that tells of it."""
        key = f"uploads/{self.run}/{name}"
        put = self.admin.aws.s3.put_object(
            Bucket=self.bucket, Key=key, Body=body, Tagging="kind=test"
        )
        etag = put["ETag"].strip('"')
        sample = Sample(key=key, bucket=self.bucket, etag=etag, size=len(body))
        return json.dumps({"Records": [record(sample)]})

    def move(self, body: str) -> Result:
        """Handle a message of one record; 5 MiB and more go in parts."""
        settings = read_settings({"BUCKET": self.bucket, "REGION": "us-east-2"}, needs_queue=False)
        moves = replace(settings.rules.moves, multipart_threshold=PART_BYTES, part_size=PART_BYTES)
        rules = replace(settings.rules, moves=moves)
        with ThreadPoolExecutor(2) as pool:
            port = BotoS3(self.aws.s3, pool, time.sleep)
            handled = drive(handle(Envelope(body), rules, time.monotonic, 0.0), port)
        [audit] = handled.audits
        return audit.outcome.result


@contextmanager
def a_worker(admin: World, document: Json) -> Iterator[Worker]:
    """Give a role with this one inline policy, and whoever acts as it."""
    iam, run = admin.aws.iam, uuid.uuid4().hex[:10]
    name = f"{admin.stack}-acting-{run}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=json.dumps(document))
    aws = RecordedAws(admin.region, role["Role"]["Arn"])
    with admin.region.enforcing_iam():
        yield Worker(admin, aws, run)
    aws.close()


# --- the steps ------------------------------------------------------------------------------------


def moves_files(worker: Worker) -> None:
    """Move a small one, one whose name is taken, one in parts; tags go along."""
    assert worker.move(worker.upload("small")) is Result.MOVED
    assert worker.move(worker.upload("small", b"other bytes")) is Result.MOVED
    assert worker.move(worker.upload("large", LARGE)) is Result.MOVED


def finds_what_is_gone(worker: Worker) -> None:
    """Tell a file that is nowhere from one that may not be seen."""
    body = worker.upload("gone")
    worker.admin.aws.s3.delete_object(Bucket=worker.bucket, Key=f"uploads/{worker.run}/gone")
    assert worker.move(body) is Result.MISSING


def gives_up_parts(worker: Worker) -> None:
    """Leave nothing behind of a copy in parts that failed."""
    key = f"processed/{worker.run}/parts"
    made = worker.admin.aws.s3.create_multipart_upload(Bucket=worker.bucket, Key=key)
    with ThreadPoolExecutor(1) as pool:
        port = BotoS3(worker.aws.s3, pool, time.sleep)
        request = AbortMultipartUpload(Location(worker.bucket, key), made["UploadId"])
        assert port.submit(request).result() == Aborted()


def proves_the_guards(worker: Worker) -> None:
    """In its corner, where nothing is denied, and leaves nothing there."""
    here = Names("aws", "us-east-2", "123456789012")
    destination = Location(worker.bucket, "processed/")
    probe = GuardProbe(worker.aws.s3, Asking(lambda _: None), destination, here, required=True)
    found = probe.run()
    assert [each for each in found if each.grant] == []
    assert not worker.guarded or {each.level for each in found} == {Level.OK}


def works_on_the_queue(worker: Worker) -> None:
    """Receive, extend, delete; and look at its attributes."""
    queue = BotoQueue(worker.aws.sqs, worker.queue_url)
    worker.admin.aws.sqs.send_message(QueueUrl=worker.queue_url, MessageBody="{}")
    [message] = queue.receive(1, 0, 30)  # or that of a file, which is as good
    assert queue.change_visibility([(message.receipt, 60)]) == [None]
    assert queue.delete([message.receipt]) == [None]
    worker.aws.sqs.get_queue_attributes(QueueUrl=worker.queue_url, AttributeNames=["All"])


def is_polled_for(worker: Worker) -> None:
    """As Lambda itself does in the function's role."""
    sqs, url = worker.aws.sqs, worker.queue_url
    worker.admin.aws.sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def speaks_to_its_group(worker: Worker) -> None:
    """Which it is, its hook."""
    names = worker.admin.blueprint.names
    instance = _instances(worker)[0]
    told = InstanceAutoScaling(worker.aws.autoscaling)
    assert told.find_member(instance) == GroupMember(instance, names.group, "InService")
    member = GroupMember(instance, names.group, "Terminating:Wait")
    told.record_lifecycle_action_heartbeat(member, "s3-event-worker-drain")
    told.complete_lifecycle_action(member, "s3-event-worker-drain")


def tells_its_health(worker: Worker) -> None:
    """As the daemon does when it cannot work any more, but the other way round."""
    told = InstanceAutoScaling(worker.aws.autoscaling)
    told.set_instance_health(_instances(worker)[0], "Healthy")


def _instances(worker: Worker) -> list[str]:
    name = worker.admin.blueprint.names.group
    [group] = worker.admin.aws.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[name]
    )["AutoScalingGroups"]
    return [each["InstanceId"] for each in group["Instances"]]


def writes_logs(worker: Worker) -> None:
    """As the CloudWatch agent does, in the group that the stack made."""
    _write(worker, worker.admin.blueprint.names.worker_log_group)


def sends_numbers(worker: Worker) -> None:
    """As the CloudWatch agent does."""
    space: Any = "s3-event-worker"
    worker.aws.cloudwatch.put_metric_data(
        Namespace=space, MetricData=[{"MetricName": "moved", "Value": 1.0}]
    )


def reads_its_tags(worker: Worker) -> None:
    """As the CloudWatch agent does, to learn its group's name."""
    worker.aws.ec2.describe_tags()


def writes_the_functions_log(worker: Worker) -> None:
    """As Lambda itself does."""
    _write(worker, worker.admin.blueprint.names.function_log_group)


def _write(worker: Worker, group: str) -> None:
    logs, stream = worker.aws.logs, f"stream-{worker.run}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    event: Any = {"timestamp": int(time.time() * 1000), "message": "moved"}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


Steps = tuple[Callable[[Worker], None], ...]

MOVING: Final[Steps] = (moves_files, finds_what_is_gone, gives_up_parts)
STEPS: Final[Mapping[str, Steps]] = {
    "worker": (
        *MOVING,
        proves_the_guards,
        works_on_the_queue,
        speaks_to_its_group,
        tells_its_health,
        writes_logs,
        sends_numbers,
        reads_its_tags,
    ),
    "lambda": (*MOVING, is_polled_for, writes_the_functions_log),
}
"""By role: the order does not matter."""


# --- nothing else ---------------------------------------------------------------------------------

Call = Callable[[Worker], object]

OUTSIDE: Final[Mapping[str, Call]] = {
    "read elsewhere": lambda w: w.aws.s3.get_object(Bucket=w.bucket, Key="else/x"),
    "write where files land": lambda w: w.aws.s3.put_object(Bucket=w.bucket, Key="uploads/x"),
    "delete a file that was moved": lambda w: w.aws.s3.delete_object(
        Bucket=w.bucket, Key="processed/x"
    ),
    "delete for good": lambda w: w.aws.s3.delete_object(
        Bucket=w.bucket, Key="uploads/x", VersionId="null"
    ),
    "change the bucket": lambda w: w.aws.s3.delete_bucket_policy(Bucket=w.bucket),
    "send a message": lambda w: w.aws.sqs.send_message(QueueUrl=w.queue_url, MessageBody="x"),
    "receive dead letters": lambda w: w.aws.sqs.receive_message(QueueUrl=f"{w.queue_url}-dlq"),
    "delete the queue": lambda w: w.aws.sqs.delete_queue(QueueUrl=w.queue_url),
    "publish": lambda w: w.aws.sns.publish(TopicArn=w.admin.blueprint.names.topic_arn, Message="x"),
}
"""What neither role has any business with in the pipeline."""
