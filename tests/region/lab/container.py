"""One instance: a systemd container on an overlay of its image, in a control group of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from region.lab.host import LabError, run
from region.lab.place import Place

CGROUPS: Final = Path("/sys/fs/cgroup")

POWER_OFF: Final = signal.SIGRTMIN + 4
"""What systemd as process 1 takes for `poweroff` (systemd(1), "Signals")."""

POWER_OFF_SECONDS: Final = 170.0
"""The unit's TimeoutStopSec and some air; EC2 pulls the plug as well in the end."""

LEADER_SECONDS: Final = 20.0
END_SECONDS: Final = 20.0

PROPAGATE: Final = Path("/run/systemd/nspawn/propagate")
"""nspawn removes no folder of a temporary file system, /run, and says so on the console."""

OVERLAY_OPTIONS: Final = "redirect_dir=off,metacopy=off,index=off"
"""A layer must read the same when it is copied elsewhere."""

NSENTER: Final = ("nsenter", "-m", "-p", "-u", "-i", "-n", "-C")
ENVIRONMENT: Final = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command inside ended."""

    status: int
    stdout: str
    stderr: str


class Container:
    """A machine named `name`, with its disk in `folder`.

    Its disk (`upper`) outlives `power_off`, as an EBS volume outlives a stop; sweeping ends it, so
    that its journal can be read for as long as the lab lasts.
    """

    def __init__(self, place: Place, name: str, folder: Path) -> None:
        self.name, self._machine = name, f"{place.prefix}{name}"
        self.upper, self._work, self.root = folder / "upper", folder / "work", folder / "root"
        self.console = folder / "console.log"
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._leader = 0

    @property
    def journal(self) -> Path:
        """Where its journal lies; to be read from outside, whether it is on, ending or off."""
        return self.upper / "var/log/journal"

    @property
    def is_running(self) -> bool:
        """Whether it is on."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def power_on(self, namespace: str, layers: Sequence[Path]) -> None:
        """Boot it into a network namespace; returns as soon as its process 1 runs.

        `layers` are what its disk lies over, the topmost first; nothing is written to them.
        """
        self._mount(layers)
        for group in self._groups():
            group.mkdir(exist_ok=True)
        joining = "".join(f"echo $$ > {group}/cgroup.procs; " for group in self._groups())
        with self.console.open("ab") as console:
            self._supervisor = subprocess.Popen(
                ["/bin/sh", "-c", f'set -e; {joining}exec "$@"', "sh", *self._nspawn(namespace)],
                env={"PATH": os.defpath, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,  # a Ctrl-C at the tests is not meant for it
            )
        self._leader = self._wait_for_leader(self._supervisor)

    def run(self, *command: str, stdin: str | None = None, seconds: float = 60) -> Done:
        """Run a command inside, as root."""
        if not self.is_running:
            raise LabError(f"{self.name} is off")
        done = subprocess.run(
            [*NSENTER, "-t", str(self._leader), "--", *ENVIRONMENT, *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def shell(self, script: str, seconds: float = 60) -> Done:
        """Run a line of shell inside, as root."""
        return self.run("/bin/sh", "-c", script, seconds=seconds)

    def read(self, path: str) -> str:
        """Return a file's text; raises LabError if it is not there."""
        done = self.run("cat", path)
        if done.status:
            raise LabError(f"{self.name}: {done.stderr.strip()}")
        return done.stdout

    def boot_id(self) -> str:
        """Return what differs from one boot to the next."""
        return self.read("/proc/1/stat").split()[21]

    def power_off(self) -> None:
        """Shut it down as `poweroff` does: services stop first. Pulls the plug in the end."""
        if self._supervisor is None:
            return
        if self.is_running:
            os.kill(self._leader, POWER_OFF)
        try:
            self._supervisor.wait(POWER_OFF_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        self._supervisor = None
        self._unmount()

    def pull_the_plug(self) -> None:
        """End it at once."""
        if self._supervisor is not None:
            self._supervisor.kill()
            self._supervisor.wait()
            self._supervisor = None
        self._unmount()

    def _mount(self, layers: Sequence[Path]) -> None:
        for folder in (self.upper, self._work, self.root):
            folder.mkdir(parents=True, exist_ok=True)
        lower = ":".join(str(layer) for layer in layers)
        options = f"lowerdir={lower},upperdir={self.upper},workdir={self._work},{OVERLAY_OPTIONS}"
        run("mount", "-t", "overlay", "-o", options, self._machine, self.root)

    def _groups(self) -> list[Path]:
        return [root / self._machine for root in _hierarchies()]

    def _unmount(self) -> None:
        if self.root.is_mount():
            run("umount", self.root)
        for group in self._groups():
            if group.is_dir():
                remove_group(group)
        if (PROPAGATE / self._machine).is_dir():
            (PROPAGATE / self._machine).rmdir()

    def _nspawn(self, namespace: str) -> list[str]:
        return [
            "systemd-nspawn",
            "--quiet",
            f"--directory={self.root}",
            "--boot",
            "--register=no",
            "--keep-unit",
            f"--machine={self._machine}",
            f"--network-namespace-path=/run/netns/{namespace}",
            "--resolv-conf=off",
            "--console=pipe",
            "--link-journal=no",
            # DevicePolicy= and PrivateNetwork= of services inside
            "--capability=CAP_BPF,CAP_NET_ADMIN",
            "--system-call-filter=bpf",
        ]

    def _wait_for_leader(self, supervisor: "subprocess.Popen[bytes]") -> int:
        children = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children")
        deadline = time.monotonic() + LEADER_SECONDS
        while time.monotonic() < deadline and supervisor.poll() is None:
            for child in children.read_text().split():
                if _is_init(int(child)):
                    return int(child)
            time.sleep(0.02)
        supervisor.kill()
        said = self.console.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise LabError(f"{self.name} did not boot: {said}")


def _is_init(pid: int) -> bool:
    """Whether a process has become process 1 of its namespace, past nspawn's own set-up."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "systemd"
    except OSError:
        return False


def _hierarchies() -> list[Path]:
    """Return the trees that systemd uses: of a hybrid host two, else the one of version 2."""
    hybrid = [CGROUPS / name for name in ("systemd", "unified") if (CGROUPS / name).is_dir()]
    return hybrid or [CGROUPS]


def groups(place: Place) -> list[Path]:
    """List a place's control groups."""
    return [group for root in _hierarchies() for group in root.glob(f"{place.prefix}*")]


def leftovers(place: Place) -> list[Path]:
    """List the folders that nspawn makes for a machine and fails to remove."""
    return list(PROPAGATE.glob(f"{place.prefix}*")) if PROPAGATE.is_dir() else []


def remove_group(group: Path) -> None:
    """Kill what still runs in a control group, and remove it. Raises LabError.

    Its processes were children of a container that is gone: they are ending already.
    """
    deadline = time.monotonic() + END_SECONDS
    while pids := processes(group):
        if time.monotonic() > deadline:
            raise LabError(f"processes {pids} in {group} do not end")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for below in sorted(group.rglob("*"), reverse=True):
        if below.is_dir():
            below.rmdir()
    group.rmdir()


def processes(group: Path) -> list[int]:
    """List what runs in a control group and below."""
    lists = [path.read_text(encoding="ascii") for path in group.rglob("cgroup.procs")]
    return sorted({int(pid) for text in lists for pid in text.split()})
