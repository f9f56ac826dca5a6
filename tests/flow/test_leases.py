"""A lease that is kept keeps others away; one that is lost costs work, and never a file."""

import signal

from support.flow_aws import Aws
from support.flow_files import File
from support.flow_pipeline import make_pipeline
from support.flow_process import Start, wait_until
from support.flow_proxy import FaultProxy

SHORT_LEASE = "2"
"""Seconds; its renewals come every two thirds of a second."""

OLD = File("report.csv", b"old", (("version", "1"),), (("kind", "report"),))


def test_a_copy_slower_than_its_lease_is_made_once(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """While one worker's copy hangs for several leases, another one never sees its message."""
    pipeline = make_pipeline(honest, max_receives=3, visibility_seconds=int(SHORT_LEASE))
    environment = pipeline.environment(proxy.endpoint_url, VISIBILITY_TIMEOUT=SHORT_LEASE)
    workers = [start(environment), start(environment)]
    for worker in workers:
        worker.ready()
    with proxy.holding("CopyObject"):
        pipeline.upload(OLD)
        renewals = proxy.requests["ChangeMessageVisibilityBatch"]
        wait_until(
            lambda: proxy.requests["ChangeMessageVisibilityBatch"] >= renewals + 6,
            "6 renewals",
            60,
            lambda: pipeline.picture() + workers[0].picture() + workers[1].picture(),
        )
        assert proxy.held("CopyObject") == 1
    pipeline.wait_until_empty(60)
    outcomes = [each for worker in workers for each in worker.outcomes()]
    assert [(each["outcome"], each["attempt"]) for each in outcomes] == [("moved", 1)]
    assert pipeline.differences([OLD]) == []


def test_a_worker_that_wakes_after_its_lease_harms_nobody(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """It sleeps before its copy; another one moves the file, and a newer upload of its name.

    Awake again, its copy and its delete find that they came too late.
    """
    pipeline = make_pipeline(honest, max_receives=5, visibility_seconds=int(SHORT_LEASE))
    new = OLD.next_version()
    slow = start(pipeline.environment(proxy.endpoint_url, VISIBILITY_TIMEOUT=SHORT_LEASE)).ready()
    with proxy.holding("CopyObject"):
        pipeline.upload(OLD)
        wait_until(lambda: proxy.held("CopyObject"), "its copy hangs", 60, slow.picture)
        slow.send(signal.SIGSTOP)
        quick = start(pipeline.environment(VISIBILITY_TIMEOUT=SHORT_LEASE)).ready()
        pipeline.wait_until_empty(60, quick.picture())
        assert pipeline.differences([OLD]) == []
        pipeline.upload(new)
        pipeline.wait_until_empty(60, quick.picture())
        assert pipeline.differences([new]) == []
    slow.send(signal.SIGCONT)
    slow.wait_for("object")
    pipeline.wait_until_empty(60, slow.picture())
    assert pipeline.differences([new]) == []
    assert [each["outcome"] for each in quick.outcomes()] == ["moved", "moved"]
    assert [each["outcome"] for each in slow.outcomes()] == ["already-moved"]
    assert pipeline.bodies(pipeline.dlq) == []


def test_a_worker_that_slept_through_its_copy_leaves_the_newer_upload(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """Its copy was made while it slept; a newer upload lies at the source when it wakes."""
    pipeline = make_pipeline(honest, max_receives=5, visibility_seconds=int(SHORT_LEASE))
    new = OLD.next_version()
    slow = start(pipeline.environment(proxy.endpoint_url, VISIBILITY_TIMEOUT=SHORT_LEASE)).ready()
    with proxy.holding("CopyObject"):
        pipeline.upload(OLD)
        wait_until(lambda: proxy.held("CopyObject"), "its copy hangs", 60, slow.picture)
        slow.send(signal.SIGSTOP)
    wait_until(lambda: pipeline.keys("processed/") == [OLD.name], "the copy", 60, pipeline.picture)
    pipeline.upload(new)
    slow.send(signal.SIGCONT)
    pipeline.wait_until_empty(60, slow.picture())
    assert pipeline.differences([new]) == []
    assert pipeline.bodies(pipeline.dlq) == []
