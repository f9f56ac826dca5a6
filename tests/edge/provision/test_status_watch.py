"""`provision status --watch`: renewed until Ctrl-C, which is how it ends and no fault."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.provision_cli import stack_file
from support.provision_world import World

FRAMES = 2


@contextmanager
def watching(
    world: World, folder: Path, out: int, *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    """Run it with this standard output; Ctrl-C at the block's end is to end it, without a word."""
    environment = {
        **os.environ,
        **world.region.environment(),
        "PROVISION_STACK": str(stack_file(world.blueprint.stack, folder)),
        "TERM": "xterm",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "provision", "status", "--watch", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, "")


def test_for_machines_each_look_is_a_document_on_a_line(world: World, tmp_path: Path) -> None:
    """They come one by one; the end is status 0, and nothing else is said."""
    with watching(world, tmp_path, subprocess.PIPE, "--json") as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(FRAMES)]
    assert [each["stack"] for each in looks] == [world.stack] * FRAMES
    assert looks[0]["observed"]["at"] < looks[1]["observed"]["at"]


def test_on_a_terminal_the_screen_is_renewed(world: World, tmp_path: Path) -> None:
    """Each frame has its own time; Ctrl-C leaves the last one, and no traceback."""
    ours, its = pty.openpty()
    times = set[bytes]()
    shown = b""
    with watching(world, tmp_path, its):
        while len(times) < FRAMES:
            shown += os.read(ours, 65_536)
            times = set(re.findall(rb"\d\d:\d\d:\d\d UTC", shown))
    os.close(its)
    os.close(ours)
    assert b"there is no queue yet" in shown
