"""The shelf of a queue's messages, without a server: leases, order, and what a call costs."""

import threading
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.demo.embedded.sqs_shelf import (
    LeaseTooLongError,
    MessageGoneError,
    NotInFlightError,
    Shelf,
    UnknownHandleError,
)

_numbers = count()


@dataclass
class Message:
    """The part of moto's message that the shelf uses."""

    id: str
    delayed_until: float = 0.0
    visible_at: float = 0.0
    receipt_handle: str = ""
    received: int = 0
    handles: list[str] = field(default_factory=list)

    def mark_received(self) -> None:
        """Count the receipt and take a new handle."""
        self.received += 1
        self.receipt_handle = f"handle-{next(_numbers)}"


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def alive(_: Message) -> str:
    """Say of every message that it may be received."""
    return ""


def take(shelf: Shelf, number: int = 10, lease: float = 30) -> list[Message]:
    """Receive without waiting."""
    received, _ = shelf.receive(number, lease, 0, alive)
    return received


@pytest.fixture
def hand() -> Hand:
    """Give the clock."""
    return Hand()


@pytest.fixture
def shelf(hand: Hand) -> Shelf:
    """Give an empty shelf."""
    return Shelf(hand)


@pytest.mark.parametrize("depth", [10, 5000])
def test_ten_messages_cost_the_same_at_any_depth(shelf: Shelf, depth: int) -> None:
    """To receive, extend and delete ten, the shelf looks at each of them three times."""
    for number in range(depth):
        shelf.add(Message(str(number)))
    for message in take(shelf):
        shelf.change_visibility(message.receipt_handle, 60)
        shelf.delete(message.receipt_handle)
    assert shelf.visited == 30


def test_a_lease_that_ends_gives_the_message_back(shelf: Shelf, hand: Hand) -> None:
    """Not a second earlier."""
    shelf.add(Message("a"))
    take(shelf)
    hand.now += 29
    assert take(shelf) == []
    hand.now += 1
    assert [m.received for m in take(shelf)] == [2]


def test_an_extended_lease_ends_later_and_a_shortened_one_now(shelf: Shelf, hand: Hand) -> None:
    """The latest change counts, whatever was agreed before."""
    shelf.add(Message("a"))
    [leased] = take(shelf)
    shelf.change_visibility(leased.receipt_handle, 60)
    hand.now += 59
    assert take(shelf) == []
    shelf.change_visibility(leased.receipt_handle, 0)
    assert len(take(shelf)) == 1


def test_a_delayed_message_comes_later(shelf: Shelf, hand: Hand) -> None:
    """It is counted as delayed, not as leased."""
    shelf.add(Message("a", delayed_until=(hand.now + 5) * 1000))
    assert take(shelf) == []
    assert shelf.counts() == (0, 0, 1)
    hand.now += 5
    assert shelf.counts() == (1, 0, 0)


def test_each_kind_of_dead_handle_has_its_error(shelf: Shelf, hand: Hand) -> None:
    """Never seen, deleted, lease ended, over 12 hours."""
    shelf.add(Message("a"))
    [leased] = take(shelf)
    with pytest.raises(UnknownHandleError):
        shelf.delete("never")
    with pytest.raises(LeaseTooLongError):
        shelf.change_visibility(leased.receipt_handle, 43201)
    hand.now += 31
    with pytest.raises(NotInFlightError):
        shelf.change_visibility(leased.receipt_handle, 30)
    shelf.delete(leased.receipt_handle)
    with pytest.raises(MessageGoneError):
        shelf.change_visibility(leased.receipt_handle, 30)


def test_the_dead_are_handed_over_and_the_expired_forgotten(shelf: Shelf) -> None:
    """`is_dead` decides of each message."""
    for name in ("move", "drop", ""):
        shelf.add(Message(name))
    received, moved = shelf.receive(10, 30, 0, lambda m: m.id)
    assert [m.id for m in received] == [""]
    assert [m.id for m in moved] == ["move"]
    assert shelf.counts() == (0, 1, 0)


def test_closing_sends_the_pollers_home(shelf: Shelf) -> None:
    """A poller that would wait for an hour returns empty-handed."""
    found: list[Message] = []
    poller = threading.Thread(target=lambda: found.extend(shelf.receive(1, 30, 3600, alive)[0]))
    poller.start()
    shelf.close()
    poller.join(timeout=10)
    assert not poller.is_alive()
    assert found == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "take", "delete", "extend", "wait"]), st.integers(0, 40)),
    max_size=60,
)


@given(STEPS)
def test_no_message_is_lost_doubled_or_held_by_two(steps: list[tuple[str, int]]) -> None:
    """Whatever happens: ready + leased = added - deleted, and a lease excludes all others."""
    hand = Hand()
    shelf = Shelf(hand)
    names = count()
    present: set[str] = set()
    leases: dict[str, tuple[str, float]] = {}
    for step, number in steps:
        held = {name for name, (_, until) in leases.items() if until > hand.now}
        if step == "add":
            message = Message(str(next(names)))
            present.add(message.id)
            shelf.add(message)
        elif step == "take":
            for each in take(shelf, number % 10 + 1, 20):
                assert each.id not in held
                leases[each.id] = (each.receipt_handle, hand.now + 20)
        elif step == "wait":
            hand.now += number
        elif held:
            name = sorted(held)[number % len(held)]
            handle, _ = leases[name]
            if step == "delete":
                shelf.delete(handle)
                present.discard(leases.pop(name) and name)
            else:
                shelf.change_visibility(handle, number)
                leases[name] = (handle, hand.now + number)
        ready, leased, _ = shelf.counts()
        assert ready + leased == len(present)
