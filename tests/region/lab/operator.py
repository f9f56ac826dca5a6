"""The operator: a person with the `provision` command and an account, in a folder of their own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from region.lab.container import Done
from region.lab.journal import Journal

PROVISION: Final = Path(sys.executable).with_name("provision")

COMMAND_SECONDS: Final = 300
"""A rollout waits for two boots; a bake for one, and an image."""


class Operator:
    """Runs `provision` in `folder`, against the region that `environment` points to."""

    def __init__(self, folder: Path, environment: Mapping[str, str], journal: Journal) -> None:
        self.folder = folder
        self._environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            **environment,
        }
        self._journal = journal

    def run(self, *arguments: str, expecting: int = 0) -> Done:
        """Run `provision ARGUMENTS`; raises AssertionError, with its words, on another status."""
        step = f"provision {' '.join(arguments)}"
        self._journal.note("operator", step)
        done = subprocess.run(
            [PROVISION, *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        self._journal.note("operator", f"{step}: done")
        said = f"{step}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == expecting, said
        return Done(done.returncode, done.stdout, done.stderr)

    def ask(self, *arguments: str) -> Any:  # noqa: ANN401 - whatever document the command prints
        """Run a command with --json, and return its document."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def set(self, section: str, **settings: str | int) -> None:
        """Edit the stack file: each setting stands there already, commented out or not."""
        path = self.folder / "stack.toml"
        text = path.read_text(encoding="utf-8")
        head, mark, tail = text.partition(f"[{section}]\n")
        assert mark, f"no section {section}"
        for name, value in settings.items():
            line = f"{name} = {json.dumps(value)}"
            found = re.search(rf"^(# )?{name} = .*$", tail, re.MULTILINE)
            assert found, f"no setting {name} in {section}"
            tail = tail[: found.start()] + line + tail[found.end() :]
        path.write_text(head + mark + tail, encoding="utf-8")
