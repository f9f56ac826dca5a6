"""Instances as processes: each launch becomes a `worker run` with a metadata service of its own.

A process gets what its instance is told: the settings from its user data, its own id and lifecycle
state. Its log goes to CloudWatch Logs, as the agent on the image sends it.
"""

import json
import shlex
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.flow_process import Worker
from support.imds_server import PATHS, FakeImds, imds_server
from worker.demo.embedded.ec2.machines import Launch
from worker.demo.embedded.server import REGION, EmbeddedAws

SHIP_SECONDS = 0.2
"""The agent's pace; five seconds on AWS."""

STOP_SECONDS = 15.0
"""Of an instance's shutdown: a worker that has drained needs none of it."""

SHORT = {"WAIT_TIME_SECONDS": "1"}
"""A drain waits for the open poll to come home: a test has no twenty seconds for it."""


@dataclass
class Machine:
    """One instance."""

    launch: Launch
    imds: FakeImds
    worker: Worker | None = None
    shipped: int = 0
    closing: ExitStack = field(default_factory=ExitStack)


class WorkerMachines:
    """Stands behind the embedded EC2 (its `Machines`); instances without user data run nothing.

    `aws` is to be set once it runs, and `log_group` says where the agent sends the log.
    """

    def __init__(self, folder: Path, log_group: str) -> None:
        self.aws: EmbeddedAws | None = None
        self.logs: Any = None
        self.gone: list[Machine] = []
        self._folder, self._log_group = folder, log_group
        self._machines: dict[str, Machine] = {}
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._agent = threading.Thread(target=self._ship_all, daemon=True)

    # --- Machines ---------------------------------------------------------------------------------

    def launched(self, launch: Launch) -> None:
        """Start the worker, in the background: it asks this AWS, which is locked meanwhile."""
        closing = ExitStack()
        imds = closing.enter_context(imds_server(region=REGION))
        imds.items["meta-data/instance-id"] = launch.instance_id
        imds.live = lambda: self._state(launch.instance_id)
        machine = Machine(launch, imds, closing=closing)
        with self._lock:
            self._machines[launch.instance_id] = machine
        self.started(launch.instance_id)

    def stopped(self, instance_id: str) -> None:
        """End the process."""
        machine = self._machines[instance_id]
        if machine.worker is not None:
            machine.worker.kill()

    def started(self, instance_id: str) -> None:
        """Start the process (again)."""
        machine = self._machines[instance_id]
        settings = settings_of(machine.launch.user_data)
        if settings:
            environment = {**self._surroundings(machine.imds), **settings, **SHORT}
            machine.worker = Worker(environment, self._folder / f"{instance_id}.log")

    def terminated(self, instance_id: str) -> None:
        """Shut down, and forget the instance."""
        with self._lock:
            machine = self._machines.pop(instance_id)
            self.gone.append(machine)
        threading.Thread(target=self._shut_down, args=(machine,), daemon=True).start()

    def imaged(self, instance_id: str, image_id: str, *, reboot: bool) -> None:
        """Keep nothing: the disk is this machine's."""

    # --- Shell: Systems Manager's Run Command -----------------------------------------------------

    def instances(self) -> tuple[str, ...]:
        """Name the instances whose agent is online."""
        with self._lock:
            return tuple(self._machines)

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Answer `systemctl is-active` as systemd would."""
        assert [each.startswith("systemctl is-active") for each in commands] == [True]
        worker = self._machines[instance_id].worker
        active = worker is not None and worker.code is None
        return (0, "active\n", "") if active else (3, "failed\n", "")

    # --- for tests --------------------------------------------------------------------------------

    def start(self, aws: EmbeddedAws, logs: object) -> None:
        """Serve this AWS; `logs` is a client of its CloudWatch Logs."""
        self.aws, self.logs = aws, logs
        self._agent.start()

    def end(self) -> None:
        """Kill what still runs."""
        self._over.set()
        self._agent.join()
        with self._lock:
            for machine in [*self._machines.values(), *self.gone]:
                self._pull_the_plug(machine)

    def workers(self) -> list[Worker]:
        """Return every worker, those that are gone first."""
        with self._lock:
            machines = [*self.gone, *self._machines.values()]
        return [each.worker for each in machines if each.worker is not None]

    def picture(self) -> str:
        """Show every worker's last lines."""
        return "\n".join(each.picture() for each in self.workers())

    # --- inside -----------------------------------------------------------------------------------

    def _shut_down(self, machine: Machine) -> None:
        """End the worker as systemd does at a shutdown, then everything."""
        if machine.worker and machine.worker.code is None:
            machine.worker.send(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while machine.worker and machine.worker.code is None and time.monotonic() < until:
            time.sleep(SHIP_SECONDS)
        self._pull_the_plug(machine)

    @staticmethod
    def _pull_the_plug(machine: Machine) -> None:
        if machine.worker is not None:
            machine.worker.kill()
        machine.closing.close()

    def _surroundings(self, imds: FakeImds) -> dict[str, str]:
        assert self.aws is not None
        environment = self.aws.environment()
        del environment["AWS_EC2_METADATA_DISABLED"]
        return {**environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.endpoint}

    def _state(self, instance_id: str) -> Mapping[str, str]:
        assert self.aws is not None
        state = self.aws.instance_state(instance_id)
        target = state.target_lifecycle_state if state else None
        return {PATHS["target_state"]: target} if target else {}

    def _ship_all(self) -> None:
        """Be the CloudWatch agent of every instance."""
        while not self._over.wait(SHIP_SECONDS):
            with self._lock:
                machines = [*self._machines.values(), *self.gone]
            for machine in machines:
                self._ship(machine)

    def _ship(self, machine: Machine) -> None:
        if machine.worker is None or not machine.worker.log.exists():
            return
        lines = machine.worker.lines()[machine.shipped :]
        if not lines:
            return
        stream = {"logGroupName": self._log_group, "logStreamName": machine.launch.instance_id}
        if not machine.shipped:
            self.logs.create_log_stream(**stream)
        machine.shipped += len(lines)
        now = int(time.time() * 1000)
        self.logs.put_log_events(
            **stream, logEvents=[{"timestamp": now, "message": line or " "} for line in lines]
        )


def settings_of(user_data: bytes) -> Mapping[str, str]:
    """Read the worker's settings out of a cloud-init document, as the image's unit would."""
    text = user_data.decode()
    if not text.startswith("#cloud-config"):
        return {}
    document = json.loads(text.partition("\n")[2])
    return dict(
        shlex.split(line)[0].split("=", 1)
        for each in document["write_files"]
        if each["path"].endswith("worker.env")
        for line in each["content"].splitlines()
    )
