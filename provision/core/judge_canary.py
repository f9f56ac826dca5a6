"""Where a canary that did not arrive got stuck, and what to do about it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """What was seen when the time was over; counts of messages."""

    at_source: bool
    waiting: int
    in_hand: int
    dead_letters: int
    dead_letters_before: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """Where it is stuck, and the next command."""

    where: str
    hint: str


def diagnose(facts: CanaryFacts) -> Stuck:
    """Follow the canary's way back from its end, and name the place where it stopped."""
    if not facts.at_source:
        return Stuck(
            "it left the source prefix and did not arrive: somebody else takes files there",
            "look for other consumers of the bucket, such as lifecycle rules or functions",
        )
    if facts.dead_letters > facts.dead_letters_before:
        return Stuck(
            "its message was set aside: no worker could move it",
            "`provision dlq list` says why",
        )
    if facts.in_hand:
        return Stuck(
            f"{facts.in_hand} messages are in a worker's hand, and not done",
            "`worker check` on an instance says what it lacks; so does its log",
        )
    if facts.waiting:
        return Stuck(
            f"{facts.waiting} messages wait, and nobody receives them",
            "`provision status` says who consumes",
        )
    return Stuck(
        "no message came: S3 told nobody, or the topic did not reach the queue",
        "`provision plan` compares notification, topic, policies and subscription",
    )
