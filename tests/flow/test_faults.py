"""A network and a service that fail now and then lose nothing; what fails for all waits."""

import random

import pytest
from support.flow_aws import Aws
from support.flow_files import big_file, make_files
from support.flow_fleet import Repeater, Users
from support.flow_pipeline import make_pipeline
from support.flow_process import Start, wait_until
from support.flow_proxy import FaultProxy, Trouble, now_and_then, s3_denied

SHARE = 0.05
"""Of each kind of trouble: with six kinds, every fourth copy meets one."""

VISIBILITY_SECONDS = 4
"""Short: messages whose delivery got lost must come back while the test runs."""

MAX_RECEIVES = 20
"""A lost answer to a receive costs every message in it a receive; several in a row are rare."""


@pytest.mark.parametrize("files", [200, pytest.param(2_000, marks=pytest.mark.heavy)])
def test_nothing_is_lost_while_every_operation_fails_now_and_then(
    honest: Aws, proxy: FaultProxy, start: Start, files: int
) -> None:
    """SlowDown, 500, resets, lost answers, delays and errors in a 200: 5 % each, everywhere."""
    dice = random.Random(files)  # noqa: S311 - a game of dice, not a secret
    pipeline = make_pipeline(
        honest, max_receives=MAX_RECEIVES, visibility_seconds=VISIBILITY_SECONDS
    )
    environment = pipeline.environment(
        proxy.endpoint_url,
        VISIBILITY_TIMEOUT=str(VISIBILITY_SECONDS),
        CONCURRENCY="64",
        MULTIPART_THRESHOLD="5MiB",
        PART_SIZE="5MiB",
    )
    worker = start(environment).ready()
    users, repeater = Users(pipeline, dice), Repeater(pipeline, dice)
    pipeline.send("garbage")
    with proxy.trouble(now_and_then(SHARE, seed=files)):
        users.upload([big_file(tagged=True), *make_files(files - 1, seed=files)])
        repeater.repeat_some()
        pipeline.wait_until_empty(300, worker.picture())
    print(f"{users.uploads} uploads; met {dict(proxy.troubles.snapshot())}")
    assert pipeline.differences(users.last.values()) == []
    assert pipeline.bodies(pipeline.dlq) == ["garbage"]
    met = proxy.troubles.snapshot()
    assert all(met[each] for each in Trouble if each is not Trouble.DENIED), met


def test_an_iam_mistake_never_empties_the_queue_into_the_dead_letter_queue(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """With S3 denied, receiving all but stops, until the mistake is mended; then all is moved."""
    pipeline = make_pipeline(honest, max_receives=3, visibility_seconds=2)
    settings = {"VISIBILITY_TIMEOUT": "2", "CONCURRENCY": "4"}
    worker = start(pipeline.environment(proxy.endpoint_url, **settings)).ready()
    files = make_files(60, seed=60)
    with proxy.trouble(s3_denied):
        pipeline.upload_all(files)
        worker.wait_for("outage")
        polls = proxy.requests["ReceiveMessage"]
        worker.wait_for("outage-goes-on", count=2)
        polls = proxy.requests["ReceiveMessage"] - polls
        received = sum(pipeline.counts(pipeline.queue)[1:2])
        denied = proxy.troubles[Trouble.DENIED]
        dead = pipeline.counts(pipeline.dlq)
    print(f"during the outage: {polls} receives, {denied} calls denied, {received} messages held")
    pipeline.wait_until_empty(120, worker.picture())
    assert dead == (0, 0, 0)
    assert polls <= 10, "with messages waiting, a worker that goes on would have polled for ever"
    assert pipeline.differences(files) == []
    assert pipeline.bodies(pipeline.dlq) == []
    assert worker.events("outage-over")


def test_a_store_that_answers_late_is_not_asked_for_more_than_there_is_room_for(
    honest: Aws, proxy: FaultProxy, start: Start
) -> None:
    """While every copy hangs, no more messages are in hand than may be moved at a time."""
    pipeline = make_pipeline(honest, max_receives=5, visibility_seconds=60)
    files = make_files(40, seed=40)
    worker = start(
        pipeline.environment(proxy.endpoint_url, CONCURRENCY="12", SUMMARY_SECONDS="2")
    ).ready()
    with proxy.holding("CopyObject"):
        pipeline.upload_all(files)
        wait_until(lambda: proxy.held("CopyObject") >= 12, "12 copies", 60, worker.picture)
        polls = proxy.requests["ReceiveMessage"]
        worker.wait_for("summary", len(worker.events("summary")) + 1)
        visible, leased, _ = pipeline.counts(pipeline.queue)
        assert (visible, leased) == (28, 12)
        assert proxy.requests["ReceiveMessage"] == polls
    pipeline.wait_until_empty(60, worker.picture())
    assert pipeline.differences(files) == []
