"""The tag that names whom we subscribed: what is written can be read, and AWS takes it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from provision.resources.alarm_mail import read, written

ADDRESS = st.from_regex(r"[^@\s]+@[^@\s]+\.[^@\s]+", fullmatch=True)
"""As the stack file takes it."""

TAKEN = re.compile(r"[A-Za-z0-9 _.:/=+@-]*")
"""Of ASCII, what every service takes in a tag's value."""


@given(st.lists(ADDRESS, max_size=4))
def test_addresses_come_back_as_they_were_written(addresses: list[str]) -> None:
    """In their order, whatever odd characters mail allows."""
    assert read(written(addresses)) == tuple(addresses)


@given(st.lists(ADDRESS, max_size=4))
def test_a_tag_can_hold_every_address(addresses: list[str]) -> None:
    """Apostrophes, percent signs and the like are no part of a tag."""
    assert TAKEN.fullmatch(written(addresses))


def test_a_usual_address_stands_in_the_tag_as_it_is() -> None:
    """So that people who look at the topic can read it."""
    assert written(["ops+alarms@mail.example.com"]) == "ops+alarms@mail.example.com"
