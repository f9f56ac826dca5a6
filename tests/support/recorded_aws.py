"""`provision`'s own clients, which remember every request that was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session

from provision.aws.session import Aws
from worker.demo.embedded.server import REGION, EmbeddedAws

READS = ("Describe", "Get", "List", "Head", "Lookup", "Simulate")


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: "ec2.CreateLaunchTemplate", and its parameters."""

    operation: str
    parameters: dict[str, Any]

    @property
    def writes(self) -> bool:
        """Whether it may have changed something."""
        return not self.operation.rpartition(".")[2].startswith(READS)


class CutError(BaseException):
    """The run ends here, as by SIGKILL: nothing catches it."""


class RecordedAws(Aws):
    """Clients of the embedded AWS, at will as a role; `sent` holds the requests, oldest first."""

    def __init__(self, aws: EmbeddedAws, role_arn: str = "") -> None:
        self.sent: list[Sent] = []
        self._writes_left: int | None = None
        core = botocore.session.Session()
        core.register("provide-client-params", self._note)
        core.register("after-call", self._answered)
        environment = aws.environment(role_arn)
        session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
            botocore_session=core,
        )
        super().__init__(session, aws.endpoint_url)

    def close(self) -> None:
        """Close every client that was made."""
        for made in vars(self).values():
            if hasattr(made, "close"):
                made.close()

    @contextmanager
    def recording(self) -> Iterator[list[Sent]]:
        """Give the requests that are sent within the block."""
        before = len(self.sent)
        within: list[Sent] = []
        yield within
        within += self.sent[before:]

    @contextmanager
    def cut_after(self, writes: int) -> Iterator[None]:
        """Raise CutError within the block once AWS has answered this many writing requests."""
        self._writes_left = writes
        try:
            yield
        finally:
            self._writes_left = None

    def parameters_of(self, operation: str) -> dict[str, Any]:
        """Return the parameters of the last request for this operation; LookupError if none."""
        for each in reversed(self.sent):
            if each.operation == operation:
                return each.parameters
        raise LookupError(operation)

    def _note(self, **told: Any) -> None:  # noqa: ANN401 - whatever botocore tells its handlers
        service, operation = str(told["event_name"]).split(".")[-2:]
        # botocore's events call the service "auto-scaling", its client "autoscaling".
        name = service.replace("-", "")
        self.sent.append(Sent(f"{name}.{operation}", dict(told["params"])))

    def _answered(self, **told: Any) -> None:  # noqa: ANN401 - likewise
        if self._writes_left is None or not Sent(told["event_name"], {}).writes:
            return
        self._writes_left -= 1
        if self._writes_left == 0:
            raise CutError
