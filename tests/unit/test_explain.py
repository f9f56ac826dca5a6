"""Explanations: of every wrapping, of every decision, and of any text at all."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.move import MoveRules, OnConflict
from worker.core.pipeline import Rules
from worker.core.plan import Route
from worker.core.port import (
    Fault,
    FaultKind,
    HeadObject,
    Location,
    NotFound,
    ObjectInfo,
    Reply,
)
from worker.core.verdict import OnMalformed, VerdictRules
from worker.operator.explain import Effect, Explanation, explain, explain_live, messages
from worker.operator.explain_text import as_json, as_lines, printable

ROUTE = Route(Location("files", "uploads/"), Location("files", "processed/"))
RULES = Rules(ROUTE)
HERE, THERE = Location("files", "uploads/a"), Location("files", "processed/a")


def record(key: str = "uploads/a", name: str = "ObjectCreated:Put", size: int = 5) -> object:
    """Return one record of an S3 notification."""
    s3_object = {"key": key, "eTag": "e", "size": size}
    return {
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": "files"}, "object": s3_object},
    }


def body(*records: object) -> str:
    """Return an S3 notification of these records."""
    return json.dumps({"Records": list(records)})


def only(text: str, rules: Rules = RULES) -> Explanation:
    """Explain a text that holds one message."""
    (explanation,) = explain(text, rules)
    return explanation


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["Messages", "Records", "Body", "body", "MessageId", "Message", "Type", "Event"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.text() | JSON.map(json.dumps))
def test_no_text_makes_it_raise(text: str) -> None:
    """Not in explaining, not in either rendering; and what is printed can be encoded."""
    explanations = explain(text, RULES)
    assert explanations
    "\n".join(as_lines(explanations, RULES)).encode()
    json.dumps(as_json(explanations, RULES))


@given(st.text(st.characters(codec=None)))
def test_what_is_printed_moves_no_cursor(text: str) -> None:
    """A key may hold escape sequences; a terminal never sees them."""
    assert printable(text).isprintable()


def test_a_move_tells_from_where_to_where_and_under_which_condition() -> None:
    """The ETag is the event's."""
    explanation = only(body(record()))
    (entry,) = explanation.entries
    assert entry.effect is Effect.MOVE
    assert entry.task is not None
    assert (entry.task.source, entry.task.destination) == (HERE, THERE)
    assert "ETag is e" in entry.why
    assert (explanation.verdict, explanation.certain) == ("ack", False)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (record(name="ObjectRemoved:Delete"), "not about an object that was created"),
        (record("elsewhere/a"), "not under SRC_PREFIX"),
        (record("uploads/d/", size=0), "stands for a folder"),
    ],
)
def test_a_skip_tells_its_reason_and_is_acknowledged_for_certain(entry: object, why: str) -> None:
    """S3 has no say in it."""
    explanation = only(body(entry))
    assert explanation.entries[0].effect is Effect.SKIP
    assert why in explanation.entries[0].why
    assert (explanation.verdict, explanation.certain) == ("ack", True)


def test_a_refusal_tells_why_and_rejects_the_message() -> None:
    """Rule 23b."""
    explanation = only(body(record("uploads/" + "k" * 1016)))
    assert explanation.entries[0].effect is Effect.REFUSE
    assert "1026 bytes" in explanation.entries[0].why
    assert (explanation.verdict, explanation.certain) == ("reject", True)


@pytest.mark.parametrize(
    ("on_malformed", "verdict"), [(OnMalformed.REJECT, "reject"), (OnMalformed.DROP, "ack")]
)
def test_a_malformed_message_tells_what_on_malformed_makes_of_it(
    on_malformed: OnMalformed, verdict: str
) -> None:
    """With the setting's name."""
    explanation = only("garbage", Rules(ROUTE, verdicts=VerdictRules(on_malformed=on_malformed)))
    assert explanation.entries[0].effect is Effect.MALFORMED
    assert f"ON_MALFORMED={on_malformed}" in explanation.entries[0].why
    assert explanation.verdict == verdict


def test_a_test_event_is_acknowledged() -> None:
    """Rule 11."""
    explanation = only(json.dumps({"Event": "s3:TestEvent", "Bucket": "files"}))
    assert explanation.entries[0].effect is Effect.TEST_EVENT
    assert (explanation.verdict, explanation.certain) == ("ack", True)


def test_one_bad_entry_rejects_the_message_once_its_moves_are_done() -> None:
    """Both entries are told."""
    explanation = only(body(record(), {"eventSource": "aws:s3"}))
    assert [entry.effect for entry in explanation.entries] == [Effect.MOVE, Effect.MALFORMED]
    assert (explanation.verdict, explanation.certain) == ("reject", False)
    assert "once its moves are done" in explanation.why


def test_a_large_object_is_said_to_be_copied_in_parts() -> None:
    """By the threshold of the settings."""
    rules = Rules(ROUTE, MoveRules(multipart_threshold=4))
    assert "in parts" in only(body(record()), rules).entries[0].why


def test_what_the_aws_cli_prints_is_taken_apart() -> None:
    """One explanation a message, with its id."""
    printed = json.dumps(
        {"Messages": [{"MessageId": "1", "Body": body(record())}, {"MessageId": "2", "Body": "x"}]}
    )
    assert [each.message_id for each in explain(printed, RULES)] == ["1", "2"]
    lines = "\n".join(as_lines(explain(printed, RULES), RULES))
    assert "message 1 of 2 (1)" in lines
    assert "  => rejected: malformed" in lines


