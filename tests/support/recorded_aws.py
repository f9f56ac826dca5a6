"""`provision`'s own clients, which remember every request that was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

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
        self._losing = False
        self._lost: set[object] = set()
        core = botocore.session.Session()
        core.register("provide-client-params", self._note)
        core.register("after-call", self._answered)
        core.register("before-send", self._lose)
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

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        """Carry out every writing request within the block, and lose the first of its answers.

        Botocore sends the same request again by itself, as after a connection that broke.
        """
        self._losing = True
        try:
            yield
        finally:
            self._losing = False

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

    def _lose(self, **told: Any) -> None:  # noqa: ANN401 - likewise
        request, operation = told["request"], Sent(told["event_name"], {})
        call = request.headers.get("amz-sdk-invocation-id")
        if not self._losing or not operation.writes or call in self._lost:
            return
        self._lost.add(call)
        URLLib3Session().send(request)
        raise ConnectionClosedError(endpoint_url=request.url)
