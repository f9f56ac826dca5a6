"""Who we are, what we may do, and how much of everything there may be. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provision.core.finding import Finding, failure, ok, warning

ASSUMED_ROLE = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")
ROOT = re.compile(r"arn:[a-z-]+:iam::\d{12}:root")

OF_THE_REQUEST = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")

SHOWN_ACTIONS = 8
"""So many denied actions are named; the policy that is hinted at has them all."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What IAM's simulation said; `unknown` says why it could not be asked.

    `doubtful`: actions denied by a simulation that lacked a condition key, such as whether the
    caller signed in with MFA; `lacking` names these keys. The real request has them.
    """

    denied: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    asked: int = 0
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of something the account may have, has, and will have more (`needed`)."""

    name: str
    limit: float
    used: float
    needed: float
    hint: str = "ask for more at Service Quotas"


def policy_source(arn: str) -> str | None:
    """Return the ARN that IAM can simulate for a caller, None for root, who may do everything.

    STS tells the session of a role; IAM knows the role. The role's path is not in there: where it
    has one, IAM will not find it.
    """
    if ROOT.fullmatch(arn):
        return None
    assumed = ASSUMED_ROLE.fullmatch(arn)
    return f"arn:{assumed[1]}:iam::{assumed[2]}:role/{assumed[3]}" if assumed else arn


def is_of_the_caller(key: str) -> bool:
    """Say whether a condition key is about the caller (MFA, address, time), not about a request."""
    folded = key.lower()
    return folded.startswith("aws:") and not folded.startswith(OF_THE_REQUEST)


def judge_identity(account: str, arn: str) -> Finding:
    """Show whose account this is."""
    return ok("credentials", f"account {account}, as {arn}")


def judge_permissions(permissions: Permissions) -> Finding:
    """Judge what the simulation said; what could not be asked stops nothing (rule 6)."""
    subject = "permissions"
    if permissions.unknown:
        hint = "`provision policy operator` prints all that is needed"
        return warning(subject, f"not checked: {permissions.unknown}", hint)
    if permissions.denied:
        hint = "`provision policy operator` prints the policy"
        return failure(subject, f"denied: {_shown(permissions.denied)}", hint)
    if permissions.doubtful:
        detail = (
            f"denied, unless {', '.join(permissions.lacking)} say otherwise, which IAM's simulation"
            f" does not know: {_shown(permissions.doubtful)}"
        )
        return warning(subject, detail, "`provision policy operator` prints the policy")
    return ok(subject, f"{permissions.asked} actions simulated, all allowed")


def _shown(actions: Sequence[str]) -> str:
    more = len(actions) - SHOWN_ACTIONS
    shown = ", ".join(actions[:SHOWN_ACTIONS])
    return f"{shown} and {more} more" if more > 0 else shown


def judge_quotas(quotas: Sequence[Quota]) -> Iterator[Finding]:
    """Yield a failure for each quota that would be passed, and one finding if there is none."""
    short = [each for each in quotas if each.used + each.needed > each.limit]
    for each in short:
        detail = f"{each.limit:g} allowed, {each.used:g} used, {each.needed:g} more needed"
        yield failure(f"quota: {each.name}", detail, each.hint)
    if quotas and not short:
        yield ok("quotas", f"enough of {', '.join(each.name for each in quotas)}")
