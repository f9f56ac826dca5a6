"""The template as the Packer at hand understands it: as it is, or a copy without what is newer.

Debian's Packer is 1.6.6, has the amazon builder built in, and knows no plugins. `python -m
support.packer_template FOLDER` writes a copy for it, with all that the template needs beside it.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "packer"
MAIN = "worker.pkr.hcl"

NEWER_BLOCKS = ("required_plugins", "metadata_options")
NEWER_ARGUMENTS = (
    "required_version",
    "imds_support",
    "deprecate_at",
    "temporary_key_pair_type",
    "temporary_security_group_source_public_ip",
)
"""What 1.6.6 refuses. None of it changes how an image is baked, all of it what it is afterwards."""

SMALLEST_MODERN = (1, 9)
"""As `required_version` in the template has it."""


@dataclass(frozen=True, slots=True)
class Packer:
    """One Packer program, and its version."""

    program: str
    version: tuple[int, ...]

    @property
    def is_modern(self) -> bool:
        """Whether the template can be given to it as it is."""
        return self.version >= SMALLEST_MODERN

    def __str__(self) -> str:
        number = ".".join(map(str, self.version))
        as_it_is = "the template as it is" if self.is_modern else "a copy without what is newer"
        return f"Packer {number} ({as_it_is})"

    def template(self, folder: Path) -> Path:
        """Return the folder of the template to use; a copy is made below `folder`."""
        return TEMPLATE if self.is_modern else copy_for_older(folder)

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [self.program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=cwd,
        )


def find_packer(program: str) -> Packer:
    """Ask a program for its version; raises LookupError if it is not Packer."""
    path = shutil.which(program)
    if path is None:
        raise LookupError(f"there is no {program}; install Packer, or name it with PACKER=...")
    said = subprocess.run([path, "version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"Packer v(\d+)\.(\d+)\.(\d+)", said)
    if found is None:
        raise LookupError(f"{path} is not HashiCorp's Packer")
    return Packer(path, tuple(map(int, found.groups())))


def copy_for_older(folder: Path) -> Path:
    """Copy the template and what it uploads below `folder`, without what 1.6.6 does not know."""
    target = folder / TEMPLATE.name
    shutil.copytree(TEMPLATE, target)
    shutil.copytree(ROOT / "systemd", folder / "systemd")
    main = target / MAIN
    main.write_text(without_newer(main.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def without_newer(text: str) -> str:
    """Take the newer blocks and arguments out of a template that `packer fmt` has laid out."""
    for block in NEWER_BLOCKS:
        text = re.sub(rf"^( *){block} \{{\n(?:.*\n)*?\1\}}\n", "", text, flags=re.MULTILINE)
    for argument in NEWER_ARGUMENTS:
        text = re.sub(rf"^ *{argument} +=.*\n", "", text, flags=re.MULTILINE)
    return text


if __name__ == "__main__":
    print(copy_for_older(Path(sys.argv[1])))
