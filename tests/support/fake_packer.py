#!/usr/bin/env python3
"""Plays Packer: says what a real bake said, and leaves what it left; as PLAY has it.

`hang` waits in the validation until it is interrupted, and then clears up as Packer does.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

A_BAKE = Path(__file__).parents[1] / "packer" / "a_bake"
FAILS = "1,,ui,message,    amazon-ebs.worker: [validate] FAILED: the service is not active"
ERRED = "1,,ui,error,Build 'amazon-ebs.worker' errored: Script exited with non-zero exit status: 1"


def variables() -> dict[str, str]:
    """Return the variables of the command line."""
    words = sys.argv[1:]
    return dict(words[at + 1].split("=", 1) for at in range(len(words)) if words[at] == "-var")


def main() -> int:
    """Play one bake."""
    given, play = variables(), os.environ.get("PLAY", "well")
    output = Path(given["output"])
    told = Path(os.environ["TOLD"])
    told.write_text(json.dumps({"words": sys.argv[1:], "cwd": str(Path.cwd()), **given}))
    for line in (A_BAKE / "progress.csv").read_text().splitlines():
        print(line, flush=True)
        if "[validate]" in line and play != "well":
            break
    if play == "fail":
        print(FAILS, ERRED, sep="\n", flush=True)
        return 1
    if play == "hang":
        return hang(told)
    if play == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    shutil.copy(A_BAKE / "manifest.json", output)
    shutil.copy(A_BAKE / "image.json", output)
    return 0


def hang(told: Path) -> int:
    """Wait for an interrupt; a second one would cut the clearing up short."""
    try:
        print("1,,ui,say,==> amazon-ebs.worker: hanging", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("1,,ui,error,Cancelling build after receiving interrupt", flush=True)
        time.sleep(0.5)
        told.with_suffix(".cleared").write_text("all of it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
