"""What people and machines are shown of plans and findings."""

import json

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from provision.core.finding import Level, failure, failures, ok, warning
from provision.core.plan import Create, Plan, Refusal, Remove, Update
from provision.core.resource import Change, Json, Key, Property, Wanted
from provision.screen.differences import differences
from provision.screen.findings_view import findings_document, findings_table
from provision.screen.plan_view import plan_document, plan_view, shown, summary

QUEUE = Key("queue", "files-uploads")
LONG = {"Statement": ["x" * 200]}
CREATE = Create(Wanted(QUEUE, (Property("Policy", LONG, "only our topic"),)))
UPDATE = Update(
    CREATE.wanted, (Change("Timeout", "120", "180", "a drain's time", "messages in hand"),)
)
PLAN = Plan((Remove(QUEUE), CREATE, UPDATE), (Refusal(QUEUE, "is somebody's", "rename"),))


def printed(thing: RenderableType, width: int = 100) -> str:
    """Return what a terminal of this width shows."""
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(thing)
    return captured.get()


def test_the_screen_tells_before_after_why_and_what_is_disrupted() -> None:
    """Nothing that an operator must know before saying yes is left out."""
    text = printed(plan_view(PLAN))
    for told in ("120 → 180", "a drain's time", "disrupts: messages in hand", "only our topic"):
        assert told in text
    assert "! queue/files-uploads  is somebody's\n  → rename" in text
    assert "1 to create, 1 to change, 1 to remove; 1 must not be touched." in text


def test_a_narrow_terminal_loses_no_word() -> None:
    """Columns wrap; they are not cut."""
    words = printed(plan_view(Plan((UPDATE,))), width=40).split()
    assert {"Timeout", "120", "180", "drain's", "messages", "hand"} <= set(words)


def test_of_a_document_only_what_differs_is_shown() -> None:
    """Leaf by leaf, with the way there; an element that comes has nothing before it."""
    before: Json = {"a": [{"x": 1}, {"y": 2}], "same": "s", "list": [1], "n": 300.0}
    after: Json = {"a": [{"x": 1}, {"y": 3}], "same": "s", "list": [1, 2], "n": 600}
    text = printed(plan_view(Plan((Update(CREATE.wanted, (Change("Body", before, after),)),))))
    lines = [line.split() for line in text.splitlines()[1:-1]]
    assert lines == [
        ["Body.a[1].y", "2", "→", "3"],
        ["Body.list[]", "(none)", "→", "2"],
        ["Body.n", "300", "→", "600"],
    ]


JSON = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("kl", max_size=1), inner),
    max_leaves=8,
)


@given(JSON, JSON)
def test_whatever_differs_is_shown_somewhere(before: Json, after: Json) -> None:
    """No change is silent, and nothing is shown that is no change."""
    found = differences("", before, after)
    assert bool(found) == (before != after)
    assert all(was != will_be for _, was, will_be in found)


def test_the_columns_of_all_steps_stand_below_each_other() -> None:
    """An eye that runs down the reasons need not jump."""
    short = Update(CREATE.wanted, (Change("A", 1, 2, "reason"),))
    long = Update(CREATE.wanted, (Change("LongerName", "a long value", "b", "reason"),))
    text = printed(plan_view(Plan((short, long))))
    places = {line.index("reason") for line in text.splitlines() if "reason" in line}
    assert len(places) == 1


def test_an_empty_plan_says_so() -> None:
    """The sentence that an operator hopes for."""
    assert summary(Plan()) == "Nothing to change: everything is as the stack file says."


def test_long_values_are_cut_on_the_screen_and_whole_for_machines() -> None:
    """A policy does not fill the screen; jq gets all of it."""
    assert len(shown(LONG)) == 120
    document = json.loads(json.dumps(plan_document(PLAN)))
    assert document["steps"][1]["properties"] == {"Policy": LONG}
    assert [step["action"] for step in document["steps"]] == ["remove", "create", "change"]
    assert document["refusals"] == [
        {"resource": "queue/files-uploads", "why": "is somebody's", "hint": "rename"}
    ]


def test_nothing_empty_and_none_can_be_told_apart() -> None:
    """An empty text and no value at all look different."""
    assert [shown(each) for each in ("", None, 0)] == ['""', "(none)", "0"]


def test_findings_show_what_to_do_below_what_was_seen() -> None:
    """The hint is part of the row."""
    found = [ok("a", "fine"), warning("b", "hm"), failure("c", "bad", "mend it")]
    text = printed(findings_table(found))
    assert [line.split()[0] for line in text.splitlines()] == ["ok", "warning", "failure", "→"]
    assert failures(found) == (found[2],)
    assert findings_document(found[2:]) == [
        {"level": Level.FAILURE, "subject": "c", "detail": "bad", "hint": "mend it"}
    ]
