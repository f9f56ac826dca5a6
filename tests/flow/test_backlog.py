"""What a backlog costs: requests per object, and memory that does not grow with the work done."""

import pytest
from support.flow_process import Start, Worker, wait_until
from support.flow_stub_client import StubClient

MOST_REQUESTS_PER_OBJECT = 1.25

GROWTH_KIB = 30 * 1024
"""Generous: a leak of 2 KiB an object would show after 20,000, an allocator's whim would not."""


def _work_off(stub: StubClient, worker: Worker, objects: int, seconds: float) -> None:
    """Wait until so many objects are in processed/ and every message is acknowledged."""

    def done() -> bool:
        counts = stub.counts()
        return counts.processed == objects and not counts.messages

    wait_until(
        done, f"{objects} objects moved", seconds, lambda: f"{stub.counts()}\n{worker.picture()}"
    )


def test_a_backlog_costs_at_most_one_and_a_quarter_requests_an_object(
    stub: StubClient, start: Start
) -> None:
    """1,000 messages at once: copies, and a share of receives, deletes and acknowledgements."""
    objects = 1_000
    worker = start(stub.environment(WAIT_TIME_SECONDS="20", DRAIN_SECONDS="30")).ready()
    before = stub.counts().requests
    stub.seed(objects)
    _work_off(stub, worker, objects, seconds=120)
    spent = stub.counts().requests - before
    each = spent.total() / objects
    print(f"requests per object under backlog: {each:.3f}; {dict(spent)}")
    assert stub.counts().uploads == 0
    assert spent["CopyObject"] == objects
    assert each <= MOST_REQUESTS_PER_OBJECT, dict(spent)


@pytest.mark.parametrize(
    ("first", "last"),
    [(500, 2_000), pytest.param(1_000, 20_000, marks=pytest.mark.heavy)],
)
def test_memory_after_many_messages_is_as_after_few(
    stub: StubClient, start: Start, first: int, last: int
) -> None:
    """The resident memory late in a backlog, beside that early in it."""
    worker = start(stub.environment(LOG_LEVEL="warning"))
    stub.seed(first)
    _work_off(stub, worker, first, seconds=120)
    early = worker.rss_kib()
    stub.seed(last - first)
    _work_off(stub, worker, last, seconds=600)
    late = worker.rss_kib()
    print(f"RSS after {first} messages {early} KiB, after {last} {late} KiB")
    assert late - early < GROWTH_KIB
