"""Session Manager's agents: what Run Command asks of an instance is run inside its container."""

from collections.abc import Collection, Sequence

from region.lab.container import Container
from region.lab.machines import ContainerMachines


class Agents:
    """Stands behind the embedded Systems Manager (its `Shell`): a running container has an agent.

    The base has none of the real ones: they come with Ubuntu's and Amazon's images.
    """

    def __init__(self, machines: ContainerMachines) -> None:
        self._machines = machines

    def instances(self) -> Collection[str]:
        """Name the instances that have booted."""
        return [each.launch.instance_id for each in self._machines.all() if booted(each.container)]

    def run(self, instance_id: str, commands: Sequence[str]) -> tuple[int, str, str]:
        """Run a script as AWS-RunShellScript does, as root."""
        container = self._machines.named(instance_id).container
        done = container.run("/bin/sh", "-c", "\n".join(commands))
        return done.status, done.stdout, done.stderr


def booted(container: Container) -> bool:
    """Whether a container is past its boot's first half, where an agent would start."""
    if not container.is_running:
        return False
    return container.run("systemctl", "is-active", "basic.target").status == 0
