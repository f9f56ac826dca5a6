"""Another place than files land in so far: which would be stuck in silence, and what moves them.

S3 tells of a file once, as it lands, and a worker passes over messages of any other prefix. What
lies there before our rule does, or when the prefix changes, only a sweep finds. Pure.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provision.core.finding import Finding, failure, warning
from provision.resources.notification import TOPIC_RULES, plain_filter
from provision.spec.blueprint import Blueprint
from provision.spec.worker_environment import moving_environment

COUNTED: Final = 1000
"""So many files are counted at most: what one page of a listing holds."""

SWEPT_WITH: Final = ("REGION", "BUCKET", "SRC_PREFIX", "DST_PREFIX", "ON_CONFLICT")


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """What is there. `former_bucket`: another one that has our rule still; empty: none.

    `former_prefix`: our rule's, None without one. `lying`: files by prefix, COUNTED at most;
    without a prefix that need not, or may not, be looked at. `messages`: in the queue.
    """

    former_bucket: str = ""
    former_prefix: str | None = None
    lying: Mapping[str, int] = field(default_factory=dict)
    messages: int = 0


def prefix_of_rule(configuration: Mapping[str, Any], rule_id: str) -> str | None:
    """Return the prefix of our rule in a bucket's configuration, None without one."""
    rules = configuration.get(TOPIC_RULES, [])
    mine = [plain_filter(each) for each in rules if each.get("Id") == rule_id]
    return mine[0].get("prefix", "") if mine else None


def judge_place(facts: PlaceFacts, blueprint: Blueprint) -> Iterator[Finding]:
    """Judge what a stack file's bucket and prefix would leave behind."""
    if former := facts.former_bucket:
        yield _another_bucket(former, blueprint)
    prefix = blueprint.stack.pipeline.source_prefix
    if facts.former_prefix not in {None, prefix}:
        yield _another_prefix(str(facts.former_prefix), facts, blueprint)
    elif facts.former_prefix is None and facts.lying.get(prefix):
        yield warning(
            f"source prefix {prefix}",
            f"{_files(facts, prefix)} already, and S3 tells of none that is there before our rule",
            f"once this is applied and a worker runs: `{sweep_command(blueprint, prefix)}`",
        )


def _another_bucket(former: str, blueprint: Blueprint) -> Finding:
    names = blueprint.names
    return failure(
        f"bucket {names.bucket}",
        f"so far it was {former}, and its rule {names.notification_rule} would tell nobody any"
        " more: files that land there would be stuck in silence",
        "give the new bucket a stack of another name, and destroy this one when it has no more"
        f" to do; or take the rule out of {former} first",
    )


def _another_prefix(former: str, facts: PlaceFacts, blueprint: Blueprint) -> Finding:
    pipeline = blueprint.stack.pipeline
    prefix, destination = pipeline.source_prefix, pipeline.destination_prefix
    # A sweep of what holds the destination would begin anew with every file that it moved.
    swept = [prefix, *([] if destination.startswith(former) else [former])]
    commands = ", and ".join(f"`{sweep_command(blueprint, each)}`" for each in swept)
    return warning(
        f"source prefix {prefix}",
        f"so far it was {former}: {_files(facts, former)}, {facts.messages} messages are in the"
        f" queue, and until every worker is new, those of the prefix that it does not know are"
        f" passed over, and their files stay where they are; {_files(facts, prefix)}, of which"
        " S3 tells nobody",
        f"once this is applied and every worker is new: {commands}",
    )


def _files(facts: PlaceFacts, prefix: str) -> str:
    count = facts.lying.get(prefix)
    told = "an unknown number of" if count is None else str(count)
    return f"{f'{COUNTED} or more' if count == COUNTED else told} files lie below {prefix}"


def sweep_command(blueprint: Blueprint, prefix: str) -> str:
    """Return the command that moves whatever lies below a prefix, for a shell to read."""
    settings = {**moving_environment(blueprint), "SRC_PREFIX": prefix}
    pairs = " ".join(f"{name}={shlex.quote(settings[name])}" for name in SWEPT_WITH)
    return f"{pairs} worker sweep --older-than 0s --move"
