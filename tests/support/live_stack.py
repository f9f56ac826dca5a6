"""A stack of a real account, made and unmade by the commands themselves, for tests/live."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import boto3

from provision.aws.session import Aws
from provision.spec.names import Names

SETTLING_SECONDS: Final = 90
"""SQS's attributes take up to 60 s to hold (rule 13)."""

ARRIVAL_SECONDS: Final = 120
LOOK_SECONDS: Final = 2.0
ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class LiveStack:
    """A stack and its file; it has instances only if `ami` names an AMI."""

    name: str
    region: str
    account: str
    ami: str
    folder: Path
    environment: Mapping[str, str]

    @property
    def bucket(self) -> str:
        """Its own bucket, made and deleted with it."""
        return f"s3-event-worker-{self.name}-{self.account}"

    @cached_property
    def aws(self) -> Aws:
        """Clients in its region."""
        return Aws(boto3.Session(region_name=self.region), None)

    @property
    def names(self) -> Names:
        """What its resources are called."""
        return Names(self.name, self.bucket, "aws", self.region, self.account)

    @property
    def has_instances(self) -> bool:
        """Whether an AMI was named."""
        return self.ami != "latest"

    def run(self, *words: str, **instances: object) -> subprocess.CompletedProcess[str]:
        """Run a command of `provision`; `instances` are settings of that section."""
        file = self.folder / "stack.toml"
        file.write_text(self._file(instances), encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "provision", *words, "--stack", str(file)],
            env={**self.environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    def succeed(self, *words: str, **instances: object) -> str:
        """Run a command that must succeed; returns its stdout."""
        done = self.run(*words, **instances)
        assert done.returncode == 0, f"{done.args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def changes(self) -> dict[str, str]:
        """Return what a plan would do, by resource."""
        planned = json.loads(self.run("plan", "--json").stdout)
        assert planned["refusals"] == []
        return {step["resource"]: step["action"] for step in planned["steps"]}

    def queue_url(self, name: str) -> str:
        """Return a queue's URL."""
        return self.aws.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def arrives(self, name: str) -> bool:
        """Upload a file, and say whether it comes to rest at its destination, and nowhere else."""
        s3 = self.aws.s3
        s3.put_object(Bucket=self.bucket, Key=f"uploads/{name}", Body=name.encode())
        return within(ARRIVAL_SECONDS, lambda: self._keys() == [f"processed/{name}"])

    def _keys(self) -> list[str]:
        listed: Any = self.aws.s3.list_objects_v2(Bucket=self.bucket)
        return [each["Key"] for each in listed.get("Contents", [])]

    def _file(self, instances: Mapping[str, object]) -> str:
        settings = {"ami": self.ami, "minimum": 1, "desired": 1, "maximum": 2, **instances}
        return "\n".join(self._lines(settings)) + "\n"

    def _lines(self, instances: Mapping[str, object]) -> Iterator[str]:
        yield f'name = "{self.name}"\nregion = "{self.region}"\naccount = "{self.account}"'
        yield f'[pipeline]\nbucket = "{self.bucket}"\n[instances]'
        yield from (f"{name} = {json.dumps(value)}" for name, value in instances.items())


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Say whether a condition comes true within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_SECONDS)
    return True
