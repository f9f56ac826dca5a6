"""Lets users and role sessions do what their policies allow, and nothing else; on request.

Requests that are signed with any other key are the test's own, and go through.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from worker.demo.embedded.iam import refusals
from worker.demo.embedded.iam.asking import Asked, read
from worker.demo.embedded.iam.callers import ACCOUNT_NAMES, Caller, caller_of
from worker.demo.embedded.iam.needs import ACCOUNT, Need
from worker.demo.embedded.iam.needs_kms import key_policy
from worker.demo.embedded.iam.needs_other import needs_of
from worker.demo.embedded.patches import Moto
from worker.operator.policy import Json, Question, effects

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Access:
    """One permission that somebody needed, and whether they had it."""

    caller: str
    action: str
    resource: str
    allowed: bool
    denied: bool = False
    """Whether a statement said Deny; otherwise none said Allow."""


@dataclass(slots=True)
class Enforcement:
    """The switch, and the record of what was asked."""

    enabled: bool = False
    accesses: deque[Access] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """All permissions that users and role sessions needed, the newest last."""


def enforcing(
    application: Moto, enforcement: Enforcement
) -> Callable[[dict[str, Any], Moto], Iterable[bytes]]:
    """Wrap a WSGI application: a request goes through if its caller may do all that it needs."""

    def enforced(environ: dict[str, Any], start_response: Moto) -> Iterable[bytes]:
        asked = read(environ) if enforcement.enabled else None
        refused = None if asked is None else _refused(asked, enforcement)
        if asked is None or refused is None:
            answer: Iterable[bytes] = application(environ, start_response)
            return answer
        status, headers, body = refusals.answer(asked, refused)
        start_response(status, headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    return enforced


def _refused(asked: Asked, enforcement: Enforcement) -> Access | None:
    """Give the first permission that is missing, or None."""
    caller = caller_of(asked.access_key)
    if caller.is_administrator and asked.operation != "AssumeRole":
        return None
    for need in needs_of(asked):
        access = decide(caller, need, asked.region)
        enforcement.accesses.append(access)
        if not access.allowed:
            return access
    return None


def decide(caller: Caller, need: Need, region: str) -> Access:
    """Evaluate one need: the caller's own policies, and the resource's, of the same account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    context = {**_global_keys(region), **caller.keys, **need.context}
    asked = Question(need.action, need.resource, context, caller.names)
    as_account = Question(need.action, need.resource, context, caller.names | ACCOUNT_NAMES)
    document = _resource_policy(need)
    own = {effect for each in caller.policies for effect in effects(each, asked, of_identity=True)}
    denied = "Deny" in own | effects(document, as_account)
    granted = "Allow" in own or caller.is_administrator
    # A role and a key are as closed to their own account as their policies say (rule 12a).
    if need.action == "sts:AssumeRole" or ":kms:" in need.resource:
        granted = granted and "Allow" in effects(document, as_account)
    granted = granted or "Allow" in effects(document, asked)
    return Access(caller.arn, need.action, need.resource, granted and not denied, denied)


def _global_keys(region: str) -> Mapping[str, str]:
    return {
        "aws:PrincipalAccount": ACCOUNT,
        "aws:RequestedRegion": region,
        "aws:ResourceAccount": ACCOUNT,
        # This AWS is on the loopback interface: nobody can listen in, and it has no certificate.
        "aws:SecureTransport": "true",
        "aws:SourceIp": "127.0.0.1",
    }


def _resource_policy(need: Need) -> Json:
    """Give a bucket's, queue's, topic's or key's policy, or a role's trust; None if none."""
    service = need.resource.split(":")[2] if need.resource.startswith("arn:") else ""
    found: Json = None
    if service == "s3":
        name = need.resource.split(":")[5].split("/")[0]
        bucket = s3_backends[ACCOUNT]["aws"].buckets.get(name)
        found = json.loads(bucket.policy) if bucket is not None and bucket.policy else None
    elif service in {"sqs", "sns"}:
        _, _, _, region, account, name = need.resource.split(":")[:6]
        queues, topics = sqs_backends[account][region].queues, sns_backends[account][region].topics
        there = queues.get(name) if service == "sqs" else topics.get(need.resource)
        found = None if there is None else there._policy_json  # noqa: SLF001 # moto's only place
    elif service == "kms":
        policy = key_policy(need.resource) if ":key/" in need.resource else None
        found = None if policy is None else json.loads(policy)
    elif need.action == "sts:AssumeRole":
        found = _trust_policy(need.resource)
    return found


def _trust_policy(role_arn: str) -> Json:
    try:
        role = iam_backends[ACCOUNT]["aws"].get_role_by_arn(role_arn)
    except NotFoundException:
        return None
    found: Json = json.loads(role.assume_role_policy_document)
    return found