def test_a_lambda_event_is_taken_apart() -> None:
    """Its records carry bodies; S3's own records do not."""
    event = {"Records": [{"messageId": "m", "body": body(record()), "eventSource": "aws:sqs"}]}
    assert messages(json.dumps(event)) == [("m", body(record()))]
    assert messages(body(record())) == [("", body(record()))]


def test_an_event_without_an_etag_is_said_to_move_whatever_is_there() -> None:
    """The move looks at its source first."""
    text = body(record()).replace('"eTag": "e", ', "")
    assert "whatever is there" in only(text).entries[0].why


# --- with a look at S3 ----------------------------------------------------------------------------


def info(etag: str, modified: float = 0.0, storage_class: str = "STANDARD") -> ObjectInfo:
    """Return what HeadObject says."""
    return ObjectInfo(etag, 5, modified, storage_class=storage_class)


def live(objects: dict[Location, Reply], rules: Rules = RULES) -> Explanation:
    """Explain one move, S3 holding these objects; fails if anything but a look is asked for."""
    steps = explain_live(explain(body(record()), rules), rules)
    try:
        request = next(steps)
        while True:
            assert isinstance(request, HeadObject)
            request = steps.send(objects.get(request.location, NotFound()))
    except StopIteration as end:
        (explanation,) = end.value
        assert isinstance(explanation, Explanation)
        return explanation


@pytest.mark.parametrize(
    ("objects", "result", "verdict"),
    [
        ({HERE: info("e")}, "moved", "ack"),
        ({HERE: info("f")}, "superseded", "ack"),
        ({}, "missing", "ack"),
        ({THERE: info("e")}, "already-moved", "ack"),
        ({HERE: info("e", storage_class="GLACIER")}, "archived", "reject"),
        ({HERE: Fault(FaultKind.ACCESS, "HeadObject", "403")}, "failed", "retry"),
        ({HERE: info("e"), THERE: Fault(FaultKind.ACCESS, "HeadObject", "403")}, "failed", "retry"),
    ],
)
def test_a_look_tells_what_the_move_would_find(
    objects: dict[Location, Reply], result: str, verdict: str
) -> None:
    """Each outcome of the protocol, and the verdict that it leads to."""
    explanation = live(objects)
    seen = explanation.entries[0].forecast
    assert seen is not None
    assert seen.outcome.result == result
    assert explanation.verdict == verdict
    assert "now: " in "\n".join(as_lines([explanation], RULES))


def test_an_object_that_changes_between_two_looks_is_told_as_it_is_then() -> None:
    """The destination goes away between the look at it and the copy over it."""
    looks: Iterator[Reply] = iter(
        [info("e"), info("x"), info("x"), info("e"), info("e"), NotFound()]
    )
    steps = explain_live(explain(body(record()), RULES), RULES)
    request = next(steps)
    try:
        while True:
            later: Reply = info("e") if request == HeadObject(HERE) else NotFound()
            request = steps.send(next(looks, later))
    except StopIteration as end:
        seen = end.value[0].entries[0].forecast
    assert (seen.outcome.result, seen.replaces) == ("moved", None)


def test_a_copy_of_ours_is_found_and_not_made_again() -> None:
    """Only the source would be deleted."""
    seen = live({HERE: info("e", 1.0), THERE: info("e", 2.0)}).entries[0].forecast
    assert seen is not None
    assert (seen.outcome.result, seen.copies) == ("moved", False)
    assert "only the source" in json.dumps(
        as_json([live({HERE: info("e", 1.0), THERE: info("e", 2.0)})], RULES)
    )


@pytest.mark.parametrize(
    ("on_conflict", "result", "words"),
    [
        (OnConflict.REPLACE, "moved", "to s3://files/processed/a, over the file with ETag other"),
        (OnConflict.KEEP_BOTH, "moved", "would be moved to s3://files/processed/a.e"),
        (OnConflict.REJECT, "conflict", "holds another file; ON_CONFLICT=reject"),
    ],
)
def test_a_taken_name_is_told_with_what_on_conflict_makes_of_it(
    on_conflict: OnConflict, result: str, words: str
) -> None:
    """As the move itself decides, for it is the move that decides."""
    rules = Rules(ROUTE, MoveRules(on_conflict))
    explanation = live({HERE: info("e"), THERE: info("other")}, rules)
    seen = explanation.entries[0].forecast
    assert seen is not None
    assert seen.outcome.result == result
    (now,) = [line for line in as_lines([explanation], rules) if "now: " in line]
    assert now.endswith(words)


@pytest.mark.parametrize(
    ("objects", "result"),
    [
        ({HERE: info("e")}, "moved"),
        ({HERE: info("e"), THERE: info("other")}, "moved"),
        ({HERE: info("e", storage_class="DEEP_ARCHIVE")}, "archived"),
    ],
)
def test_a_move_in_parts_is_foreseen_by_looking_alone(
    objects: dict[Location, Reply], result: str
) -> None:
    """No upload is begun: `live` fails on any other request."""
    rules = Rules(ROUTE, MoveRules(multipart_threshold=4))
    seen = live(objects, rules).entries[0].forecast
    assert seen is not None
    assert seen.outcome.result == result
