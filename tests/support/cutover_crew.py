"""Whoever consumes in an embedded AWS, played: the group's instances and the mapped function.

They act while `provision` sleeps. Each moves what the queue tells of, logs a line an object where
its log belongs, and an instance that drains lets its group go on.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

from provision.aws.session import Aws
from provision.resources.mapping import find_mapping
from provision.spec.blueprint import Blueprint, Consumer
from worker.demo.embedded.server import EmbeddedAws

HOOK: Final = "s3-event-worker-drain"
STREAM: Final = "crew"


@dataclass
class Crew:
    """One stack's consumers. `idle` ones take nothing though they are on; `mute` ones log nothing.

    `quiet` ones log warnings alone, and have none; Lambda itself still tells of each invocation.
    `gaps` counts the looks at which nobody was on.
    """

    region: EmbeddedAws
    aws: Aws
    blueprint: Blueprint
    idle: set[Consumer] = field(default_factory=set)
    mute: set[Consumer] = field(default_factory=set)
    quiet: bool = False
    gaps: int = 0
    taken: list[Consumer] = field(default_factory=list)
    _now: float = 0.0

    def sleep(self, seconds: float) -> None:
        """Let time pass, and everybody work."""
        self._now += seconds
        self.region.clock.advance(seconds)
        on = sorted(self._on())
        self.gaps += not on
        for each in on:
            if each not in self.idle:
                self._work(each)

    def clock(self) -> float:
        """Tell the time that sleeping made."""
        return self._now

    def _on(self) -> set[Consumer]:
        """Return who is on; whoever drains is done at once."""
        names, on = self.blueprint.names, set[Consumer]()
        groups = self.aws.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[names.group]
        )
        for each in groups["AutoScalingGroups"][0]["Instances"]:
            if each["LifecycleState"] == "InService":
                on.add(Consumer.EC2)
            elif each["LifecycleState"] == "Terminating:Wait":
                self.aws.autoscaling.complete_lifecycle_action(
                    LifecycleHookName=HOOK,
                    AutoScalingGroupName=names.group,
                    InstanceId=each["InstanceId"],
                    LifecycleActionResult="CONTINUE",
                )
        mapping = find_mapping(self.aws.lambda_, names.queue_arn, names.function) or {}
        if mapping.get("State") == "Enabled":
            on.add(Consumer.LAMBDA)
        return on

    def _work(self, consumer: Consumer) -> None:
        """Take one message, so that the next one has some as well."""
        url = self.aws.sqs.get_queue_url(QueueName=self.blueprint.names.queue)["QueueUrl"]
        found = self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=0)
        for message in found.get("Messages", []):
            for record in json.loads(json.loads(message["Body"])["Message"]).get("Records", []):
                self._move(consumer, record["s3"]["object"]["key"])
            self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _move(self, consumer: Consumer, key: str) -> None:
        names, pipeline = self.blueprint.names, self.blueprint.stack.pipeline
        target = pipeline.destination_prefix + key.removeprefix(pipeline.source_prefix)
        source: Any = {"Bucket": names.bucket, "Key": key}
        try:
            self.aws.s3.copy_object(Bucket=names.bucket, Key=target, CopySource=source)
        except self.aws.s3.exceptions.NoSuchKey:
            return  # a canary that was called back
        self.aws.s3.delete_object(Bucket=names.bucket, Key=key)
        self.taken.append(consumer)
        if self.quiet and consumer is Consumer.LAMBDA:
            self._log(consumer, "START RequestId: 5ae1 Version: $LATEST")
        if not self.quiet and consumer not in self.mute:
            self._log(consumer, {"event": "object", "source": f"s3://{names.bucket}/{key}"})

    def _log(self, consumer: Consumer, line: object) -> None:
        names, logs = self.blueprint.names, self.aws.logs
        on_lambda = consumer is Consumer.LAMBDA
        group = names.function_log_group if on_lambda else names.worker_log_group
        told = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=STREAM)
        if not told["logStreams"]:
            logs.create_log_stream(logGroupName=group, logStreamName=STREAM)
        now = int(time.time() * 1000)
        logs.put_log_events(
            logGroupName=group,
            logStreamName=STREAM,
            logEvents=[{"timestamp": now, "message": json.dumps(line)}],
        )
