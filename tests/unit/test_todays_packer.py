"""What `.ci/run` builds Packer with: both programs in the wanted versions, once, or nothing."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "todays-packer"

GO = """#!/bin/sh
# Plays Go: notes what it is asked for; its modules have no source, and its programs do nothing.
echo "$*" >> "$ASKED"
case "$1" in
  list) echo / ;;
  build) while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\n' > "$2"; chmod +x "$2" ;;
esac
"""


class Building:
    """Runs the script with a Go that plays its part."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._asked = folder, folder / "asked"
        self.cache = folder / "cache"

    def run(self, go: str = GO) -> tuple[int, str]:
        """Run it to its end; returns its status, and what it printed."""
        program = self._folder / "go"
        program.write_text(go, encoding="utf-8")
        program.chmod(0o755)
        done = subprocess.run(
            [SCRIPT, self.cache],
            env={"PATH": f"{self._folder}:{os.environ['PATH']}", "ASKED": str(self._asked)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout.strip()

    def asked(self) -> list[str]:
        """Return what Go was asked for, and forget it."""
        said = self._asked.read_text(encoding="utf-8") if self._asked.exists() else ""
        self._asked.unlink(missing_ok=True)
        return said.splitlines()


@pytest.fixture
def building(tmp_path: Path) -> Building:
    """Have an empty cache."""
    return Building(tmp_path)


def test_both_are_built_once_the_plugin_in_the_templates_version(building: Building) -> None:
    """The second time they are there already, and Go is not asked."""
    template = (ROOT / "packer" / "worker.pkr.hcl").read_text(encoding="utf-8")
    (version,) = re.findall(r'^ +version += "([\d.]+)"$', template, re.MULTILINE)
    status, folder = building.run()
    assert status == 0
    assert os.access(Path(folder) / "packer", os.X_OK)
    downloads = [line for line in building.asked() if line.startswith("mod download ")]
    assert len(downloads) == 2
    assert downloads[1].endswith(f"/packer-plugin-amazon@v{version}")
    assert building.run() == (0, folder)
    assert building.asked() == []


def test_a_module_that_is_not_to_be_had_leaves_nothing_that_looks_whole(
    building: Building,
) -> None:
    """No folder is named, and the next time all is tried again."""
    status, folder = building.run(GO + "exit 1\n")
    assert (status, folder) == (1, "")
    assert building.run()[0] == 0
