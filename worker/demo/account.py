"""The demo's own boto3 clients of the embedded AWS, which count what they ask."""

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from worker.demo.embedded.server import REGION, EmbeddedAws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

READ_TIMEOUT_SECONDS = 10
"""The server is in this very process: a request that takes longer has failed."""

CONNECTIONS = 16
"""At least as many as the demo's threads."""


class Account:
    """Clients of S3, SQS and SNS. `requests` counts every request that they sent, by operation."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.requests: Counter[str] = Counter()
        self._lock = threading.Lock()
        botocore_session = botocore.session.Session()
        botocore_session.register("before-send", self._count)
        environment = aws.environment()
        session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
            botocore_session=botocore_session,
        )
        config = Config(
            read_timeout=READ_TIMEOUT_SECONDS,
            max_pool_connections=CONNECTIONS,
            proxies={},  # not None: a proxy of the user's could not reach this process
        )
        url = aws.endpoint_url
        self.s3: S3Client = session.client("s3", endpoint_url=url, config=config)
        self.sqs: SQSClient = session.client("sqs", endpoint_url=url, config=config)
        self.sns: SNSClient = session.client("sns", endpoint_url=url, config=config)
        self.s3_operations = frozenset(self.s3.meta.service_model.operation_names)
        self.sqs_operations = frozenset(self.sqs.meta.service_model.operation_names)

    def others_requests(self) -> Counter[str]:
        """Count the requests that came from anybody but these clients: from the worker."""
        with self._lock:
            return self.aws.requests.snapshot() - self.requests

    def close(self) -> None:
        """Close all connections."""
        for client in (self.s3, self.sqs, self.sns):
            client.close()

    def _count(self, **told: Any) -> None:  # noqa: ANN401 - whatever botocore tells its handlers
        event_name: str = told["event_name"]
        with self._lock:
            self.requests[event_name.rpartition(".")[2]] += 1
