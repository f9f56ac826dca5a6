"""The file system that every instance starts from: a small Debian with systemd and cloud-init.

It stands for Ubuntu's or Amazon's AMI, and is built once a machine, into the user's cache.
"""

import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from region.lab.host import run
from region.lab.network import AWS_URL, GATEWAY

SUITE: Final = "bookworm"
PACKAGES: Final = (
    "ca-certificates",
    "cloud-init",
    "curl",
    "dbus",
    "iproute2",
    "libpam-systemd",
    "openssh-server",
    "python3",
    "python3-venv",
    "sudo",
    "systemd",
    "systemd-sysv",
    "unattended-upgrades",
)
"""What an AMI of Ubuntu's has as well, as far as anything here uses it."""

BUILD_SECONDS: Final = 900
"""One minute with a near archive; a slow one is no reason to give up."""

HYPERVISOR: Final = "/etc/lab/hypervisor-uuid"
DATA_SOURCE: Final = "usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py"
"""Where cloud-init asks Xen's file for the machine's id; no container has that file."""

FILES: Final = {
    # What an AMI finds in the machine under it: that this is EC2, and that the network is set up.
    "etc/cloud/cloud.cfg.d/99-lab.cfg": (
        "datasource_list: [ Ec2 ]\n"
        "datasource: {Ec2: {strict_id: false, max_wait: 30, timeout: 5}}\n"
        "network: {config: disabled}\n"
        "manage_etc_hosts: localhost\n"
        "system_info: {default_user: {name: ubuntu, lock_passwd: true, shell: /bin/bash,"
        ' sudo: ["ALL=(ALL) NOPASSWD:ALL"]}}\n'
        "apt: {preserve_sources_list: true}\n"
        "locale: false\n"
    ),
    HYPERVISOR.lstrip("/"): "ec20c0de-1ab0-4000-8000-000000000000\n",
    # Where AWS is, which a real instance finds by name.
    "etc/systemd/system.conf.d/50-lab.conf": (
        f"[Manager]\nDefaultEnvironment=AWS_ENDPOINT_URL={AWS_URL}\n"
    ),
    "etc/environment": f"AWS_ENDPOINT_URL={AWS_URL}\n",
    # Nobody serves names here; an address where nobody listens says so at once.
    "etc/resolv.conf": f"nameserver {GATEWAY}\noptions attempts:1 timeout:1\n",
    # A container's sshd answers at once only if it asks no name server.
    "etc/ssh/sshd_config.d/50-lab.conf": "UseDNS no\n",
}

WITHOUT_USE: Final = (
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "console-getty.service",
    "getty-static.service",
    "getty@tty1.service",
)
"""There is no archive, no disk and no console here."""


def base_file_system(cache: Path) -> Path:
    """Return the base's folder, which nobody may write to; builds it the first time.

    `cache` is the project's folder in the user's cache. Raises LabError.
    """
    folder = cache / f"region-base-{_fingerprint()}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "region-base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for older in cache.glob("region-base-*"):
                shutil.rmtree(older)
            _build(folder.with_name(f"{folder.name}.partial"))
            folder.with_name(f"{folder.name}.partial").rename(folder)
    return folder


def cache_folder(environment: dict[str, str] | os._Environ[str]) -> Path:
    """Return where this project keeps what can be built again (XDG base directories)."""
    cache = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "/root")) / ".cache"
    return Path(cache) / "s3-event-worker"


def _fingerprint() -> str:
    told = repr((SUITE, PACKAGES))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _build(folder: Path) -> None:
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        SUITE,
        folder,
        seconds=BUILD_SECONDS,
    )
    for key in (folder / "etc/ssh").glob("ssh_host_*"):
        key.unlink()  # cloud-init makes each instance's own
    (folder / "etc/machine-id").write_text("", encoding="utf-8")


def write_surroundings(base: Path, layer: Path) -> None:
    """Write the layer over the base that makes an instance of the lab of it.

    On AWS the machine and the network tell what stands here; nothing of it is the product's.
    """
    for name, text in FILES.items():
        _write(layer / name, text)
    code = (base / DATA_SOURCE).read_text(encoding="utf-8")
    _write(layer / DATA_SOURCE, code.replace("/sys/hypervisor/uuid", HYPERVISOR))
    for unit in WITHOUT_USE:
        path = layer / "etc/systemd/system" / unit
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to("/dev/null")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
