"""The back ends that the flows run on: honest moto, plain moto, and ministack in its own venv."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from support.flow_process import START_SECONDS, Child, Server, wait_until
from support.stacks import ACCOUNT

REGION = "us-east-2"

MINISTACK = "ministack==1.5.33"
"""The release whose manners are written down here; it pins botocore, hence an own environment."""

Client = Any
"""A boto3 client: tests use several services through one type."""


@dataclass(slots=True)
class Aws:
    """An AWS somewhere on this machine. `guards` is what the worker's GUARDS must be there.

    `tags_parts`: whether it keeps the tags that CreateMultipartUpload brings. `access_key`: that of
    somebody who may do everything.
    """

    name: str
    url: str
    guards: str = "required"
    tags_parts: bool = True
    access_key: str = "testing"
    _clients: dict[str, Client] = field(default_factory=dict)

    def environment(self, url: str = "") -> Mapping[str, str]:
        """Return what points a child process at it, or at a proxy before it."""
        return {
            "AWS_ENDPOINT_URL": url or self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "GUARDS": self.guards,
        }

    def client(self, service: str) -> Client:
        """Return a boto3 client of the test's own, past any proxy."""
        if service not in self._clients:
            make: Any = boto3.client  # whose overloads want a literal name
            self._clients[service] = make(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id=self.access_key,
                aws_secret_access_key="testing",
                config=Config(max_pool_connections=32, read_timeout=60),
            )
        return self._clients[service]

    def close(self) -> None:
        """Close the clients' connections."""
        for each in self._clients.values():
            each.close()


@contextmanager
def moto(folder: Path, *, honest: bool = True) -> Iterator[Aws]:
    """Run the embedded AWS as a process of its own: no other test's server is in its way."""
    name = "honest-moto" if honest else "plain-moto"
    options = [] if honest else ["--plain"]
    log = folder / f"{name}.log"
    with Server("worker.demo.embedded", *options, log=log) as server:
        aws = Aws(name, server.url)
        yield aws
        aws.close()


@contextmanager
def ministack(folder: Path, *, enforce_iam: bool = False) -> Iterator[Aws]:
    """Run ministack. It ignores the destination's conditions on CopyObject, hence best-effort.

    Where it enforces IAM, the account's number is the access key of its root, who may do anything.
    """
    python = _ministack_python()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "BIND_HOST": "127.0.0.1",  # its default is every interface
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "SERVICES": "s3,sns,sqs,sts,iam,ec2,autoscaling",
        "AUTH": str(enforce_iam).lower(),
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(folder),
        "HOME": str(folder),
    }
    url = f"http://127.0.0.1:{port}"
    with Child([python, "-m", "ministack"], environment, folder / "ministack.log") as server:
        wait_until(lambda: _answers(url), "ministack's health", START_SECONDS, server.picture)
        key = ACCOUNT if enforce_iam else "testing"
        aws = Aws("ministack", url, guards="best-effort", tags_parts=False, access_key=key)
        yield aws
        aws.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):  # noqa: S310 - ours
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _ministack_python() -> str:
    """Return the Python of ministack's environment, made once; skips where pip cannot make it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "s3-event-worker"
    home = cache / MINISTACK.replace("==", "-")
    python = home / "bin" / "python"
    if python.exists():
        return str(python)
    making = cache / f"making-{os.getpid()}"
    making.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", making], check=True)
    pip = [str(making / "bin" / "python"), "-m", "pip", "install", "--quiet", "--retries", "1"]
    installed = subprocess.run([*pip, MINISTACK], check=False, capture_output=True, text=True)
    if installed.returncode:
        shutil.rmtree(making)
        last = (installed.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        pytest.skip(f"ministack cannot be installed here: {last}")
    making.rename(home)  # only whole environments get the name that others look for
    return str(python)
