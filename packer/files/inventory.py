"""Compares what is installed with the lock, and writes what is in the image as JSON.

python inventory.py LOCK TARGET NAME=VALUE...: runs in the worker's virtual environment.
"""

import json
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

OWN = frozenset({"pip", "s3-event-worker", "setuptools"})
"""Installed beside the lock: our own wheel, and what a virtual environment begins with."""

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(;[^\\]*)?", re.MULTILINE)


def main(arguments: Sequence[str]) -> int:
    """Write the inventory; returns 1, having named every difference, if there is any."""
    lock, target, *facts = arguments
    found = {normal(each.name): each.version for each in distributions()}
    wrong = differences(pins(Path(lock).read_text(encoding="utf-8")), found)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    document = dict(fact.split("=", 1) for fact in facts) | machine() | {"packages": found}
    text = json.dumps(document, indent=2, sort_keys=True)
    Path(target).write_text(f"{text}\n", encoding="utf-8")
    return 0


def pins(lock: str) -> dict[str, tuple[str, bool]]:
    """Read a lock: each name with its version, and whether it is for some platforms only."""
    return {normal(name): (version, bool(marker)) for name, version, marker in PIN.findall(lock)}


def differences(locked: Mapping[str, tuple[str, bool]], found: Mapping[str, str]) -> Sequence[str]:
    """Return a sentence for each package that is missing, of another version, or not locked."""
    wrong = [
        f"{name}: {found.get(name, 'nothing')} is installed, the lock says {version}"
        for name, (version, some) in locked.items()
        if found.get(name, version if some else None) != version
    ]
    return wrong + [f"{name}: installed, but not locked" for name in found.keys() - locked - OWN]


def machine() -> dict[str, str]:
    """Return what the image's operating system and Python say of themselves."""
    return {
        "os": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "kernel": kernel(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def kernel(modules: Path = Path("/lib/modules")) -> str:
    """Return the kernel that an instance will boot: the newest, which may await its first boot."""
    installed = sorted(modules.glob("*/modules.order"), key=lambda path: path.stat().st_mtime)
    return installed[-1].parent.name if installed else platform.release()


def normal(name: str) -> str:
    """Return a distribution's name as the package index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
