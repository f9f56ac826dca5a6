"""Starts and stops the embedded AWS: moto behind werkzeug, in threads of this process."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import ClassVar, Final, Self

from moto.moto_api._internal import moto_api_backends

from worker.demo.embedded.awslambda.poller import running
from worker.demo.embedded.clock import Clock
from worker.demo.embedded.corrections import switch_on
from worker.demo.embedded.ec2.machines import Machines, NoMachines
from worker.demo.embedded.iam.callers import credentials_of
from worker.demo.embedded.iam.enforcement import Access, Enforcement
from worker.demo.embedded.iam.propagation import Propagation
from worker.demo.embedded.layer import COPY_LIMIT_BYTES, Delays, Layer
from worker.demo.embedded.listening import listen, unreachable_from_outside
from worker.demo.embedded.operations import RequestCounter
from worker.demo.embedded.patches import Moto
from worker.demo.embedded.ssm import NoShell, Shell
from worker.demo.embedded.state import InstanceState, instance_state
from worker.demo.embedded.ticker import repeat

REGION: Final = "us-east-2"


class EmbeddedAws:
    """An AWS account at `address`, for as long as the `with` block lasts.

    Moto keeps its state in its classes, so one process holds one embedded AWS at a time
    (RuntimeError otherwise), and each starts empty. `address` is loopback's, or in a
    network that no route leads out of (ValueError otherwise); port 0 takes a free one.
    `honest=False` gives plain moto. `copy_limit_bytes` lowers S3's 5 GiB limit for a single copy.
    A new role or instance profile is unknown to other services for `propagation_seconds`, and for
    its first `propagation_refusals` uses (rules 1 to 3); with neither, it is known at once.
    `machines` is told of every instance; `delays` says how long EC2, Auto Scaling and Lambda
    take. Time passes at each request and at `tick()`; with `tick_seconds`, by itself as well.
    With `run_lambdas`, functions run, in processes of their own, and queues that are mapped to them
    are polled. With `enforce_iam`, IAM users and role sessions may do what their policies allow;
    any other key, such as that of `environment()`, is an administrator's. `shell` runs the
    commands of Systems Manager.
    """

    _running: ClassVar[threading.Lock] = threading.Lock()

    def __init__(  # noqa: PLR0913 # a world has many knobs, and all go by keyword
        self,
        *,
        address: tuple[str, int] = ("127.0.0.1", 0),
        honest: bool = True,
        clock: Clock | None = None,
        copy_limit_bytes: int = COPY_LIMIT_BYTES,
        propagation_seconds: float = 0.0,
        propagation_refusals: int = 0,
        machines: Machines | None = None,
        delays: Delays | None = None,
        tick_seconds: float | None = None,
        run_lambdas: bool = False,
        enforce_iam: bool = False,
        shell: Shell | None = None,
    ) -> None:
        self.requests = RequestCounter()
        """How many requests came in, by operation name."""
        self._address = unreachable_from_outside(address)
        self._run_lambdas = run_lambdas
        self._enforcement = Enforcement(enforce_iam)
        self._honest = honest
        self._tick_seconds = tick_seconds
        self._layer = Layer(
            clock=clock or Clock(),
            copy_limit_bytes=copy_limit_bytes,
            propagation=Propagation(propagation_seconds, propagation_refusals),
            machines=machines or NoMachines(),
            delays=delays or Delays(),
            shell=shell or NoShell(),
        )
        self._server: Moto = None
        self._stack = ExitStack()

    @property
    def endpoint_url(self) -> str:
        """Where it listens, as boto3's `endpoint_url` or `AWS_ENDPOINT_URL`."""
        return f"http://{self._address[0]}:{self._server.server_port}"

    @property
    def clock(self) -> Clock:
        """The clock of SQS, EC2 and Auto Scaling; `advance` it to skip waiting."""
        return self._layer.clock

    @property
    def propagation(self) -> Propagation:
        """How long IAM's news takes; change it between two steps of a test."""
        return self._layer.propagation

    @property
    def undelivered(self) -> deque[str]:
        """Why the latest messages went nowhere: a policy, a missing queue, a size."""
        return self._layer.undelivered

    def tick(self) -> None:
        """Let EC2 and Auto Scaling go on to the clock's now."""
        with self._layer.region_lock:
            self._layer.pass_time()

    def instance_state(self, instance_id: str) -> InstanceState | None:
        """Tell an instance's state as its own metadata service would; None if there is no such."""
        with self._layer.region_lock:
            self._layer.pass_time()
            return instance_state(instance_id)

    @property
    def accesses(self) -> deque[Access]:
        """What IAM users and role sessions needed, and whether they had it; with `enforce_iam`."""
        return self._enforcement.accesses

    @contextmanager
    def enforcing_iam(self) -> Iterator[None]:
        """Enforce IAM for the length of a block: what is made outside needs no permission."""
        before, self._enforcement.enabled = self._enforcement.enabled, True
        try:
            yield
        finally:
            self._enforcement.enabled = before

    def credentials(self, role_arn: str, session_name: str = "embedded") -> dict[str, str]:
        """Give boto3's arguments for acting as a role, as a service does that was given it.

        Raises LookupError if there is no such role.
        """
        return credentials_of(role_arn, REGION, session_name)

    def environment(self, role_arn: str = "") -> dict[str, str]:
        """Give the variables that point boto3, or a child process, at this AWS.

        It acts as an administrator, or as the role.
        """
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        chosen = self.credentials(role_arn) if role_arn else keys
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            **{name.upper(): value for name, value in chosen.items()},
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _endpoint_alone(self) -> dict[str, str]:
        kept = ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED")
        return {name: self.environment()[name] for name in kept}

    def __enter__(self) -> Self:
        if not self._running.acquire(blocking=False):
            raise RuntimeError(
                "one process holds one embedded AWS at a time: moto's state is global"
            )
        with ExitStack() as starting:
            starting.callback(self._running.release)
            _forget_everything()
            starting.callback(self._layer.patches.undo)
            if self._honest:
                switch_on(self._layer)
            guard = self._enforcement if self._honest else None
            self._server = listen(self._address, self.requests, guard)
            starting.callback(self._server.server_close)
            thread = threading.Thread(
                target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
            )
            thread.start()
            starting.callback(thread.join)
            starting.callback(self._server.shutdown)
            starting.callback(self._layer.closing.set)
            if self._run_lambdas:
                starting.enter_context(running(self._layer, self._endpoint_alone()))
            if self._tick_seconds:
                starting.callback(repeat(self.tick, self._tick_seconds))
            self._stack = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        _forget_everything()


def _forget_everything() -> None:
    moto_api_backends["global"].reset()
