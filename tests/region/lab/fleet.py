"""The stack at work: its group's instances, its bucket, its queue, and what their workers say."""

import json
from collections.abc import Sequence
from typing import Any, Final

from region.lab.host import run
from region.lab.machines import Machine
from region.lab.region import Region
from region.lab.waiting import wait_until

UNIT: Final = "s3-event-worker.service"
FAILED_UNIT: Final = "s3-event-worker-failed.service"
SERVING_SECONDS: Final = 120
MOVING_SECONDS: Final = 180


class Fleet:
    """Looks at a stack from outside: by AWS's API, and by each instance's journal."""

    def __init__(self, region: Region, stack: str, bucket: str) -> None:
        self.region, self.bucket = region, bucket
        self.group_name = f"{stack}-workers"
        self.queue_name = f"{stack}-uploads"
        self._s3 = region.client("s3")
        self._autoscaling = region.client("autoscaling")

    def members(self) -> dict[str, str]:
        """Return the group's instances, each with its lifecycle state."""
        (group,) = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.group_name]
        )["AutoScalingGroups"]
        return {each["InstanceId"]: each["LifecycleState"] for each in group["Instances"]}

    def serving(self) -> list[Machine]:
        """Return the instances whose worker has said READY to systemd, and was not told to stop."""
        machines = [self.region.machines.find(name) for name in self.members()]
        return [each for each in machines if each and is_active(each)]

    def wait_for(self, count: int) -> list[Machine]:
        """Wait until exactly so many instances serve, and the group has no others."""
        return wait_until(
            lambda: self._all_serving(count), f"{count} serving instances", SERVING_SECONDS
        )

    def _all_serving(self, count: int) -> list[Machine]:
        settled = [machine for machine in self.serving() if is_settled(machine)]
        return settled if len(settled) == count == len(self.members()) else []

    def is_baking(self) -> bool:
        """Whether an instance refresh has replaced all, and only waits in case of an alarm."""
        answer = self._autoscaling.describe_instance_refreshes(AutoScalingGroupName=self.group_name)
        states = {name.partition(":")[0] for name in self.members().values()}
        latest = answer["InstanceRefreshes"][:1]
        return [each["Status"] for each in latest] == ["Baking"] and states == {"InService"}

    def scale_to(self, count: int) -> None:
        """Set the desired capacity, as the scaling policy would."""
        self.region.journal.note("scaler", f"desired capacity {count}")
        self._autoscaling.set_desired_capacity(
            AutoScalingGroupName=self.group_name, DesiredCapacity=count
        )

    def upload(self, names: Sequence[str]) -> None:
        """Put files whose content is their own name."""
        for name in names:
            self._s3.put_object(Bucket=self.bucket, Key=f"uploads/{name}", Body=name.encode())

    def wait_until_moved(self, names: Sequence[str]) -> None:
        """Wait until every file is at its destination, whole, and none is at its source."""
        wanted = {f"processed/{name}" for name in names}
        wait_until(
            lambda: wanted <= self.keys("processed/") and not self.keys("uploads/"),
            f"{len(wanted)} files moved",
            MOVING_SECONDS,
        )
        for name in names:
            body = self._s3.get_object(Bucket=self.bucket, Key=f"processed/{name}")["Body"].read()
            assert body == name.encode()

    def keys(self, prefix: str) -> set[str]:
        """List the bucket below a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return {each["Key"] for page in pages for each in page.get("Contents", [])}

    def wait_until_settled(self) -> None:
        """Wait until the queue is empty, and see that nothing was set aside."""
        empty = {self.queue_name: 0, f"{self.queue_name}-dlq": 0}
        wait_until(lambda: self.depths() == empty, "an empty queue", MOVING_SECONDS)

    def depths(self) -> dict[str, int]:
        """Return how many messages the queue and its dead-letter queue hold."""
        sqs = self.region.client("sqs")
        found = {}
        for name in (self.queue_name, f"{self.queue_name}-dlq"):
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            found[name] = sum(
                int(attributes["Attributes"][f"ApproximateNumberOfMessages{kind}"])
                for kind in ("", "NotVisible", "Delayed")
            )
        return found


def is_active(machine: Machine) -> bool:
    """Whether its worker's unit is active: started, READY, not stopping."""
    if not machine.container.is_running:
        return False
    return machine.container.run("systemctl", "is-active", UNIT).stdout.strip() == "active"


def is_settled(machine: Machine) -> bool:
    """Whether its first boot is over: the last thing that does is to restart the worker."""
    over = machine.container.run("test", "-e", "/run/cloud-init/result.json").status == 0
    return over and show(machine, "ActiveState", "Job") == {"ActiveState": "active", "Job": ""}


def show(machine: Machine, *names: str) -> dict[str, str]:
    """Return properties of the worker's unit, as `systemctl show` has them."""
    shown = machine.container.run("systemctl", "show", f"--property={','.join(names)}", UNIT)
    return dict(line.split("=", 1) for line in shown.stdout.splitlines())


def log_lines(machine: Machine, unit: str = UNIT) -> list[dict[str, Any]]:
    """Return what its worker logged since it was launched, line by line; also once it is gone."""
    journal = f"--directory={machine.container.journal}"
    said = run("journalctl", journal, f"--unit={unit}", "--output=cat")
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def moved_by(machine: Machine) -> list[str]:
    """Return the names of the files that its worker says it moved."""
    lines = events(machine, "object")
    sources = [line["source"] for line in lines if line["outcome"] == "moved"]
    return [source.partition("/uploads/")[2] for source in sources]


def events(machine: Machine, event: str, unit: str = UNIT) -> list[dict[str, Any]]:
    """Return the worker's log lines of one event."""
    return [line for line in log_lines(machine, unit) if line["event"] == event]
