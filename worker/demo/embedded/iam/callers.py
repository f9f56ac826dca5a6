"""Whose request is it? Users and role sessions by their access keys, with their policies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from worker.demo.embedded.iam.needs import ACCOUNT
from worker.demo.embedded.patches import Moto
from worker.operator.policy import Json

ROOT: Final = f"arn:aws:iam::{ACCOUNT}:root"
ACCOUNT_NAMES: Final = frozenset({ROOT, ACCOUNT})
_SESSION_SECONDS: Final = 12 * 3600


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `names` are what a Principal element calls it; a session has its role's too."""

    arn: str
    names: frozenset[str]
    policies: tuple[Json, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    """Condition keys about the caller."""
    is_administrator: bool = False


ADMINISTRATOR: Final = Caller(ROOT, frozenset({ROOT}), is_administrator=True)
"""Whoever signs with a key that IAM did not make: the test itself."""


def caller_of(access_key: str) -> Caller:
    """Find the caller behind an access key, with the policies that are attached by now."""
    for session in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if session.access_key_id == access_key:
            return _session(session)
    for user in list(iam_backends[ACCOUNT]["aws"].users.values()):
        if any(key.access_key_id == access_key for key in user.access_keys):
            return _user(user)
    return ADMINISTRATOR


def credentials_of(role_arn: str, region: str, session_name: str) -> dict[str, str]:
    """Begin a session of a role, as a service does for a role that it was given.

    Returns boto3's arguments. Raises LookupError if there is no such role.
    """
    try:
        iam_backends[ACCOUNT]["aws"].get_role_by_arn(role_arn)
    except NotFoundException as error:
        raise LookupError(f"there is no role {role_arn}") from error
    session = sts_backends[ACCOUNT]["aws"].assume_role(
        region_name=region,
        role_session_name=session_name,
        role_arn=role_arn,
        policy="",
        duration=_SESSION_SECONDS,
        external_id="",
    )
    return {
        "aws_access_key_id": session.access_key_id,
        "aws_secret_access_key": session.secret_access_key,
        "aws_session_token": session.session_token,
    }


def _session(session: Moto) -> Caller:
    names = frozenset({session.role_arn, session.arn})
    keys = {"aws:PrincipalArn": session.role_arn}
    try:
        role = iam_backends[ACCOUNT]["aws"].get_role_by_arn(session.role_arn)
    except NotFoundException:
        return Caller(session.arn, names, (), keys)
    return Caller(session.arn, names, policies_of_role(role), keys)


def policies_of_role(role: Moto) -> tuple[Json, ...]:
    """Give a role's policies: inline and attached."""
    inline = [json.loads(each) for each in role.policies.values()]
    return (*inline, *_attached(role.managed_policies.values()))


def _user(user: Moto) -> Caller:
    keys = {"aws:PrincipalArn": user.arn, "aws:username": user.name}
    return Caller(user.arn, frozenset({user.arn}), policies_of_user(user), keys)


def policies_of_user(user: Moto) -> tuple[Json, ...]:
    """Give a user's policies and those of its groups: inline and attached."""
    groups = iam_backends[ACCOUNT]["aws"].get_groups_for_user(user.name)
    inline = [json.loads(each) for one in (user, *groups) for each in one.policies.values()]
    attached = [
        each for one in (user, *groups) for each in _attached(one.managed_policies.values())
    ]
    return (*inline, *attached)


def _attached(policies: Iterable[Moto]) -> list[Json]:
    return [
        json.loads(version.document)
        for each in policies
        for version in each.versions
        if version.is_default
    ]
