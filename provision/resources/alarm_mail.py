"""Who is mailed of alarms: the stack file's address, and nobody whom it named before. Pure.

Subscriptions have no tags, and anybody may add one to our topic by hand. So a tag of the topic
names the addresses that we subscribed: these alone are ours to take away.
"""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote

from provision.core.plan import Intention
from provision.core.resource import Key, Property, Wanted
from provision.resources.subscription import subscription_key
from provision.spec.blueprint import Blueprint, Consent

EMAIL_TAG: Final = "s3-event-worker:email"

WAITS: Final = (
    "an answer, or for the question to lapse, in about three days: SNS cannot take it back; should"
    " they agree meanwhile, the next apply takes them off"
)
"""https://github.com/xmidt-org/webpa-common/issues/362; the link in the mail ends after two."""


def intentions(blueprint: Blueprint) -> Iterator[Intention]:
    """Yield a subscription for the stack file's address, and none for those before it."""
    email = blueprint.stack.watch.email
    if email:
        wanted = Wanted(_key(blueprint, email), ())
        yield Intention(wanted.key, wanted)
    for former, consent in _former(blueprint):
        waits_for = WAITS if consent is Consent.AWAITED else ""
        yield Intention(_key(blueprint, former), None, waits_for=waits_for)


def record(blueprint: Blueprint) -> tuple[Property, ...]:
    """Return the tag that names whom we subscribed; none for a stack that never mailed anybody.

    Whoever still ponders stays in it, so as to be taken off once they have agreed.
    """
    if not blueprint.stack.watch.email and not blueprint.subscribed:
        return ()
    return (Property(f"tag:{EMAIL_TAG}", written(_recorded(blueprint)), "whom we subscribed"),)


def _recorded(blueprint: Blueprint) -> Iterable[str]:
    email, former = blueprint.stack.watch.email, list(_former(blueprint))
    named = not email or email in blueprint.subscribed
    if named and all(consent is not Consent.GIVEN for _, consent in former):
        return blueprint.subscribed  # that a question has lapsed is no reason for a change
    kept = [address for address, consent in former if consent is Consent.AWAITED]
    return filter(None, (email, *kept))


def _former(blueprint: Blueprint) -> Iterator[tuple[str, Consent]]:
    for address, consent in blueprint.subscribed.items():
        if address != blueprint.stack.watch.email:
            yield address, consent


def _key(blueprint: Blueprint, address: str) -> Key:
    return subscription_key(blueprint.names.alarm_topic, "email", address)


def written(addresses: Iterable[str]) -> str:
    """Return addresses as a tag can hold them, which takes fewer characters than mail does."""
    quoted = " ".join(quote(each, safe="@+:/").replace("~", "%7E") for each in addresses)
    return quoted.replace("%", "=")


def read(tag: str) -> tuple[str, ...]:
    """Return the addresses that stand in a tag, in its order."""
    return tuple(unquote(each.replace("=", "%")) for each in tag.split())
