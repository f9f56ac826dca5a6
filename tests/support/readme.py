"""The README's console blocks: read, run again, and written anew (`make readme`)."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n(?P<text>.*?)```", re.DOTALL)
COMMAND = re.compile(
    r"^\$ (?P<settings>(?:[A-Z_]+=\S+ )*)(?P<program>worker|provision) (?P<words>.*)$"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a block, and what the README says that it prints."""

    line: str
    printed: str

    @property
    def settings(self) -> dict[str, str]:
        """The settings that stand before the command."""
        return dict(each.split("=", 1) for each in self._match["settings"].split())

    @property
    def words(self) -> list[str]:
        """The words behind the program."""
        return self._match["words"].split()

    @property
    def _match(self) -> re.Match[str]:
        match = COMMAND.match(self.line)
        if match is None:
            raise ValueError(f"a console block takes our two programs only, not {self.line!r}")
        return match

    def run(self) -> str:
        """Run the command as a newcomer would, and return all that it prints."""
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
        done = subprocess.run(
            [sys.executable, "-m", self._match["program"], *self.words],
            env=kept | {"COLUMNS": "80", "PYTHONPATH": str(ROOT)} | self.settings,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
        return "\n".join(lines) + "\n"


def steps(text: str) -> Iterator[Step]:
    """Yield the commands of all console blocks, in order."""
    for block in BLOCK.finditer(text):
        for part in re.split(r"^(?=\$ )", block["text"], flags=re.MULTILINE):
            if part.strip():
                line, _, printed = part.partition("\n")
                yield Step(line, printed.rstrip("\n") + "\n" if printed.strip() else "\n")


def refreshed(text: str) -> str:
    """Return the text with every command's output as it is now."""

    def again(block: re.Match[str]) -> str:
        runs = [f"{step.line}\n{step.run()}" for step in steps(block.group(0))]
        return "```console\n" + "\n".join(runs) + "```"

    return BLOCK.sub(again, text)


if __name__ == "__main__":
    README.write_text(refreshed(README.read_text(encoding="utf-8")), encoding="utf-8")
