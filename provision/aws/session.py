"""boto3 clients, one of each, from one session; where to and as whom is botocore's business."""

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

READ_TIMEOUT_SECONDS = 60
TRIES = 8
"""With botocore's standard back-off half a minute of throttling, and seconds of any other fault.

It waits a twentieth as long after a fault or a broken connection as when it was asked too much.
"""


class Aws:
    """The clients that `provision` uses; each is made when it is first asked for."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None = None) -> None:
        self.session = session
        self.endpoint_url = endpoint_url
        self._config = Config(
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            user_agent_extra="s3-event-worker-provision",
        )

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return self.session.client("s3", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def sns(self) -> "SNSClient":
        """SNS."""
        return self.session.client("sns", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return self.session.client("sqs", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def iam(self) -> "IAMClient":
        """IAM."""
        return self.session.client("iam", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def sts(self) -> "STSClient":
        """STS."""
        return self.session.client("sts", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def ec2(self) -> "EC2Client":
        """EC2."""
        return self.session.client("ec2", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def autoscaling(self) -> "AutoScalingClient":
        """Auto Scaling."""
        return self.session.client(
            "autoscaling", config=self._config, endpoint_url=self.endpoint_url
        )

    @cached_property
    def kms(self) -> "KMSClient":
        """KMS."""
        return self.session.client("kms", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def lambda_(self) -> "LambdaClient":
        """Lambda."""
        return self.session.client("lambda", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return self.session.client(
            "cloudwatch", config=self._config, endpoint_url=self.endpoint_url
        )

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs."""
        return self.session.client("logs", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def ssm(self) -> "SSMClient":
        """Systems Manager."""
        return self.session.client("ssm", config=self._config, endpoint_url=self.endpoint_url)

    @cached_property
    def service_quotas(self) -> "ServiceQuotasClient":
        """Service Quotas."""
        return self.session.client(
            "service-quotas", config=self._config, endpoint_url=self.endpoint_url
        )
