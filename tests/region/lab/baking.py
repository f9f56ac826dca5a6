"""Bakes an image with the Packer at hand: the real one, the project's own template and wheel."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from region.lab import network
from region.lab.host import run
from support.packer_template import ROOT, Packer

BASE_PYTHON: Final = "3.11"
"""What Debian bookworm has; wheels with binaries in them must fit it."""

BAKE_SECONDS: Final = 300
NETWORK_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Wheels:
    """The project's own wheel, and a folder with those that it needs."""

    own: Path
    house: Path


@dataclass(frozen=True, slots=True)
class Baked:
    """An image, and what the bake says of it."""

    image_id: str
    manifest: dict[str, Any]
    contents: dict[str, Any]


def build_wheels(folder: Path) -> Wheels:
    """Build our wheel and fetch what the lock names; on the machine's own network."""
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    own, house = folder / "own", folder / "house"
    run(*pip, "wheel", "--no-deps", "--wheel-dir", own, ROOT, seconds=NETWORK_SECONDS)
    run(
        *pip,
        "download",
        "--only-binary=:all:",
        "--require-hashes",
        f"--python-version={BASE_PYTHON}",
        f"--requirement={ROOT / 'packer/requirements.lock'}",
        f"--dest={house}",
        seconds=NETWORK_SECONDS,
    )
    (wheel,) = own.glob("*.whl")
    return Wheels(wheel, house)


def bake(packer: Packer, wheels: Wheels, folder: Path, variables: dict[str, str]) -> Baked:
    """Run `packer build` in this thread's network; raises AssertionError with its words."""
    output = folder / "output"
    output.mkdir(parents=True)
    chosen = {
        "wheel": str(wheels.own),
        "wheelhouse": str(wheels.house),
        "online": "false",
        "ssh_interface": "private_ip",
        "source_cidrs": f'["{network.GATEWAY}/{network.VPC_BITS}"]',
        "ec2_endpoint": network.AWS_URL,
        "output": str(output),
        **variables,
    }
    done = subprocess.run(
        [
            packer.program,
            "build",
            "-color=false",
            *(f"-var={name}={value}" for name, value in chosen.items()),
            ".",
        ],
        cwd=packer.template(folder),
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=BAKE_SECONDS,
    )
    assert done.returncode == 0, f"{packer}:\n{done.stdout}\n{done.stderr}"
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))["builds"][-1]
    contents = json.loads((output / "image.json").read_text(encoding="utf-8"))
    return Baked(manifest["artifact_id"].rpartition(":")[2], manifest, contents)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {
        "AWS_ENDPOINT_URL": network.AWS_URL,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-2",
        "CHECKPOINT_DISABLE": "1",
        "PACKER_NO_COLOR": "1",
    }
