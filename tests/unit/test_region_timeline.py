"""The time line is drawn from a run's records, and leaves nothing out."""

from typing import Any

from region.timeline import drawing, lives, steps


def record(seconds: float, subject: str, event: str, **facts: str) -> dict[str, Any]:
    """Write a record as a run leaves it."""
    return {"seconds": seconds, "subject": subject, "event": event, "facts": facts}


RECORDS = [
    record(1, "operator", "bake"),
    record(2, "i-1", "launched", image="ami-1"),
    record(3, "i-1", "boots"),
    record(9, "i-1", "off"),
    record(10, "operator", "bake: done"),
    record(11, "i-2", "launched", image="ami-2"),
    record(12, "i-2", "boots"),
    record(20, "i-2", "kill -9"),
    record(60, "i-2", "restarted"),
]


def test_a_step_lasts_from_its_beginning_to_its_end() -> None:
    """Steps are numbered, in order."""
    assert [(bar.lane, bar.begin, bar.end) for bar in steps(RECORDS)] == [("1. bake", 1, 10)]


def test_an_instance_lives_from_boot_to_power_off_or_the_end() -> None:
    """Each in a lane of its own, in the colour of its image."""
    one, two = lives(RECORDS, 60)
    assert (one.lane, one.begin, one.end) == ("i-1 from ami-1", 3, 9)
    assert (two.lane, two.begin, two.end) == ("i-2 from ami-2", 12, 60)
    assert one.colour != two.colour


def test_the_picture_shows_each_lane_and_each_mark() -> None:
    """Names of instances, of steps, and of what befell them; markup in a name is escaped."""
    picture = drawing(
        [*RECORDS, record(30, "operator", "a <b>"), record(31, "operator", "a <b>: done")]
    )
    for words in ("1. bake", "i-1", "i-2", "kill -9", "from ami-2", "a &lt;b&gt;", "1 min"):
        assert words in picture
    assert picture.count("<rect") == 1 + 4
