"""What a bake needs and gives: our wheel and those that the lock names; an image."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from region.lab import network
from region.lab.host import run
from region.lab.operator import Operator
from support.packer_template import ROOT, Packer

BASE_PYTHON: Final = "3.11"
"""What Debian bookworm has; wheels with binaries in them must fit it."""

NETWORK_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Wheels:
    """The project's own wheel, and a folder with those that it needs."""

    own: Path
    house: Path


@dataclass(frozen=True, slots=True)
class Baked:
    """An image, and the revision that it was baked from."""

    image_id: str
    git_revision: str


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


@dataclass(frozen=True, slots=True)
class Oven:
    """Bakes for an operator, in a region without an internet, upon an image that is there."""

    operator: Operator
    packer: Packer
    wheels: Wheels
    source_ami: str
    subnet_id: str
    folder: Path

    def bake(self, git_revision: str, *, upon: str = "") -> Baked:
        """Run `provision ami bake`, upon another image of ours if told so; return what it says."""
        document = self.operator.ask(*self._command(git_revision, source_ami=upon))
        return Baked(document["ami"], git_revision)

    def spoil(self, git_revision: str, **variables: str) -> str:
        """Run a bake that some variable makes fail on the builder; return what is said of it."""
        done = self.operator.run(*self._command(git_revision, **variables), expecting=1)
        return done.stderr

    def _command(self, git_revision: str, **others: str) -> list[str]:
        variables = {
            "wheelhouse": str(self.wheels.house),
            "online": "false",
            "source_ami": self.source_ami,
            "subnet_id": self.subnet_id,
            "ssh_interface": "private_ip",
            "source_cidrs": f'["{network.GATEWAY}/{network.VPC_BITS}"]',
            "ec2_endpoint": network.AWS_URL,
        }
        variables |= {name: value for name, value in others.items() if value}
        return [
            "ami",
            "bake",
            f"--source={self.packer.template(self.folder / git_revision).parent}",
            f"--packer={self.packer.program}",
            f"--wheel={self.wheels.own}",
            f"--git-revision={git_revision}",
            *(f"--var={name}={value}" for name, value in variables.items()),
        ]
