"""A stack in an embedded AWS, whose instances are played by a real worker."""

import json
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from os import environ
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from click.testing import CliRunner

from provision.cli import main
from provision.spec.blueprint import Blueprint
from provision.spec.worker_environment import worker_environment
from support.group_world import an_image
from support.pictures.terminal import COLUMNS
from support.recorded_aws import RecordedAws
from support.stacks import a_blueprint
from worker.demo.embedded.ec2.machines import Launch, NoMachines
from worker.demo.embedded.layer import Delays
from worker.demo.embedded.server import EmbeddedAws
from worker.demo.process import WorkerProcess

STACK: Final = """\
name = "files"
region = "us-east-2"

[pipeline]
bucket = "acme-files"

[instances]
minimum = 2
desired = 2
maximum = 4
"""

QUICK: Final = {"WAIT_TIME_SECONDS": "1", "CONCURRENCY": "4", "LOG_LEVEL": "warning"}


class Fleet(NoMachines):
    """A group's instances: the agent of each answers, and the first one brings the worker."""

    def __init__(self, start_worker: Callable[[], object]) -> None:
        self.running: list[str] = []
        self._start_worker = start_worker
        self._has_worker = False

    def launched(self, launch: Launch) -> None:
        """Note an instance of a group."""
        if not launch.group_name:
            return
        self.running.append(launch.instance_id)
        if not self._has_worker:
            self._has_worker = True
            self._start_worker()

    def terminated(self, instance_id: str) -> None:
        """Forget it."""
        if instance_id in self.running:
            self.running.remove(instance_id)

    def instances(self) -> Collection[str]:
        """Name those whose agent is online."""
        return tuple(self.running)

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Answer as systemd does of a service that works."""
        del instance_id, commands
        return 0, "active\n", ""


class Stage:
    """Holds AWS, stack file and, once there is an instance, a worker, for a `with` block."""

    def __init__(self) -> None:
        self.blueprint: Blueprint = a_blueprint("files", pipeline={"bucket": "acme-files"})
        self.fleet = Fleet(self._start_worker)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self.folder = Path(opening.enter_context(tempfile.TemporaryDirectory()))
            self.region = opening.enter_context(
                EmbeddedAws(
                    delays=Delays.none(),
                    machines=self.fleet,
                    shell=self.fleet,
                    propagation_refusals=1,
                )
            )
            self.aws = RecordedAws(self.region)
            opening.callback(self.aws.close)
            self.write(STACK)
            an_image(self.aws, "files", 1)
            self._operator = self._an_operator()
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def write(self, text: str) -> None:
        """Write the stack file."""
        (self.folder / "stack.toml").write_text(text, encoding="utf-8")

    def end_worker(self) -> None:
        """Let nobody consume any more; killed in a long poll, it would take one more message."""
        self._worker.ask_to_stop()
        while self._worker.exit_code is None:
            time.sleep(0.1)

    def printed(self, *words: str) -> str:
        """Run a command of `provision`; return what it prints on both streams, with colours.

        Raises what the command did, if it was no orderly exit.
        """
        environment = {
            **self.region.environment(self._operator),
            "PROVISION_STACK": str(self.folder / "stack.toml"),
            "COLUMNS": str(COLUMNS),
            "FORCE_COLOR": "1",
            "NO_COLOR": None,
            "TERM": "xterm",
        }
        ran = CliRunner().invoke(main, words, env=environment, color=True)
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return ran.output

    def _an_operator(self) -> str:
        """Make the role that the commands run as; returns its ARN."""
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": "123456789012"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.aws.iam.create_role(RoleName="operator", AssumeRolePolicyDocument=document)
        everything = "arn:aws:iam::aws:policy/AdministratorAccess"
        self.aws.iam.attach_role_policy(RoleName="operator", PolicyArn=everything)
        return role["Role"]["Arn"]

    def _start_worker(self) -> None:
        settings = {**worker_environment(self.blueprint), **self.region.environment(), **QUICK}
        self._worker = WorkerProcess(settings, environ, self.folder / "worker.log")
        self._stack.callback(self._worker.kill)
