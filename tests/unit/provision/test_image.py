"""Which images may go, and what their names may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.core.image import (
    FAILED_STATES,
    WITHDRAWN_TAG,
    Kept,
    StackImage,
    latest_of,
    name_fault,
    plan_pruning,
)
from provision.screen.images_view import images_document, pruning_lines
from provision.spec.blueprint import Image

STATES = ("available", "pending", "failed", "disabled")


def an_image(number: int, state: str = "available", *, withdrawn: bool = False) -> StackImage:
    """Return the image of this number; a higher one is newer."""
    return StackImage(
        Image(f"ami-{number:08x}", "x86_64", "/dev/sda1"),
        f"files-{number}",
        state,
        f"2026-01-01T00:00:{number:02}.000Z",
        {WITHDRAWN_TAG: "now"} if withdrawn else {},
        (f"snap-{number:08x}",),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[StackImage]:
    """Give the images of a stack, the newest first."""
    count = draw(st.integers(0, 12))
    return [
        an_image(number, draw(st.sampled_from(STATES)), withdrawn=draw(st.booleans()))
        for number in reversed(range(count))
    ]


@given(histories(), st.data(), st.integers(1, 5))
def test_rule_43_what_is_used_or_newest_never_goes(
    images: list[StackImage], data: st.DataObject, keep: int
) -> None:
    """Whatever happened to a stack's images; and each is either kept or goes."""
    used = data.draw(st.sets(st.sampled_from([each.id for each in images]))) if images else set()
    pruning = plan_pruning(images, {each: ["instance i-1"] for each in used}, keep)
    gone = {each.id for each in pruning.doomed}
    assert not gone & used
    assert gone.isdisjoint(each.id for each in images[:1])
    assert gone.isdisjoint(each.id for each in [each for each in images if each.usable][:keep])
    assert all(each.state in {"available", *FAILED_STATES} for each in pruning.doomed)
    assert sorted([*gone, *(each.image.id for each in pruning.kept)]) == sorted(
        each.id for each in images
    )


def test_each_image_that_stays_says_why() -> None:
    """A failed one and a withdrawn one go, although they are younger than one that stays."""
    images = [
        an_image(6, "pending"),
        an_image(5),
        an_image(4, withdrawn=True),
        an_image(3, "failed"),
        an_image(2),
        an_image(1),
    ]
    users = {"ami-00000001": ("template files-worker 1",)}
    pruning = plan_pruning(images, users, keep=1)
    assert [each.id for each in pruning.doomed] == ["ami-00000004", "ami-00000003", "ami-00000002"]
    assert pruning.kept == (
        Kept(images[0], "is pending"),
        Kept(images[1], "among the newest 1"),
        Kept(images[5], "used by template files-worker 1"),
    )
    assert pruning_lines(pruning)[-1] == "- ami-00000002 (files-2), with snap-00000002"


def test_latest_is_the_newest_that_is_available_and_was_not_rolled_back_from() -> None:
    """The list for machines says so of one alone."""
    images = [an_image(3, "pending"), an_image(2, withdrawn=True), an_image(1), an_image(0)]
    assert latest_of(images) is images[2]
    assert latest_of(images[:2]) is None
    document = images_document(images, {images[3].id: ("instance i-1",)})
    assert isinstance(document, list)
    assert [each["latest"] for each in document] == [False, False, True, False]
    assert document[3]["used_by"] == ["instance i-1"]


@pytest.mark.parametrize("name", ["abc", "files-20260101-000000", "a" * 128, "a (b) [c] ./'@_"])
def test_rule_40_names_that_aws_takes(name: str) -> None:
    """3 to 128 of the letters that it lists."""
    assert name_fault(name) is None


@pytest.mark.parametrize("name", ["", "ab", "a" * 129, "files:1", "files\n", "größe"])
def test_rule_40_names_that_aws_refuses_are_refused_first(name: str) -> None:
    """Before anything is suspended or rebooted."""
    assert name_fault(name) == (
        f"{name!r} is not 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _"
    )
