"""A worker that is told to stop finishes what it began, and hands back what it did not."""

import signal

from support.flow_aws import Aws
from support.flow_files import File, make_files
from support.flow_pipeline import PROCESSED, Pipeline, make_pipeline
from support.flow_process import Start, Worker, wait_until
from support.flow_proxy import FaultProxy

LONG_LEASE = "600"
"""Seconds: what is not handed back explicitly stays out of sight for the rest of the test."""

CONCURRENCY = 8


def _pipeline(aws: Aws) -> Pipeline:
    return make_pipeline(aws, max_receives=5, visibility_seconds=int(LONG_LEASE))


def _ready(pipeline: Pipeline, proxy: FaultProxy, start: Start, **settings: str) -> Worker:
    base = {"CONCURRENCY": str(CONCURRENCY), "VISIBILITY_TIMEOUT": LONG_LEASE}
    return start(pipeline.environment(proxy.endpoint_url, **{**base, **settings})).ready()


def _until_all_copies_hang(pipeline: Pipeline, proxy: FaultProxy, worker: Worker) -> None:
    wait_until(
        lambda: proxy.held("CopyObject") >= CONCURRENCY,
        "all copies hang",
        60,
        lambda: pipeline.picture() + worker.picture(),
    )


def _move_the_rest(pipeline: Pipeline, start: Start, files: list[File]) -> None:
    """Let another worker do what is left, and look at everything."""
    worker = start(pipeline.environment(VISIBILITY_TIMEOUT=LONG_LEASE)).ready()
    pipeline.wait_until_empty(60, worker.picture())
    assert pipeline.differences(files) == []
    assert pipeline.bodies(pipeline.dlq) == []


def test_sigterm_finishes_and_acknowledges_what_was_begun(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """Exit 0; what was being copied is moved and off the queue, the rest was never touched."""
    pipeline, files = _pipeline(honest), make_files(40, seed=1)
    worker = _ready(pipeline, proxy, start)
    with proxy.holding("CopyObject"):
        pipeline.upload_all(files)
        _until_all_copies_hang(pipeline, proxy, worker)
        worker.send(signal.SIGTERM)
        worker.wait_for("draining")
    assert worker.wait() == 0, worker.picture()
    assert len(pipeline.keys(PROCESSED)) == CONCURRENCY
    assert pipeline.counts(pipeline.queue) == (40 - CONCURRENCY, 0, 0)
    assert worker.events("drained")[0]["unfinished"] == []
    _move_the_rest(pipeline, start, files)


def test_what_the_last_poll_brings_is_handed_back_at_once(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """A message that comes during the drain is visible again when the worker has gone.

    It was received once, and its lease of ten minutes was given back: the next receive gets it.
    """
    pipeline, files = _pipeline(honest), make_files(1, seed=2)
    worker = _ready(pipeline, proxy, start, WAIT_TIME_SECONDS="20", DRAIN_SECONDS="60")
    wait_until(lambda: proxy.under_way("ReceiveMessage"), "an open poll", 60, worker.picture)
    worker.send(signal.SIGTERM)
    worker.wait_for("draining")
    pipeline.upload_all(files)
    assert worker.wait() == 0, worker.picture()
    assert worker.outcomes() == []
    (message,) = pipeline.sqs.receive_message(
        QueueUrl=pipeline.queue,
        VisibilityTimeout=0,
        MessageSystemAttributeNames=["ApproximateReceiveCount"],
    )["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "2"
    _move_the_rest(pipeline, start, files)


def test_a_second_signal_ends_the_worker_at_once(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """Exit 128 + 15 though all copies hang and the drain had an hour left; nothing is lost."""
    pipeline, files = _pipeline(honest), make_files(20, seed=3)
    worker = _ready(pipeline, proxy, start, DRAIN_SECONDS="3600", VISIBILITY_TIMEOUT="2")
    with proxy.holding("CopyObject"):
        pipeline.upload_all(files)
        _until_all_copies_hang(pipeline, proxy, worker)
        worker.send(signal.SIGTERM)
        worker.wait_for("draining")
        worker.send(signal.SIGTERM)
        assert worker.wait() == 128 + signal.SIGTERM, worker.picture()
    _move_the_rest(pipeline, start, files)


def test_a_drain_that_takes_too_long_hands_its_work_back(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """Exit 5 when DRAIN_SECONDS ran out: what hung is visible again at once, and nothing lost."""
    pipeline, files = _pipeline(honest), make_files(20, seed=4)
    worker = _ready(pipeline, proxy, start, DRAIN_SECONDS="2")
    with proxy.holding("CopyObject"):
        pipeline.upload_all(files)
        _until_all_copies_hang(pipeline, proxy, worker)
        worker.send(signal.SIGTERM)
        assert worker.wait() == 5, worker.picture()
        assert pipeline.counts(pipeline.queue) == (20, 0, 0)
        assert pipeline.keys(PROCESSED) == []
    assert len(worker.events("drained")[0]["unfinished"]) == CONCURRENCY
    _move_the_rest(pipeline, start, files)
