"""What the lab asks of the machine that it runs on: programs, and what it lacks."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

COMMAND_SECONDS: Final = 120
"""No command of the lab's own takes longer, on a machine that is not stuck."""

PROGRAMS: Final = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "journalctl": "systemd",
    "nsenter": "util-linux",
    "mount": "mount",
}
"""What must be installed, each with its Debian package."""


class LabError(Exception):
    """Raised when the machine refuses something the lab needs; says what, in its own words."""


def run(*command: str | Path, stdin: str | None = None, seconds: float = COMMAND_SECONDS) -> str:
    """Run a command of the host's, and return what it printed; raises LabError with its words."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, check=False, timeout=seconds
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{' '.join(words)}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"{' '.join(words)}: status {done.returncode}: {said}")
    return done.stdout


def missing() -> str:
    """Say what this machine lacks for a lab; empty if nothing."""
    if os.geteuid() != 0:
        return "the lab needs root: it mounts, makes network namespaces and boots containers"
    lacking = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    return f"apt-get install {' '.join(lacking)}" if lacking else ""
