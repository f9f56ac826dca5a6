"""Plays the story on a screen, and ends everything that it started, however it goes."""

import json
import logging
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from worker.demo import report
from worker.demo.ending import EndedError, Ending
from worker.demo.screen import Screen
from worker.demo.stage import Choices, DemoError, Stage
from worker.demo.story import Story
from worker.errors import ExitCode

log = logging.getLogger(__name__)

LOG_NAME = "demo.log"
"""What the embedded AWS and the demo itself log."""

SIGNAL_EXIT = 128
"""A process that a signal ended exits with this plus the signal's number, as shells have it."""


def show(choices: Choices, ending: Ending, inherited: Mapping[str, str], *, as_json: bool) -> int:
    """Play the demo; return its exit status. `inherited` is the environment that we have."""
    screen = Screen(sys.stderr if as_json else sys.stdout)
    logs = Path(tempfile.mkdtemp(prefix="worker-demo-"))
    _log_to(logs / LOG_NAME)
    try:
        with Stage(choices, screen, ending, inherited, logs) as stage:
            return _play(stage, choices, screen, as_json=as_json)
    except EndedError as ended:
        screen.act("ended", f"by {ended}; worker and AWS are gone")
        return SIGNAL_EXIT + ended.number
    except DemoError as error:
        screen.act("ended", str(error))
        screen.tail(error.tail, str(logs))
        return ExitCode.UNEXPECTED
    except Exception as error:
        log.exception("the demo has failed")
        screen.act("ended", f"by a fault: {error!r}; all about it is in {logs / LOG_NAME}")
        return ExitCode.UNEXPECTED
    finally:
        screen.close()


def _play(stage: Stage, choices: Choices, screen: Screen, *, as_json: bool) -> int:
    result = Story(stage, choices).tell()
    screen.result(result, stage.workers[-1].tail(), str(stage.logs))
    if as_json:
        print(json.dumps(report.as_json(result), indent=2), flush=True)
    if choices.keep:
        _keep(stage, screen)
    return ExitCode.DONE if result.is_verified else ExitCode.UNEXPECTED


def _keep(stage: Stage, screen: Screen) -> None:
    """Leave all running until a signal comes; then stop the worker in order."""
    stage.files = 0  # what comes now is told object by object, without bars
    lines = report.lines_to_play_with(
        stage.aws.environment(), stage.aws.endpoint_url, stage.pipeline
    )
    screen.lines("AWS and worker go on running. In another terminal, for instance:", lines)
    screen.act("keep", "Ctrl-C ends it all")
    try:
        while True:
            for told in stage.tick():
                if told.get("event") == "object":
                    screen.act("object", report.object_in_words(told))
    except EndedError:
        stage.ending.forget()
        screen.act("stop", "worker and AWS are ending")
        stage.stop_worker()
        screen.act("ended", "nothing is left running")


def _log_to(path: Path) -> None:
    """Send what the embedded AWS logs to a file: a client that was killed is no news here."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
