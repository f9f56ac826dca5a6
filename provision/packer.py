"""Runs Packer for one bake, and waits for its end whatever happens (packer/README.md)."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provision.errors import ProvisionError

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NO_WHEEL = "build one with `make wheel`, and give it with --wheel"


@dataclass(frozen=True, slots=True)
class Bake:
    """A program, the template's folder, its variables, and the environment to run it in."""

    program: str
    template: Path
    variables: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def command(self) -> list[str]:
        """The command line; nothing of it goes through a shell."""
        pairs = [part for each in self.variables.items() for part in ("-var", "=".join(each))]
        return [self.program, "build", "-machine-readable", "-color=false", *pairs, "."]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a bake ended: Packer's exit status, and whether it was asked to stop."""

    status: int
    interrupted: bool


def run_packer(bake: Bake, hear: Callable[[str], None]) -> Ended:
    """Run Packer to its end; `hear` is told every line, and so of its stopping.

    Ctrl-C, SIGTERM and SIGHUP ask it to stop, once: a second request would make it leave the
    builder behind. It is waited for, since it takes away what it made.
    """
    stop = _Stop()
    with stop.heard(), _started(bake) as process:
        stop.reaches(process.pid)
        for line in process.stdout or ():
            hear(line)
        return Ended(process.wait(), stop.asked)


class _Stop:
    """Passes the first of all requests to stop on to Packer's process group, whenever it comes."""

    def __init__(self) -> None:
        self.asked = False
        self._group: int | None = None

    def reaches(self, group: int) -> None:
        """Name the group; what was asked before is passed on now."""
        self._group = group
        if self.asked:
            os.killpg(group, signal.SIGINT)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear signals within the block, instead of whoever heard them before."""
        before = {each: signal.signal(each, self._ask) for each in STOPPING}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _ask(self, *_: object) -> None:
        if not self.asked and self._group is not None:
            os.killpg(self._group, signal.SIGINT)
        self.asked = True


def build_wheel(source: Path, folder: Path, python: str) -> Path:
    """Build the project's own wheel of a source tree; raises ProvisionError."""
    command = [python, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    told = _run([*command, "--wheel-dir", str(folder), str(source)], NO_WHEEL)
    built = sorted(folder.glob("s3_event_worker-*.whl"))
    if not built:
        raise ProvisionError(f"pip built no wheel of {source}: {told}", NO_WHEEL)
    return built[0]


def git_revision(source: Path) -> str:
    """Return what is in a source tree, `-dirty` if files were changed; raises ProvisionError."""
    hint = "give it with --git-revision"
    revision = _run(["git", "-C", str(source), "rev-parse", "HEAD"], hint)
    changed = _run(["git", "-C", str(source), "status", "--porcelain"], hint)
    return f"{revision}-dirty" if changed else revision


def _started(bake: Bake) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - no shell: a list of our own making, run with the rights of who asked for the bake
        bake.command,
        cwd=bake.template,
        env=dict(bake.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # A group of its own: the terminal's Ctrl-C reaches it through us alone, and just once.
        start_new_session=True,
    )


def _run(command: list[str], hint: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - no shell: both callers name the program, git or our own Python
            command, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise ProvisionError(f"{command[0]} does not run: {error.strerror}", hint) from error
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["no reason given"]
        raise ProvisionError(f"`{' '.join(command)}`: {words[-1]}", hint)
    return done.stdout.strip()
