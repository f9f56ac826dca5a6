"""`provision` as a process of its own, that is interrupted as one request of its is under way."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.flow_proxy import FaultProxy, Trouble
from support.provision_cli import stack_file
from support.provision_world import World


@dataclass(slots=True)
class CtrlC:
    """Comes with the first request `at`, once `after` was asked for; both are operations."""

    at: str
    after: str = ""
    process: subprocess.Popen[str] | None = None
    came: bool = False

    def __call__(self, operation: str) -> Trouble | None:
        """Hear of a request; the one that is interrupted is carried out too late for the caller."""
        if self.after:
            self.after = "" if operation == self.after else self.after
            return None
        if operation != self.at or self.came or self.process is None:
            return None
        self.came = True
        self.process.send_signal(signal.SIGINT)
        return Trouble.LATE


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


def interrupted(world: World, folder: Path, ctrl_c: CtrlC, *arguments: str) -> Ended:
    """Run a command until it is interrupted, and to its end; AssertionError if it never was."""
    with FaultProxy(world.region.endpoint_url) as proxy, proxy.trouble(ctrl_c):
        environment = {
            **os.environ,
            **world.region.environment(),
            "AWS_ENDPOINT_URL": proxy.endpoint_url,
            "PROVISION_STACK": str(stack_file(world.blueprint.stack, folder)),
            "COLUMNS": "200",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "provision", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            ctrl_c.process = process
            out, err = process.communicate(timeout=120)
    assert ctrl_c.came, (proxy.requests, out, err)
    return Ended(process.returncode, out, err)
