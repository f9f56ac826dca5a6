"""One message, whole: what is in it is moved in turn, audited and judged."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import messages
from support.messages import Sample
from support.twin import S3Twin, drive

from worker.core.move import Outcome, Result
from worker.core.pipeline import Audit, Envelope, Handled, Rules, handle
from worker.core.plan import Route
from worker.core.port import CopyObject, Fault, FaultKind, Location, Reply, Request
from worker.core.verdict import Ack, OnMalformed, Reject, Retry, VerdictRules, retry_seconds

RULES = Rules(Route(Location("acme-inbox", "uploads/"), Location("acme-inbox", "processed/")))
SLOW_DOWN = Fault(FaultKind.THROTTLED, "CopyObject", "SlowDown")


def clock() -> Iterator[float]:
    """Return seconds that pass by halves."""
    return (ticks / 2 for ticks in count())


def handled(body: str, twin: S3Twin | None = None, rules: Rules = RULES) -> Handled:
    """Handle a message."""
    ticks = clock()
    steps = handle(Envelope(body), rules, lambda: next(ticks), 0.0)
    return drive(steps, (twin or S3Twin()).perform)


def upload(twin: S3Twin, key: str, label: str = "a") -> Sample:
    """Upload a file; return what its event tells."""
    stored = twin.put(Location("acme-inbox", key), label)
    return Sample(key=key, etag=stored.etag, size=1, version_id="v1")


def test_every_record_is_moved_and_audited_in_order() -> None:
    """One audit a record: what it was, where it rests, how long it took."""
    twin = S3Twin()
    samples = [upload(twin, f"uploads/{name}") for name in "abc"]
    result = handled(messages.notification(*samples), twin)
    assert result.verdict == Ack()
    assert result.audits == tuple(
        Audit(
            Outcome(Result.MOVED, Location("acme-inbox", f"processed/{name}")),
            0.5,
            Location("acme-inbox", f"uploads/{name}"),
            sample.etag,
            1,
            "v1",
        )
        for name, sample in zip("abc", samples, strict=True)
    )
    assert [place.key for place, _ in twin.store.objects] == [f"processed/{n}" for n in "abc"]


def test_a_message_with_one_failure_comes_back_whole() -> None:
    """What was moved is found moved the next time; the fault is handed on."""
    twin = S3Twin()
    samples = [upload(twin, f"uploads/{name}") for name in "abc"]
    body = messages.notification(*samples)

    def perform(request: Request) -> Reply:
        if isinstance(request, CopyObject) and request.source.key == "uploads/b":
            return SLOW_DOWN
        return twin.perform(request)

    ticks = clock()
    first = drive(handle(Envelope(body, 3), RULES, lambda: next(ticks), 0.0), perform)
    assert first.verdict == Retry(retry_seconds(3, 0.0), "CopyObject: SlowDown")
    assert first.faults == (SLOW_DOWN,)
    second = handled(body, twin)
    assert second.verdict == Ack()
    assert second.faults == ()
    assert [audit.outcome.result for audit in second.audits] == [
        Result.ALREADY_MOVED,
        Result.MOVED,
        Result.ALREADY_MOVED,
    ]


def test_an_archived_source_is_no_fault_that_passes() -> None:
    """It is rejected, and does not count as S3 failing."""
    twin = S3Twin()
    place = Location("acme-inbox", "uploads/cold")
    stored = twin.put(place, "a", storage_class="DEEP_ARCHIVE")
    result = handled(messages.notification(Sample(key=place.key, etag=stored.etag)), twin)
    assert isinstance(result.verdict, Reject)
    assert result.faults == ()


@pytest.mark.parametrize(
    ("body", "outcome", "verdict"),
    [
        (messages.s3_test_event(), Outcome(Result.SKIPPED, detail="test-event"), Ack()),
        (
            "garbage",
            Outcome(Result.MALFORMED, detail="the body is not JSON"),
            Reject("malformed: the body is not JSON"),
        ),
    ],
)
def test_what_is_about_no_object_has_an_audit_without_one(
    body: str, outcome: Outcome, verdict: Ack | Reject
) -> None:
    """Neither source nor seconds; S3 is not asked."""
    twin = S3Twin()
    assert handled(body, twin) == Handled(verdict, (Audit(outcome, 0.0),))
    assert twin.requests == []


def test_what_is_none_of_ours_is_skipped_with_its_reason() -> None:
    """Without asking S3."""
    twin = S3Twin()
    result = handled(messages.notification(Sample(key="elsewhere/a")), twin)
    assert result.verdict == Ack()
    assert result.audits[0].outcome == Outcome(Result.SKIPPED, detail="other-prefix")
    assert result.audits[0].source == Location("acme-inbox", "elsewhere/a")
    assert twin.requests == []


def test_what_can_never_be_moved_is_rejected() -> None:
    """A key too long for its destination: the source stays, the message goes to the DLQ."""
    twin = S3Twin()
    result = handled(messages.notification(Sample(key="uploads/" + "k" * 1016)), twin)
    assert isinstance(result.verdict, Reject)
    assert result.audits[0].outcome.result is Result.UNMOVABLE
    assert twin.requests == []


def test_the_operators_choice_reaches_the_verdict() -> None:
    """ON_MALFORMED=drop lets garbage go."""
    rules = Rules(RULES.route, verdicts=VerdictRules(on_malformed=OnMalformed.DROP))
    assert handled("garbage", rules=rules).verdict == Ack()


@given(st.text())
def test_any_body_gets_a_verdict(body: str) -> None:
    """Whatever somebody sends to the queue."""
    result = handled(body)
    assert isinstance(result.verdict, Ack | Reject)
    assert result.audits
