"""The name and ARN of everything that a stack has, from its own name alone. Pure.

No state file is kept: two operators and a CI job find the same resources by the same names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """Names begin with the stack's (at most 32 letters), so every limit is kept (rules 4, 36)."""

    stack: str
    bucket: str
    partition: str
    region: str
    account: str

    @property
    def topic(self) -> str:
        """The topic that S3 publishes to."""
        return f"{self.stack}-uploads"

    @property
    def alarm_topic(self) -> str:
        """The topic that alarms are published to."""
        return f"{self.stack}-alarms"

    @property
    def queue(self) -> str:
        """The queue that the workers receive from."""
        return f"{self.stack}-uploads"

    @property
    def dead_letter_queue(self) -> str:
        """Where messages go that nobody could deal with."""
        return f"{self.stack}-uploads-dlq"

    @property
    def notification_rule(self) -> str:
        """The Id of our rule in the bucket's notification configuration."""
        return f"s3-event-worker-{self.stack}"

    @property
    def worker_role(self) -> str:
        """The instances' role, and their instance profile."""
        return f"{self.stack}-worker"

    @property
    def lambda_role(self) -> str:
        """The function's role."""
        return f"{self.stack}-lambda"

    @property
    def security_group(self) -> str:
        """The instances' security group."""
        return f"{self.stack}-worker"

    @property
    def launch_template(self) -> str:
        """The launch template."""
        return f"{self.stack}-worker"

    @property
    def group(self) -> str:
        """The Auto Scaling group."""
        return f"{self.stack}-workers"

    @property
    def scaling_policy(self) -> str:
        """The group's scaling policy."""
        return f"{self.stack}-backlog"

    @property
    def function(self) -> str:
        """The Lambda twin."""
        return f"{self.stack}-worker"

    @property
    def worker_log_group(self) -> str:
        """Where the instances' CloudWatch agent writes the worker's log."""
        return f"/s3-event-worker/{self.stack}"

    @property
    def function_log_group(self) -> str:
        """Where Lambda writes the function's log."""
        return f"/aws/lambda/{self.function}"

    def alarm(self, what: str) -> str:
        """Return the name of the alarm for something that is wrong, such as "dlq-not-empty"."""
        return f"{self.stack}-{what}"

    @property
    def dashboard(self) -> str:
        """The CloudWatch dashboard."""
        return f"{self.stack}-worker"

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def asking_kms(self, service: str) -> str:
        """Return KMS's name for a service here that asks in a caller's name (kms:ViaService)."""
        return f"{service}.{self.region}.amazonaws.com"

    @property
    def bucket_arn(self) -> str:
        """The bucket's ARN, which holds neither region nor account."""
        return f"arn:{self.partition}:s3:::{self.bucket}"

    @property
    def topic_arn(self) -> str:
        """The topic's ARN."""
        return self.arn("sns", self.topic)

    @property
    def alarm_topic_arn(self) -> str:
        """The alarm topic's ARN."""
        return self.arn("sns", self.alarm_topic)

    @property
    def queue_arn(self) -> str:
        """The queue's ARN."""
        return self.arn("sqs", self.queue)

    @property
    def dead_letter_queue_arn(self) -> str:
        """The dead-letter queue's ARN."""
        return self.arn("sqs", self.dead_letter_queue)

    @property
    def function_arn(self) -> str:
        """The function's ARN, without a version."""
        return self.arn("lambda", f"function:{self.function}")

    @property
    def alarm_arns(self) -> str:
        """The pattern of all our alarms' ARNs."""
        return self.arn("cloudwatch", f"alarm:{self.alarm('*')}")

    def role_arn(self, role: str) -> str:
        """Return a role's ARN; IAM knows no regions."""
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"
