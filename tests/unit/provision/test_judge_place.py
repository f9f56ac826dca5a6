"""What another place leaves behind is counted as far as it can be, and each sweep named can run."""

from support.stacks import a_blueprint

from provision.core.judge_place import COUNTED, PlaceFacts, judge_place


def told(facts: PlaceFacts, **pipeline: str) -> tuple[str, str]:
    """Return the one finding's words and hint."""
    [finding] = judge_place(facts, a_blueprint(pipeline={"bucket": "b-files", **pipeline}))
    return finding.detail, finding.hint


def test_a_full_page_is_a_thousand_or_more() -> None:
    """Nobody waits for the listing of a million files."""
    assert f"{COUNTED} or more files" in told(PlaceFacts(lying={"uploads/": COUNTED}))[0]


def test_what_may_not_be_seen_is_no_number() -> None:
    """Rather than none."""
    detail, _ = told(PlaceFacts(former_prefix="uploads/", messages=7), source_prefix="in/")
    assert "an unknown number of files lie below uploads/" in detail
    assert "7 messages" in detail


def test_what_holds_the_destination_is_not_swept() -> None:
    """Its moves would be swept again: the worker refuses such settings."""
    _, hint = told(
        PlaceFacts(former_prefix="data/"),
        source_prefix="data/in/",
        destination_prefix="data/out/",
    )
    assert "SRC_PREFIX=data/in/" in hint
    assert "SRC_PREFIX=data/ " not in hint


def test_the_same_prefix_says_nothing() -> None:
    """With files in it: their events came."""
    facts = PlaceFacts(former_prefix="uploads/", lying={"uploads/": 5})
    assert list(judge_place(facts, a_blueprint())) == []
