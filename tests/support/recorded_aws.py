"""`provision`'s own clients, which remember every request that was sent."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
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
        self._befalls: Befalls | None = None
        self._befallen: Counter[str] = Counter()
        self._times = 1
        self._only: frozenset[str] = frozenset()
        core = botocore.session.Session()
        core.register("provide-client-params", self._note)
        core.register("after-call", self._answered)
        core.register("before-send", self._befall)  # type: ignore[arg-type] # the answer is what it is asked for
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
    def befallen(
        self, befalls: "Befalls", *, times: int = 1, only: Collection[str] = ()
    ) -> Iterator[set[str]]:
        """Let this befall the first tries of each writing request within the block.

        Of so many `times` in a row; with `only`, of these operations, reading ones as well, and of
        each its first request. Botocore tries again by itself. Gives the operations it befell.
        """
        self._befalls, self._times, self._only = befalls, times, frozenset(only)
        operations: set[str] = set()
        self._befallen.clear()
        try:
            yield operations
        finally:
            self._befalls = None
            operations |= {each.partition(" ")[0] for each in self._befallen}

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

    def _befall(self, **told: Any) -> AWSResponse | None:  # noqa: ANN401 - likewise
        request, name = told["request"], str(told["event_name"])
        operation, identity = name.rpartition(".")[2], request.headers["amz-sdk-invocation-id"]
        if self._befalls is None or not self._is_meant(operation):
            return None
        call = f"{operation} {identity}"
        is_another = self._only and call not in self._befallen and operation in str(self._befallen)
        if is_another or self._befallen[call] >= self._times:
            return None
        self._befallen[call] += 1
        return self._befalls(request)

    def _is_meant(self, operation: str) -> bool:
        return operation in self._only if self._only else Sent(f".{operation}", {}).writes


Befalls = Callable[[AWSPreparedRequest], AWSResponse]


def lose_the_answer(request: AWSPreparedRequest) -> AWSResponse:
    """Carry the request out, and break the connection before its answer."""
    URLLib3Session().send(request)
    raise ConnectionClosedError(endpoint_url=request.url)


def be_busy(request: AWSPreparedRequest) -> AWSResponse:
    """Answer as AWS does when it is asked too much, and do nothing."""
    return AWSResponse(request.url, 503, HTTPHeaders(), NoBody())


class NoBody(BytesIO):
    """A body that is read as urllib3's are."""

    def stream(self) -> Iterator[bytes]:
        """Yield nothing."""
        return iter(())
