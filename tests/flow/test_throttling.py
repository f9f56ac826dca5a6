"""S3 says SlowDown: the worker finds S3's ceiling, stays there, and no message pays for it."""

from pathlib import Path

import pytest
from support.flow_process import Server, Start, wait_until
from support.flow_stub_client import StubClient

OBJECTS = 1_500
CEILING = 250


@pytest.mark.parametrize("executor", ["auto", pytest.param("boto3", marks=pytest.mark.heavy)])
def test_throttling_slows_down_and_costs_no_message_a_receipt(
    tmp_path: Path, start: Start, executor: str
) -> None:
    """A ceiling far below what the worker could do: all is moved, each message received once."""
    ceiling = ("--copies-per-second", str(CEILING), "--s3-latency-ms", "5")
    with Server("support.flow_stub", *ceiling, log=tmp_path / "stub.log") as server:
        stub = StubClient(server.url)
        worker = start(stub.environment(SUMMARY_SECONDS="1", EXECUTOR=executor)).ready()
        before = stub.counts().requests
        stub.seed(OBJECTS)
        wait_until(lambda: not stub.counts().messages, "all is moved", 180, worker.picture)
        counts = stub.counts()
        spent = counts.requests - before
        limits = [each["limit"] for each in worker.events("summary")]
    print(f"limits {limits}; {dict(spent)}")
    assert counts.processed == OBJECTS
    assert counts.most_receipts == 1
    assert spent["SlowDown"] > 0
    assert min(limits) < max(limits)
    assert not worker.events("message-comes-back")
