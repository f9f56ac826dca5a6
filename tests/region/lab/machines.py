"""The instances: each is told to boot, stop, be copied or end, and the API waits for none."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from region.lab import network
from region.lab.container import POWER_OFF_SECONDS, Container
from region.lab.images import Images
from region.lab.journal import Journal
from region.lab.place import Place

from worker.demo.embedded.ec2.machines import Launch


@dataclass(slots=True)
class Machine:
    """One instance, and what it is to do next: one thing at a time, in the order it was told."""

    launch: Launch
    container: Container
    pending_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When it was launched, or last started."""
    layers: tuple[Path, ...] = ()
    namespace: str = ""
    tasks: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when nothing is left of it, and its address is free."""


class ContainerMachines:
    """Stands behind the embedded EC2 (its `Machines`): a launch becomes a container."""

    def __init__(self, place: Place, images: Images, journal: Journal) -> None:
        self.failures: list[BaseException] = []
        """What went wrong in a machine's own time: nobody else would hear of it."""
        self._place, self._images, self._journal = place, images, journal
        self._machines: dict[str, Machine] = {}
        self._lock = threading.Lock()

    def launched(self, launch: Launch) -> None:
        """Boot a container from the image, at the instance's private address."""
        name = launch.instance_id
        container = Container(self._place, name, self._place.work / "machines" / name)
        machine = Machine(launch, container)
        before = self.at(launch.private_ip)
        with self._lock:
            self._machines[name] = machine
        self._journal.note(name, "launched", image=launch.image_id, group=launch.group_name or "")
        self._next(machine, lambda: self._first_boot(machine, before))

    def stopped(self, instance_id: str) -> None:
        """Shut the container down; its disk stays."""
        machine = self._machines[instance_id]
        self._next(machine, lambda: self._power_off(machine))

    def started(self, instance_id: str) -> None:
        """Boot it again."""
        machine = self._machines[instance_id]
        machine.pending_time = datetime.now(UTC)
        self._next(machine, lambda: self._power_on(machine))

    def terminated(self, instance_id: str) -> None:
        """Shut it down, and give its address back."""
        machine = self._machines[instance_id]
        self._next(machine, lambda: self._end(machine))
        machine.tasks.shutdown(wait=False)

    def imaged(self, instance_id: str, image_id: str, *, reboot: bool) -> None:
        """Keep a copy of its disk; with `reboot`, of a disk at rest."""
        machine = self._machines[instance_id]
        self._images.announce(image_id)
        self._next(machine, lambda: self._copy(machine, image_id, reboot=reboot))

    def at(self, address: str) -> Machine | None:
        """Return the instance at an address."""
        with self._lock:
            machines = list(self._machines.values())
        return next((each for each in machines if each.launch.private_ip == address), None)

    def named(self, instance_id: str) -> Machine:
        """Return an instance; KeyError if there was none, or it is gone."""
        return self._machines[instance_id]

    def find(self, instance_id: str) -> Machine | None:
        """Return an instance; None if there is none, or it is gone."""
        return self._machines.get(instance_id)

    def all(self) -> list[Machine]:
        """Return every instance that is not gone."""
        with self._lock:
            return list(self._machines.values())

    def ids(self) -> list[str]:
        """Return the ids of those."""
        return [each.launch.instance_id for each in self.all()]

    def end(self) -> None:
        """Pull every plug, once each machine has done what it was told."""
        for machine in self.all():
            machine.tasks.shutdown(wait=True, cancel_futures=True)
            machine.container.pull_the_plug()
            network.remove_namespace(machine.namespace)

    def _next(self, machine: Machine, task: Callable[[], None]) -> None:
        future = machine.tasks.submit(task)
        future.add_done_callback(lambda done: self._keep_failure(done.exception()))

    def _keep_failure(self, failure: BaseException | None) -> None:
        if failure is not None:
            self.failures.append(failure)

    def _first_boot(self, machine: Machine, before: Machine | None) -> None:
        """Boot it; first wait for the end of whoever had its address `before`, as EC2 would."""
        if before:
            before.gone.wait(POWER_OFF_SECONDS)
        launch = machine.launch
        machine.layers = self._images.layers(launch.image_id)
        machine.namespace = network.add_instance(
            self._place, launch.instance_id[-8:], launch.private_ip
        )
        self._power_on(machine)

    def _power_on(self, machine: Machine) -> None:
        machine.container.power_on(machine.namespace, machine.layers)
        self._journal.note(machine.launch.instance_id, "boots")

    def _power_off(self, machine: Machine) -> None:
        self._journal.note(machine.launch.instance_id, "powers-off")
        machine.container.power_off()
        self._journal.note(machine.launch.instance_id, "off")

    def _copy(self, machine: Machine, image_id: str, *, reboot: bool) -> None:
        was_on = machine.container.is_running
        if was_on and reboot:
            self._power_off(machine)
        self._images.snapshot(image_id, machine.container.upper, machine.layers)
        self._journal.note(machine.launch.instance_id, "imaged", image=image_id)
        if was_on and reboot:
            self._power_on(machine)

    def _end(self, machine: Machine) -> None:
        if machine.container.is_running:
            self._power_off(machine)
        network.remove_namespace(machine.namespace)
        with self._lock:
            del self._machines[machine.launch.instance_id]
        machine.gone.set()
        self._journal.note(machine.launch.instance_id, "gone")
