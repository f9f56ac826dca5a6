"""The instance metadata service, version 2 only: a token first, then plain GETs.

Blocking, each call for a few seconds at most; made anew each time, so threads share no connection.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import urlsplit

DEFAULT_ENDPOINT = "http://169.254.169.254"

TIMEOUT_SECONDS = 1.0
"""The service answers from the host itself, within milliseconds."""

TOKEN_TTL_SECONDS = 21_600
"""The longest that the service grants, 6 hours; a token that died earlier is seen by its 401."""

ANSWER_MAX_BYTES = 65_536
"""Far above any answer we ask for; whatever else stands at the address cannot fill our memory."""

OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404


class ImdsUnavailable(Exception):  # noqa: N818 - it is a state of the place, not a fault
    """Raised when there is no metadata service, it is turned off, or it gives no usable answer."""


@dataclass(frozen=True, slots=True)
class SpotAction:
    """What EC2 will do to a spot instance (`terminate`, `stop` or `hibernate`), and when (UTC)."""

    action: str
    time: datetime


class ImdsClient:
    """Asks the metadata service at `endpoint`; `disabled` refuses without asking.

    The two parameters are botocore's AWS_EC2_METADATA_SERVICE_ENDPOINT and
    AWS_EC2_METADATA_DISABLED. Every method raises ImdsUnavailable.
    """

    def __init__(self, endpoint: str = DEFAULT_ENDPOINT, *, disabled: bool = False) -> None:
        self._endpoint = endpoint
        self.disabled = disabled
        self._token: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Ask the service that botocore would ask."""
        return cls(
            environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", DEFAULT_ENDPOINT),
            disabled=environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true",
        )

    def instance_id(self) -> str:
        """Return this instance's id."""
        return self._needed("meta-data/instance-id")

    def region(self) -> str:
        """Return the region that this instance is in."""
        return self._needed("meta-data/placement/region")

    def launch_time(self) -> datetime:
        """Return when this instance was launched, or last started (`pendingTime`)."""
        path = "dynamic/instance-identity/document"
        try:
            return parse_time(_field(self._needed(path), "pendingTime"))
        except ValueError as error:
            raise ImdsUnavailable(f"{path}: {error}") from error

    def target_lifecycle_state(self) -> str | None:
        """Return the state the Auto Scaling group is taking us to; None outside any group.

        "Retrieve the target lifecycle state through instance metadata", Auto Scaling user guide.
        """
        return self._get("meta-data/autoscaling/target-lifecycle-state")

    def spot_instance_action(self) -> SpotAction | None:
        """Return the interruption that EC2 has announced, None while there is none.

        "Spot Instance interruption notices", EC2 user guide.
        """
        path = "meta-data/spot/instance-action"
        text = self._get(path)
        try:
            return None if text is None else parse_spot_action(text)
        except ValueError as error:
            raise ImdsUnavailable(f"{path}: {error}") from error

    def rebalance_recommendation(self) -> datetime | None:
        """Return when EC2 saw a raised risk of interruption, None while there is none.

        "EC2 instance rebalance recommendations", EC2 user guide.
        """
        path = "meta-data/events/recommendations/rebalance"
        text = self._get(path)
        try:
            return None if text is None else parse_time(_field(text, "noticeTime"))
        except ValueError as error:
            raise ImdsUnavailable(f"{path}: {error}") from error

    def _needed(self, path: str) -> str:
        value = self._get(path)
        if value is None:
            raise ImdsUnavailable(f"{path}: not there")
        return value

    def _get(self, path: str) -> str | None:
        """Return what stands at the path; None for 404. A token refused is renewed once."""
        if self.disabled:
            raise ImdsUnavailable("turned off by AWS_EC2_METADATA_DISABLED")
        status, text = UNAUTHORIZED, ""
        if self._token is not None:
            status, text = self._ask("GET", path, {"X-aws-ec2-metadata-token": self._token})
        if status == UNAUTHORIZED:
            self._token = token = self._new_token()
            status, text = self._ask("GET", path, {"X-aws-ec2-metadata-token": token})
        if status == NOT_FOUND:
            return None
        if status != OK:
            raise ImdsUnavailable(f"{path}: HTTP status {status}")
        return text

    def _new_token(self) -> str:
        """Start a session; 403 means that the service is turned off for this instance."""
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_TTL_SECONDS)}
        status, text = self._ask("PUT", "api/token", ttl)
        if status != OK or not text.isascii() or not text.isprintable():
            raise ImdsUnavailable(f"no token: HTTP status {status}")
        return text

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection: HTTPConnection | None = None
        try:
            address = urlsplit(self._endpoint)
            if not address.hostname:
                raise ValueError("no host in it")  # noqa: TRY301 - told as all the others
            connection = HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_SECONDS)
            connection.request(method, f"{address.path.rstrip('/')}/latest/{path}", None, headers)
            response = connection.getresponse()
            return response.status, response.read(ANSWER_MAX_BYTES).decode("utf-8").strip()
        except (OSError, HTTPException, ValueError) as error:
            told = f"{type(error).__name__}: {error}"
            raise ImdsUnavailable(f"{self._endpoint} does not answer: {told}") from error
        finally:
            if connection is not None:
                connection.close()


def parse_spot_action(text: str) -> SpotAction:
    """Read an interruption notice; raises ValueError for anything else."""
    return SpotAction(_field(text, "action"), parse_time(_field(text, "time")))


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC. Raises ValueError."""
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is no time of this world") from error


def _field(text: str, name: str) -> str:
    try:
        notice = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    value = notice.get(name) if isinstance(notice, dict) else None
    if not isinstance(value, str):
        raise ValueError(f"no {name} in {text[:200]!r}")  # noqa: TRY004 - one error for all faults
    return value
