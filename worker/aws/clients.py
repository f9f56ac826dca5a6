"""boto3 clients as the worker needs them. Endpoints and credentials are botocore's business."""

from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from json import JSONDecodeError
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, DataNotFoundError

from worker.aws.s3_replies import is_credential_error
from worker.errors import AwsSetupError, PreflightError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

CONNECT_TIMEOUT_SECONDS = 5
"""Inside a region a connection stands within milliseconds; a dead one should not hold us."""

READ_TIMEOUT_SECONDS = 60
"""Of silence: a 5 GiB CopyObject streams white space meanwhile."""

POLL_TIMEOUT_SECONDS = 30
"""Above the longest poll, 20 s; with one more try still below what the watchdog calls stalled."""

SHORT_TIMEOUT_SECONDS = 5
"""For calls that a stopping process makes: better tried again than waited for."""

DAMAGED = (DataNotFoundError, BadGzipFile, JSONDecodeError)
"""What botocore raises where its own files are not whole: another instance has better ones."""


@contextmanager
def _told() -> Iterator[None]:
    """Turn what botocore raises before any call into what an operator can act on."""
    try:
        yield
    except DAMAGED:
        raise  # no setting mends that: a fault of this installation, as the exit status 1 says
    except (BotoCoreError, OSError, ValueError) as error:
        if is_credential_error(error):
            raise PreflightError(
                f"no usable credentials: {error}\n"
                "see AWS_PROFILE and AWS_CONFIG_FILE; `aws sts get-caller-identity` tries them"
            ) from error
        raise AwsSetupError(error) from error


class Clients:
    """Makes clients from one session, so that credentials are refreshed in one place.

    All of it raises AwsSetupError where botocore cannot work with what it was given (a profile, a
    region, an endpoint), and PreflightError where the credentials are not to be had.
    """

    @_told()
    def __init__(
        self, region: str, profile: str | None = None, endpoint: str | None = None
    ) -> None:
        self._session = boto3.Session(region_name=region, profile_name=profile)
        self._endpoint = endpoint

    @property
    def ca_bundle(self) -> str | None:
        """The file of trusted certificates that AWS_CA_BUNDLE or the profile names, if any."""
        bundle: str | None = self._session._session.get_config_variable("ca_bundle")  # noqa: SLF001 - boto3 has no word for it
        return bundle

    @_told()
    def credentials(self) -> object:
        """Return botocore's credentials, which refresh themselves; None if there are none."""
        return self._session.get_credentials()

    @_told()
    def s3(self, connections: int) -> "S3Client":
        """Return an S3 client for so many calls at once; `worker.aws.s3` does the retries."""
        return self._session.client(
            "s3", config=_config(connections, tries=1), endpoint_url=self._endpoint
        )

    @_told()
    def sqs(self, connections: int = 2, tries: int = 2) -> "SQSClient":
        """Return an SQS client for so many calls at once; each is tried so often."""
        config = _config(connections, tries).merge(Config(read_timeout=POLL_TIMEOUT_SECONDS))
        return self._session.client("sqs", config=config, endpoint_url=self._endpoint)

    @_told()
    def sts(self) -> "STSClient":
        """Return an STS client; `worker.aws.asking` does the retries."""
        return self._session.client("sts", config=_config(1, tries=1), endpoint_url=self._endpoint)

    @_told()
    def autoscaling(self) -> "AutoScalingClient":
        """Return an Auto Scaling client."""
        config = _config(2, tries=2).merge(
            Config(connect_timeout=SHORT_TIMEOUT_SECONDS, read_timeout=SHORT_TIMEOUT_SECONDS)
        )
        return self._session.client("autoscaling", config=config, endpoint_url=self._endpoint)


def _config(connections: int, tries: int) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        max_pool_connections=connections,
        retries={"total_max_attempts": tries, "mode": "standard"},
        user_agent_extra="s3-event-worker",
    )
