"""A log that takes no line any more ends no move, fills no dead-letter queue, and holds no stop."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.flow_aws import Aws
from support.flow_files import make_files
from support.flow_pipeline import make_pipeline
from support.flow_process import wait_until

FULL = Path("/dev/full")


@pytest.mark.heavy
@pytest.mark.skipif(not FULL.is_char_device(), reason="no /dev/full on this machine")
def test_with_nobody_to_take_its_lines_the_worker_works_and_stops_as_ever(honest: Aws) -> None:
    """Every file moved, every message acknowledged, SIGTERM heard; status 0."""
    pipeline, files = make_pipeline(honest, max_receives=3, visibility_seconds=2), make_files(5, 1)
    environment = {**pipeline.environment(VISIBILITY_TIMEOUT="2"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "worker", "run"]
    pipeline.upload_all(files)
    with FULL.open("wb") as full, subprocess.Popen(command, env=environment, stdout=full) as worker:
        try:
            pipeline.wait_until_empty(60)
            worker.send_signal(signal.SIGTERM)
            wait_until(lambda: worker.poll() is not None, "the worker's end", 60, str)
        finally:
            worker.kill()
    assert worker.returncode == 0
    assert pipeline.differences(files) == []
    assert pipeline.bodies(pipeline.dlq) == []
