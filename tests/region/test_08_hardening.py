"""Every wall of the service's unit stands: what it forbids works without it, and not behind it."""

import re
from collections.abc import Iterator

import pytest
from region.lab.container import Done
from region.lab.machines import Machine
from region.lab.region import Region
from region.lab.waiting import gone, ready
from region.test_01_lab import launch
from support.packer_template import ROOT

pytestmark = pytest.mark.region

PROBES = {
    "DynamicUser=yes": "test $(id -u) = 0",
    "NoNewPrivileges=yes": "runuser -u ubuntu -- sudo -n true",
    "CapabilityBoundingSet=": "touch /run/probe && chown daemon /run/probe",
    "ProtectSystem=strict": "touch /etc/probe",
    "ProtectHome=yes": "test -d /home/ubuntu",
    "ProtectHostname=yes": "hostname $(hostname)",
    "ProtectKernelModules=yes": "test -d /usr/lib/modules/probe",
    "ProtectKernelLogs=yes": "test $(stat -c %a /proc/kmsg) != 0",
    "ProtectControlGroups=yes": "mkdir /sys/fs/cgroup/probe && rmdir /sys/fs/cgroup/probe",
    "ProtectProc=invisible": "runuser -u nobody -- test -d /proc/1",
    "ProcSubset=pid": "test -e /proc/meminfo",
    "PrivateTmp=yes": "test -e /tmp/probe",
    "PrivateMounts=yes": "test $(readlink /proc/self/ns/mnt) = $(readlink /proc/1/ns/mnt)",
    "PrivateDevices=yes": "touch /dev/probe",
    "DevicePolicy=closed": "mknod /run/device c 10 200 && rm /run/device",
    "PrivateUsers=yes": "grep -q 4294967295 /proc/self/uid_map",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6": (
        "python3 -c 'import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)'"
    ),
    "RestrictNamespaces=yes": "unshare --mount true",
    "RestrictRealtime=yes": "chrt --fifo 1 true",
    "RestrictSUIDSGID=yes": "touch /run/suid && chmod u+s /run/suid",
    "LockPersonality=yes": "setarch --addr-no-randomize true",
    "MemoryDenyWriteExecute=yes": (
        "python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)'"
    ),
    "SystemCallFilter=@system-service": "mount -t tmpfs probe /mnt && umount /mnt",
    "SystemCallFilter=~@privileged @resources": "python3 -c 'import os; os.nice(1)'",
    "UMask=0077": "test $(umask) = 0022",
}
"""What works in an ordinary service of root's, and must not behind this line."""

UNTOLD = {
    "User=s3-event-worker": "the name that DynamicUser= gives to its number",
    "AmbientCapabilities=": "the default, said once more",
    "ProtectClock=yes": "no container may set the machine's clock anyway",
    "ProtectKernelTunables=yes": "systemd-nspawn lets nobody write to /proc/sys or /sys",
    "RemoveIPC=yes": "tells itself only after the service has gone",
    "KeyringMode=private": "systemd-nspawn closes the kernel's key rings to all",
    "SystemCallArchitectures=native": "wants a program of another architecture",
    "SystemCallErrorNumber=EPERM": "says how a refusal looks, and refuses nothing",
}
"""The lines that no probe here can tell from their absence, each with its reason."""


def walls() -> list[str]:
    """Return the unit's hardening lines."""
    unit = (ROOT / "systemd/s3-event-worker.service").read_text(encoding="utf-8")
    section = unit.partition("# --- hardening")[2].partition("[Install]")[0]
    return re.findall(r"^[A-Z]\w+=.*$", section, re.MULTILINE)


@pytest.fixture(scope="module")
def machine(region: Region, published: str) -> Iterator[Machine]:
    """Boot an instance with something to find in its /tmp and among its modules."""
    instance_id = launch(region, published)
    machine = ready(region, instance_id)
    machine.container.shell("touch /tmp/probe; mkdir -p /usr/lib/modules/probe")
    yield machine
    region.client("ec2").terminate_instances(InstanceIds=[instance_id])
    gone(region, instance_id)


def probe(machine: Machine, script: str, *lines: str) -> Done:
    """Run a script as a service of root's behind the given lines."""
    properties = [f"--property={line}" for line in lines]
    service = ("systemd-run", "--quiet", "--wait", "--pipe", "--collect", *properties)
    return machine.container.run(*service, "/bin/sh", "-c", script)


def test_every_wall_is_probed_or_has_a_reason_why_not() -> None:
    """No line of the unit is forgotten here, and none is here that the unit has not."""
    assert sorted(walls()) == sorted([*PROBES, *UNTOLD])


@pytest.mark.parametrize("line", PROBES)
def test_what_a_wall_forbids_works_without_it_alone(machine: Machine, line: str) -> None:
    """The probe succeeds with no wall, and fails behind this one alone, and behind all of them."""
    without = probe(machine, PROBES[line])
    assert without.status == 0, without
    assert probe(machine, PROBES[line], line).status != 0
    assert probe(machine, PROBES[line], *walls()).status != 0


def test_a_service_behind_all_walls_can_still_do_its_work(machine: Machine) -> None:
    """The walls let through what the worker needs: Python, threads, a socket of the internet's."""
    script = (
        "python3 -c 'import socket, threading, tempfile;"
        " threading.Thread(target=socket.socket).start(); tempfile.TemporaryFile()'"
    )
    done = probe(machine, script, *walls())
    assert done.status == 0, done
